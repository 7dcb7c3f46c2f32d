package dev.holdfast.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.app.WallClock;
import dev.holdfast.local.ConsoleBenchmark;
import dev.holdfast.local.ConsoleBenchmark.Pair;
import dev.holdfast.local.ExpiryBenchmark;
import dev.holdfast.local.ExpiryBenchmark.Traffic;
import dev.holdfast.local.NodeBenchmark;
import dev.holdfast.local.NodeBenchmark.Plan;
import dev.holdfast.local.NodeBenchmark.Result;
import dev.holdfast.local.ShopLoad.Round;
import dev.holdfast.local.StreamBenchmark;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bench}: measures one node on this machine: its speed, a surge of expiries, streams; or
 * what consoles cost three.
 */
@Command(
    name = "bench",
    description = {
      "Measures one node with its embedded journal on this machine, load generator included:"
          + " durable changes of a cart line, reads of a session, heap of an idle user.",
      "With --consoles three nodes on one journal, with and without that many open consoles.",
      "With --expiries one node under a steady load, while that many sessions are over at once.",
      "With --streams one node that tells that many streams what changes.",
      "The method is in docs/benchmarks.md."
    },
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** How long a surge of expiries may last, from the first session that is over. */
  private static final Duration SURGE = Duration.ofSeconds(40);

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Option(names = "--connections", description = "Connections, one request in hand each (64).")
  private int connections = 64;

  @Option(names = "--users", description = "Users that each connection asks for (50).")
  private int users = 50;

  @Option(names = "--seconds", description = "Length of a round of each kind (10).")
  private int seconds = 10;

  @Option(names = "--rounds", description = "Rounds (5).")
  private int rounds = 5;

  @Option(names = "--warm-up", description = "Seconds of warm-up (20).")
  private int warmUp = 20;

  @Option(names = "--jvm", description = "A further option for the node's JVM, such as -Xmx2g.")
  private List<String> jvmOptions = List.of();

  @Option(
      names = "--consoles",
      paramLabel = "N",
      description =
          "Measure what so many open consoles take from three nodes; --rounds is pairs of rounds"
              + " then, with and without.")
  private int consoles;

  @Option(
      names = "--expiries",
      paramLabel = "N",
      description =
          "Measure what it does to a steady load (--rate) that so many sessions are over within"
              + " ten seconds; --rounds of both kinds together, before and after.")
  private int expiries;

  @Option(
      names = "--streams",
      paramLabel = "N",
      description =
          "Measure so many streams of changes: their heap, and how soon they tell --rate changes a"
              + " second, for --seconds.")
  private int streams;

  @Option(
      names = "--rate",
      description =
          "With --expiries reads a second, and a third as many changes; with --streams changes"
              + " (600).")
  private int rate = 600;

  @Option(
      names = "--json",
      description = "Print every round, and not only medians, as one line of JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (var data = TemporaryFolder.create("holdfast-bench")) {
      if (consoles > 0) {
        ConsoleBenchmark.Result result = measureConsoles(data.path());
        print(out, result, () -> table(out, result));
      } else if (expiries > 0) {
        ExpiryBenchmark.Result result = measureExpiries(data.path());
        print(out, result, () -> table(out, result));
      } else if (streams > 0) {
        StreamBenchmark.Result result = measureStreams(data.path());
        print(out, result, () -> table(out, result));
      } else {
        Result result = measureNode(data.path());
        print(out, result, () -> table(out, result));
      }
    }
    return 0;
  }

  private void print(PrintWriter out, Record result, Runnable table) throws IOException {
    if (json) {
      out.println(JSON.writeValueAsString(result));
    } else {
      table.run();
    }
    out.flush();
  }

  private Result measureNode(Path data) throws IOException, InterruptedException {
    return new NodeBenchmark(
            new Plan(
                connections,
                users,
                Duration.ofSeconds(warmUp),
                Duration.ofSeconds(seconds),
                rounds),
            line -> System.err.println("bench: " + line))
        .run(data, jvmOptions);
  }

  private ConsoleBenchmark.Result measureConsoles(Path data)
      throws IOException, InterruptedException {
    return new ConsoleBenchmark(
            new ConsoleBenchmark.Plan(
                connections,
                users,
                Duration.ofSeconds(warmUp),
                Duration.ofSeconds(seconds),
                rounds,
                consoles),
            line -> System.err.println("bench: " + line))
        .run(data);
  }

  private ExpiryBenchmark.Result measureExpiries(Path data)
      throws IOException, InterruptedException {
    return new ExpiryBenchmark(
            new ExpiryBenchmark.Plan(
                connections,
                users,
                rate,
                expiries,
                Duration.ofSeconds(warmUp),
                Duration.ofSeconds(seconds),
                rounds,
                SURGE),
            WallClock.system(),
            line -> System.err.println("bench: " + line))
        .run(data, jvmOptions);
  }

  private StreamBenchmark.Result measureStreams(Path data)
      throws IOException, InterruptedException {
    return new StreamBenchmark(
            new StreamBenchmark.Plan(
                streams, rate, Duration.ofSeconds(warmUp), Duration.ofSeconds(seconds)),
            line -> System.err.println("bench: " + line))
        .run(data, jvmOptions);
  }

  private static void table(PrintWriter out, Result result) {
    out.println("| | per second | p50 ms | p99 ms |");
    out.println("|---|---|---|---|");
    out.println(row("durable changes of a cart line", result.writes()));
    out.println(row("reads of a session", result.reads()));
    out.printf(
        Locale.ROOT,
        "%nheap of an idle user with a cart of five lines: %,.0f bytes%n",
        result.heapBytesAUser());
  }

  private static void table(PrintWriter out, ConsoleBenchmark.Result result) {
    out.println("| | without, per second | with, per second | with/without |");
    out.println("|---|---|---|---|");
    out.println(pairs("durable changes of a cart line", result.changes()));
    out.println(pairs("reads of a session", result.reads()));
    out.printf(Locale.ROOT, "%nanswers to the consoles: %,d%n", result.looks());
  }

  private static void table(PrintWriter out, ExpiryBenchmark.Result result) {
    out.println(
        "| | p50 ms without | p50 ms with | p99 ms without | p99 ms with | p99 with/without |");
    out.println("|---|---|---|---|---|---|");
    out.println(traffic("changes of a cart line", result, Traffic::changes));
    out.println(traffic("reads of a session", result, Traffic::reads));
    out.printf(
        Locale.ROOT,
        "%n%,d sessions were over within %d s; the last one expired %.1f s after the first was"
            + " over, and each at most %.1f s after its time%n",
        result.expired(),
        ExpiryBenchmark.WITHIN.toSeconds(),
        result.tookMillis() / 1e3,
        result.latestMillis() / 1e3);
  }

  private static String traffic(
      String name, ExpiryBenchmark.Result result, Function<Traffic, Round> kind) {
    List<Round> without = result.without().stream().map(kind).toList();
    List<Round> with = result.with().stream().map(kind).toList();
    return "| %s | %s | %s | %s | %s | %.2f |"
        .formatted(
            name,
            figure(without, round -> round.p50Micros() / 1e3, "%.2f"),
            figure(with, round -> round.p50Micros() / 1e3, "%.2f"),
            figure(without, round -> round.p99Micros() / 1e3, "%.2f"),
            figure(with, round -> round.p99Micros() / 1e3, "%.2f"),
            median(with, Round::p99Micros) / median(without, Round::p99Micros));
  }

  private static void table(PrintWriter out, StreamBenchmark.Result result) {
    out.println("| streams | told | p50 ms | p99 ms | longest ms | heap bytes a stream |");
    out.println("|---|---|---|---|---|---|");
    out.printf(
        Locale.ROOT,
        "| %,d | %,d | %.2f | %.2f | %.2f | %,.0f |%n",
        result.streams(),
        result.told(),
        result.p50Micros() / 1e3,
        result.p99Micros() / 1e3,
        result.longestMicros() / 1e3,
        result.heapBytesAStream());
  }

  private static String pairs(String name, List<Pair> pairs) {
    return "| %s | %s | %s | %s |"
        .formatted(
            name,
            figure(pairs, Pair::without, "%,.0f"),
            figure(pairs, Pair::with, "%,.0f"),
            figure(pairs, Pair::ratio, "%.3f"));
  }

  private static String row(String name, List<Round> rounds) {
    return "| %s | %s | %s | %s |"
        .formatted(
            name,
            figure(rounds, Round::perSecond, "%,.0f"),
            figure(rounds, round -> round.p50Micros() / 1e3, "%.2f"),
            figure(rounds, round -> round.p99Micros() / 1e3, "%.2f"));
  }

  /** The median, and the least and greatest in brackets. */
  private static <T> String figure(List<T> rounds, ToDoubleFunction<T> value, String form) {
    double[] sorted = rounds.stream().mapToDouble(value).sorted().toArray();
    return String.format(
        Locale.ROOT,
        form + " (" + form + "–" + form + ")",
        median(rounds, value),
        sorted[0],
        sorted[sorted.length - 1]);
  }

  private static <T> double median(List<T> rounds, ToDoubleFunction<T> value) {
    double[] sorted = rounds.stream().mapToDouble(value).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
