package dev.holdfast.benchmarks.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.journal.PostgresOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The coordinator: starts what is needed, gives the orders, writes the report, cleans up. */
@Command(
    name = "benchmarks/journal/run",
    description = {
      "Measures Holdfast's journal on this machine beside pekko-persistence-jdbc and bare clients:"
          + " durable events a second on PostgreSQL and on SQLite, users recovered a second, and"
          + " what a request for a cold user takes while others recover.",
      "The method is in docs/benchmarks.md."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class Main implements Callable<Integer> {

  /** The name of the embedded journal's file in its folder. */
  static final String SQLITE_FILE = "journal.db";

  private enum Part {
    WRITE,
    FIXED,
    SQLITE,
    RECOVERY
  }

  @Option(
      names = "--only",
      split = ",",
      description =
          "Parts to measure: write (PostgreSQL, many owners), fixed (PostgreSQL, as many owners as"
              + " loops), sqlite, recovery. All without it.")
  private Set<Part> only = Set.of(Part.values());

  @Option(
      names = "--contestants",
      split = ",",
      description = "Only these of them: ${COMPLETION-CANDIDATES}.")
  private Set<Kind> kinds = Set.of(Kind.values());

  @Option(names = "--quick", description = "Short rounds and small stores, to see that it runs.")
  private boolean quick;

  @Option(names = "--rounds", description = "Rounds of each contestant (5).")
  private int rounds = 5;

  @Option(names = "--warm-ups", description = "Rounds of each before those that count (2).")
  private int warmUps = 2;

  @Option(names = "--seconds", description = "Length of a round of writing (10).")
  private int seconds = 10;

  @Option(names = "--loops", description = "Closed loops, each with one event in hand (256).")
  private int loops = 256;

  @Option(names = "--owners", description = "Owners for whom they write (20000).")
  private int owners = 20_000;

  @Option(names = "--earlier", description = "Owners with ten events each before (50000).")
  private int earlier = 50_000;

  @Option(
      names = "--connections",
      description =
          "That Holdfast's journal and the bare client write to PostgreSQL on (as many as Holdfast"
              + " has by itself).")
  private int connections = PostgresOptions.of("jdbc:postgresql:").writers();

  @Option(names = "--users", description = "Users that are recovered (100000).")
  private int users = 100_000;

  @Option(names = "--crowd", description = "Users that recover while one is asked for (50000).")
  private int crowd = 50_000;

  @Option(names = "--window", description = "Recoveries asked for at a time (512).")
  private int window = 512;

  @Option(
      names = "--crowd-window",
      description = "The same for the crowd: requests in hand while one more comes (128).")
  private int crowdWindow = 128;

  @Option(names = "--minutes", description = "After so many the run is given up (45).")
  private int minutes = 45;

  @Option(
      names = "--holdfast",
      description = "A further option for the JVM of Holdfast's journal, such as -Dkey=value.")
  private List<String> holdfastOptions = List.of();

  @Option(names = "--peer", description = "The same for pekko-persistence-jdbc.")
  private List<String> peerOptions = List.of();

  @Option(names = "--work", hidden = true, required = true)
  private Path target = Path.of("target");

  /** What is to be ended, in the order of its start. Guarded by itself. */
  private final List<AutoCloseable> running = new ArrayList<>();

  private final long began = System.nanoTime();

  /** Measures; see {@code --help}. */
  public static void main(String[] args) {
    System.exit(
        new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    Files.createDirectories(target);
    Path work = Files.createTempDirectory(target.toAbsolutePath(), "work-");
    Path logs = Files.createDirectories(target.resolve("logs"));
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .unstarted(() -> {
                  endAll();
                  remove(work);
                }));
    giveUpAfter(minutes);
    Plan plan =
        quick
            ? new Plan(
                2, 1, 3, 1, loops, 2_000, 2_000, connections, 5_000, 5_000, window, crowdWindow)
            : new Plan(
                rounds,
                warmUps,
                seconds,
                2,
                loops,
                owners,
                earlier,
                connections,
                users,
                crowd,
                window,
                crowdWindow);
    var report = new Report(plan);
    var parts = new TreeSet<>(only);
    if (!parts.equals(Set.of(Part.SQLITE))) {
      var server = started(new PostgresServer(work.resolve("postgres")));
      report.server(server.version());
      if (parts.contains(Part.WRITE)) {
        report.postgres(plan, writeToPostgres(server, plan, "many", logs));
      }
      if (parts.contains(Part.FIXED)) {
        Plan fixed = plan.withOwners(plan.loops());
        report.postgres(fixed, writeToPostgres(server, fixed, "fixed", logs));
      }
      if (parts.contains(Part.RECOVERY)) {
        report.recovery(recover(server, plan, logs));
      }
      ended(server);
    }
    if (parts.contains(Part.SQLITE)) {
      report.sqlite(writeToSqlite(work, plan, logs));
    }
    String text = report.text((System.nanoTime() - began) / 1_000_000_000);
    Files.writeString(target.resolve("report.md"), text, UTF_8);
    System.out.print(text);
    System.out.flush();
    return 0;
  }

  private Map<Kind, List<WriteBenchmark.Round>> writeToPostgres(
      PostgresServer server, Plan plan, String suffix, Path logs) throws Exception {
    List<ContestantProcess> contestants = new ArrayList<>();
    for (Kind kind : chosen(Kind.HOLDFAST_POSTGRES, Kind.PEKKO_JDBC, Kind.BARE_POSTGRES)) {
      contestants.add(onPostgres(server, kind, suffix, logs));
    }
    var rounds = new WriteBenchmark(plan, server, this::progress).run(contestants);
    end(server, contestants);
    return rounds;
  }

  private RecoveryBenchmark.Result recover(PostgresServer server, Plan plan, Path logs)
      throws Exception {
    List<ContestantProcess> contestants = new ArrayList<>();
    for (Kind kind : chosen(Kind.HOLDFAST_POSTGRES, Kind.PEKKO_JDBC)) {
      contestants.add(onPostgres(server, kind, "recovery", logs));
    }
    var result = new RecoveryBenchmark(plan, server, this::progress).run(contestants);
    end(server, contestants);
    return result;
  }

  private Map<Kind, List<WriteBenchmark.Round>> writeToSqlite(Path work, Plan plan, Path logs)
      throws Exception {
    List<ContestantProcess> contestants = new ArrayList<>();
    for (Kind kind : chosen(Kind.HOLDFAST_SQLITE, Kind.BARE_SQLITE)) {
      Path folder = Files.createDirectories(work.resolve(kind.id()));
      contestants.add(
          started(
              ContestantProcess.start(
                  kind, kind.id(), folder.toString(), 1, log(logs, kind.id()), options(kind))));
    }
    var rounds = new WriteBenchmark(plan, null, this::progress).run(contestants);
    for (ContestantProcess contestant : contestants) {
      ended(contestant);
    }
    return rounds;
  }

  private List<Kind> chosen(Kind... all) {
    return Stream.of(all).filter(kinds::contains).toList();
  }

  private ContestantProcess onPostgres(PostgresServer server, Kind kind, String suffix, Path logs)
      throws Exception {
    String database = kind.id() + "_" + suffix;
    server.execute("postgres", "CREATE DATABASE " + database);
    return started(
        ContestantProcess.start(
            kind, database, server.url(database), connections, log(logs, database), options(kind)));
  }

  /** Ends contestants and removes what they stored. */
  private void end(PostgresServer server, List<ContestantProcess> contestants) throws Exception {
    for (ContestantProcess contestant : contestants) {
      ended(contestant);
      server.execute("postgres", "DROP DATABASE " + contestant.store() + " WITH (FORCE)");
    }
  }

  private List<String> options(Kind kind) {
    return switch (kind) {
      case HOLDFAST_POSTGRES, HOLDFAST_SQLITE -> holdfastOptions;
      case PEKKO_JDBC -> peerOptions;
      case BARE_POSTGRES, BARE_SQLITE -> List.of();
    };
  }

  private static Path log(Path logs, String name) throws IOException {
    Path log = logs.resolve(name + ".log");
    Files.deleteIfExists(log);
    return log;
  }

  private void progress(String line) {
    System.err.printf("%4d s  %s%n", (System.nanoTime() - began) / 1_000_000_000, line);
  }

  private <T extends AutoCloseable> T started(T one) {
    synchronized (running) {
      running.add(one);
    }
    return one;
  }

  private void ended(AutoCloseable one) throws Exception {
    synchronized (running) {
      running.remove(one);
    }
    one.close();
  }

  private void endAll() {
    List<AutoCloseable> all;
    synchronized (running) {
      all = List.copyOf(running).reversed();
    }
    for (AutoCloseable one : all) {
      try {
        if (one instanceof ContestantProcess contestant) {
          contestant.kill();
        } else {
          one.close();
        }
      } catch (Exception e) {
        System.err.println("did not end: " + e);
      }
    }
  }

  private static void remove(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      System.err.println("did not remove " + folder + ": " + e);
    }
  }

  private static void giveUpAfter(int minutes) {
    Thread.ofPlatform()
        .daemon()
        .name("time-limit")
        .start(() -> {
          try {
            TimeUnit.MINUTES.sleep(minutes);
          } catch (InterruptedException e) {
            return;
          }
          System.err.println("given up after " + minutes + " minutes");
          System.exit(3);
        });
  }
}
