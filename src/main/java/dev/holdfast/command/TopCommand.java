package dev.holdfast.command;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.holdfast.cluster.NodeFigures;
import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.cluster.Takeover;
import dev.holdfast.json.JsonText;
import dev.holdfast.local.AdminClient;
import dev.holdfast.local.AdminClient.ClusterView;
import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code top}: what goes on in a running cluster, live. */
@Command(
    name = "top",
    description = {
      "Shows what the nodes of a running cluster do, again and again, until Ctrl-C: requests a"
          + " second, how long they take, events a batch, users, heap; and the latest takeovers.",
      "Rates and percentiles are of the time since the last look. A look that fails says why, and"
          + " the next one is tried.",
      "Exit status 0: the last look was shown; 1: it was not, or the first was not."
    },
    mixinStandardHelpOptions = true)
final class TopCommand implements Callable<Integer> {

  /** Back to the upper left, and what is below is gone. */
  private static final String CLEAR = "\u001b[H\u001b[J";

  private static final double NANOS_A_MILLI = TimeUnit.MILLISECONDS.toNanos(1);
  private static final double P99 = 0.99;
  private static final int TAKEOVERS = 5;
  private static final long MEBI = 1L << 20;

  /** A process that has run for less than the time between two looks was not there at the first. */
  private static final long CLOCKS_MILLIS = 100;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Mixin private final ServerOptions server = new ServerOptions();

  @Option(
      names = "--interval",
      paramLabel = "SECONDS",
      description = "Time between two looks, 0.2 to 60 (1).",
      defaultValue = "1")
  private double seconds;

  @Option(
      names = "--looks",
      paramLabel = "N",
      description = "End after so many; 0 for no end (0).",
      defaultValue = "0")
  private int looks;

  @Option(names = "--json", description = "Print each look as one line of JSON.")
  private boolean json;

  /** What a node did between two looks. */
  private record Span(
      double seconds, Figures.Requests requests, Distribution batches, Figures now) {

    /** {@return null where there is nothing to compare, since the node is new or was restarted} */
    static @Nullable Span between(
        @Nullable Figures earlier, @Nullable Figures now, long millisBetween) {
      if (earlier == null
          || now == null
          || now.upMillis() <= earlier.upMillis()
          || now.upMillis() < millisBetween - CLOCKS_MILLIS) {
        return null;
      }
      Figures.Requests before = earlier.requests();
      Figures.Requests after = now.requests();
      return new Span(
          (now.upMillis() - earlier.upMillis()) / (double) TimeUnit.SECONDS.toMillis(1),
          new Figures.Requests(
              after.reads().minus(before.reads()),
              after.writes().minus(before.writes()),
              after.refused() - before.refused(),
              after.failed() - before.failed()),
          now.journal().batches().minus(earlier.journal().batches()),
          now);
    }

    double reads() {
      return requests.reads().count() / seconds;
    }

    double writes() {
      return requests.writes().count() / seconds;
    }

    double eventsABatch() {
      return batches.count() == 0 ? 0 : (double) batches.sum() / batches.count();
    }

    static double p99Millis(Distribution times) {
      return times.quantile(P99) / NANOS_A_MILLI;
    }
  }

  @Override
  public Integer call() throws Exception {
    if (!(seconds >= 0.2 && seconds <= 60) || looks < 0) {
      throw new ParameterException(
          spec.commandLine(), "--interval must be 0.2 to 60, and --looks not negative");
    }
    PrintWriter out = spec.commandLine().getOut();
    boolean clears = !json && Terminal.isThere();
    long pause = Duration.ofMillis(Math.round(seconds * 1_000)).toNanos();
    boolean shown = true;
    try (AdminClient client = server.client()) {
      Map<String, Figures> earlier = byNode(client.figures());
      long earlierAt = System.nanoTime();
      for (int look = 0; looks == 0 || look < looks; look++) {
        LockSupport.parkNanos(pause);
        try {
          ClusterView cluster = client.cluster();
          Map<String, Figures> now = byNode(client.figures());
          long at = System.nanoTime();
          Map<String, Span> spans =
              spans(earlier, now, TimeUnit.NANOSECONDS.toMillis(at - earlierAt));
          if (json) {
            printJson(out, cluster, spans);
          } else {
            out.print(clears ? CLEAR : look == 0 ? "" : System.lineSeparator());
            print(out, cluster, spans);
          }
          earlier = now;
          earlierAt = at;
          shown = true;
        } catch (IOException silent) {
          // A node that dies may take the answer with it: just then one wants to go on looking.
          PrintWriter err = spec.commandLine().getErr();
          err.println("holdfast: " + silent.getMessage());
          err.flush();
          shown = false;
        }
      }
    }
    return shown ? 0 : 1;
  }

  private static Map<String, Span> spans(
      Map<String, Figures> earlier, Map<String, Figures> now, long millisBetween) {
    var spans = new HashMap<String, Span>();
    for (var node : now.entrySet()) {
      Span span = Span.between(earlier.get(node.getKey()), node.getValue(), millisBetween);
      if (span != null) {
        spans.put(node.getKey(), span);
      }
    }
    return spans;
  }

  private static Map<String, Figures> byNode(List<NodeFigures> nodes) {
    var figures = new HashMap<String, Figures>();
    for (NodeFigures node : nodes) {
      Figures told = node.figures();
      if (told != null) {
        figures.put(node.node(), told);
      }
    }
    return figures;
  }

  private static void print(PrintWriter out, ClusterView cluster, Map<String, Span> spans) {
    var table =
        new Table(
            "node",
            "state",
            "shards",
            "users",
            "reads/s",
            "writes/s",
            "read p99 ms",
            "write p99 ms",
            "failed",
            "events/batch",
            "heap MiB");
    for (NodeStatus node : cluster.nodes()) {
      Span span = spans.get(node.name());
      table.row(
          node.name(),
          state(node),
          node.shards().isPresent() ? whole(node.shards().getAsLong()) : "-",
          node.users().isPresent() ? whole(node.users().getAsLong()) : "-",
          span == null ? "-" : number(span.reads()),
          span == null ? "-" : number(span.writes()),
          span == null ? "-" : number(Span.p99Millis(span.requests().reads())),
          span == null ? "-" : number(Span.p99Millis(span.requests().writes())),
          span == null ? "-" : whole(span.requests().failed()),
          span == null ? "-" : number(span.eventsABatch()),
          span == null ? "-" : whole(span.now().memory().heapUsed() / MEBI));
    }
    table.print(out);
    for (Takeover takeover : cluster.takeovers().stream().limit(TAKEOVERS).toList()) {
      Duration took = takeover.took();
      out.println(
          "takeover of "
              + takeover.node()
              + " at "
              + takeover.at()
              + ": "
              + takeover.shards()
              + " shards"
              + (took == null ? ", under way" : " in " + took.toMillis() + " ms"));
    }
    out.flush();
  }

  private static String whole(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.1f" : "%,.0f", value);
  }

  private static String state(NodeStatus node) {
    return node.state().name().toLowerCase(Locale.ROOT);
  }

  private static void printJson(PrintWriter out, ClusterView cluster, Map<String, Span> spans)
      throws IOException {
    try (JsonGenerator generator = JsonText.FACTORY.createGenerator(out)) {
      generator.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      generator.writeStartObject();
      generator.writeArrayFieldStart("nodes");
      for (NodeStatus node : cluster.nodes()) {
        generator.writeStartObject();
        generator.writeStringField("name", node.name());
        generator.writeStringField("state", state(node));
        Span span = spans.get(node.name());
        if (span != null) {
          generator.writeNumberField("seconds", span.seconds());
          generator.writeNumberField("readsPerSecond", span.reads());
          generator.writeNumberField("writesPerSecond", span.writes());
          generator.writeNumberField("readP99Millis", Span.p99Millis(span.requests().reads()));
          generator.writeNumberField("writeP99Millis", Span.p99Millis(span.requests().writes()));
          generator.writeNumberField("refused", span.requests().refused());
          generator.writeNumberField("failed", span.requests().failed());
          generator.writeNumberField("eventsPerBatch", span.eventsABatch());
          generator.writeNumberField("users", span.now().memory().users());
          generator.writeNumberField("heapUsed", span.now().memory().heapUsed());
        }
        generator.writeEndObject();
      }
      generator.writeEndArray();
      generator.writeNumberField("takeovers", cluster.takeovers().size());
      generator.writeEndObject();
      generator.writeRaw('\n');
    }
    out.flush();
  }
}
