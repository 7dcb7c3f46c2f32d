package dev.holdfast.benchmarks.http;

import dev.holdfast.local.ShopLoad.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures Holdfast and its peers, and prints a report. */
@Command(
    name = "run",
    description =
        "Measures Holdfast beside its peers over HTTP; docs/benchmarks.md has the method.",
    mixinStandardHelpOptions = true)
final class Main implements Callable<Integer> {

  /** What can be measured. */
  enum Part {
    PEERS,
    CLUSTER,
    START,
    HEAP,
    RECOVERY,
    OVERLOAD;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(names = "--root", required = true, hidden = true)
  private Path root = Path.of("");

  @Option(names = "--only", split = ",", description = "Some parts only: ${COMPLETION-CANDIDATES}.")
  private Set<Part> parts = EnumSet.allOf(Part.class);

  @Option(
      names = "--servers",
      split = ",",
      description = "Some servers only, beside Holdfast: ${COMPLETION-CANDIDATES}.")
  private @Nullable Set<Server> servers;

  @Option(names = "--rounds", description = "Rounds (5).")
  private int rounds = 5;

  @Option(names = "--seconds", description = "Length of a turn of each kind of requests (6).")
  private int seconds = 6;

  @Option(names = "--warm-up", description = "Seconds of warm-up of each server (20).")
  private int warmUp = 20;

  @Option(names = "--connections", description = "Connections, one request in hand each (64).")
  private int connections = 64;

  @Option(names = "--users", description = "Users that each connection asks for (50).")
  private int users = 50;

  @Option(names = "--heap", description = "Heap of every JVM that serves (1g).")
  private String heap = "1g";

  @Option(names = "--heap-users", description = "Users opened to see what one takes (20000).")
  private int heapUsers = 20_000;

  @Option(names = "--recovered", description = "Users that are recovered (20000).")
  private int recovered = 20_000;

  @Option(names = "--keep", description = "Keep the logs and stores.")
  private boolean keep;

  private Main() {}

  /** Runs until all is measured. */
  public static void main(String[] args) {
    System.exit(
        new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    Path target = root.resolve("benchmarks/http/target");
    Files.createDirectories(target);
    Path work = Files.createTempDirectory(target, "work");
    var plan =
        new Plan(
            rounds,
            Duration.ofSeconds(seconds),
            Duration.ofSeconds(warmUp),
            connections,
            users,
            heapUsers,
            recovered);
    var report = new Report(plan);
    String stores;
    try (var stage = new Stage(root, work, heap)) {
      // A killed run leaves nothing behind.
      Runtime.getRuntime().addShutdownHook(new Thread(() -> closeQuietly(stage)));
      measure(stage, plan, report, target);
      stores = stage.stores();
    } finally {
      if (!keep) {
        delete(work);
      }
    }
    String text = report.text(stores, heap);
    System.out.print(text);
    Files.writeString(target.resolve("report.md"), text);
    return 0;
  }

  private void measure(Stage stage, Plan plan, Report report, Path target) throws Exception {
    var alone = new SingleNode(stage, plan, Main::say);
    for (Part part : parts) {
      switch (part) {
        case PEERS -> {
          var all = EnumSet.range(Server.HOLDFAST, Server.CONSTANT);
          if (servers != null) {
            all.retainAll(servers);
            all.add(Server.HOLDFAST);
          }
          var result = new SideBySide(stage, plan, Main::say).run(List.copyOf(all));
          report.peers(result);
          Files.writeString(
              target.resolve("changes.svg"),
              Plot.perSecond("Durable changes of a cart line per second", result.changes()));
          Files.writeString(
              target.resolve("reads.svg"),
              Plot.perSecond("Reads of a session with its cart per second", result.reads()));
        }
        case CLUSTER ->
            report.cluster(
                new SideBySide(stage, plan, Main::say).run(List.of(Server.ONE, Server.THREE)));
        case START -> report.starts(alone.starts());
        case HEAP -> report.heap(alone.heapBytesAUser());
        case RECOVERY -> report.recoveries(alone.recoveries());
        case OVERLOAD -> {
          report.overload("changes", alone.overload(Kind.CHANGE));
          report.overload("reads", alone.overload(Kind.READ));
        }
      }
    }
  }

  private static void say(String what) {
    System.err.printf("%tT load %.1f: %s%n", System.currentTimeMillis(), Report.load(), what);
  }

  private static void closeQuietly(Stage stage) {
    try {
      stage.close();
    } catch (IOException e) {
      System.err.println("not all was ended: " + e);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
