package dev.holdfast.local;

import dev.holdfast.local.ShopLoad.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Measures what consoles cost that people keep open: the same load on three nodes with and without
 * them, in pairs of rounds. A pair is without, with, with, without, half a round each, so that what
 * changes evenly meanwhile (a JVM that is still warming up) weighs on both alike.
 *
 * <p>A console is what the page asks the nodes for, once a second. What a browser draws is not in
 * it: that is done where the people are.
 */
public final class ConsoleBenchmark {

  private static final int NODES = 3;
  private static final long BEAT_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final List<String> ASKED = List.of("/v1/admin/cluster", "/v1/admin/metrics");
  private static final long LOG_BYTES = 1 << 20;

  /**
   * How to measure.
   *
   * @param connections each with one request in hand
   * @param usersAConnection the users that a connection asks for
   * @param warmUp of both kinds of requests together
   * @param round of each kind
   * @param pairs of rounds of each kind
   * @param consoles that are open
   */
  public record Plan(
      int connections,
      int usersAConnection,
      Duration warmUp,
      Duration round,
      int pairs,
      int consoles) {}

  /** Good answers a second of the same load without and with consoles. */
  public record Pair(double without, double with) {

    /** {@return what is left of the throughput: 1 for all of it} */
    public double ratio() {
      return with / without;
    }
  }

  /**
   * What was measured.
   *
   * @param looks answers that the consoles got in all
   */
  public record Result(List<Pair> changes, List<Pair> reads, long looks) {
    public Result {
      changes = List.copyOf(changes);
      reads = List.copyOf(reads);
    }
  }

  private final Plan plan;
  private final Consumer<String> progress;
  private long looks;

  /**
   * A measurement.
   *
   * @param progress is told what is being done
   */
  public ConsoleBenchmark(Plan plan, Consumer<String> progress) {
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Starts three nodes on one embedded journal, measures them and ends them.
   *
   * @param data an empty folder
   * @throws IOException if a node cannot be started, or gives a wrong answer
   */
  public Result run(Path data) throws IOException, InterruptedException {
    var environment = new HashMap<>(System.getenv());
    NodeProcess.dropSettings(environment);
    environment.put("HOLDFAST_DATA", data.toString());
    environment.put("HOLDFAST_JOURNAL_SHARED", "true");
    var nodes = new CopyOnWriteArrayList<URI>();
    var plans =
        new LocalCluster.Plan(
            NODES, LocalNode.HOST, 0, data, environment, true, null, false, LOG_BYTES);
    progress.accept("starting " + NODES + " nodes");
    try (LocalCluster cluster =
        LocalCluster.start(
            plans,
            news -> {
              if (news instanceof News.Started(LocalNode of, long _)) {
                nodes.add(of.http());
              }
            })) {
      cluster.awaitReady();
      try (var load = new ShopLoad(nodes, plan.connections(), "bench")) {
        return measure(nodes, load);
      }
    }
  }

  private Result measure(List<URI> nodes, ShopLoad load) throws IOException, InterruptedException {
    progress.accept("opening " + plan.connections() * plan.usersAConnection() + " users");
    load.open(plan.usersAConnection());
    progress.accept("warming up for " + plan.warmUp().toSeconds() + " s");
    for (int i = 0; i < 4; i++) {
      load.closed(i % 2 == 0 ? Kind.CHANGE : Kind.READ, plan.warmUp().dividedBy(4));
    }
    var changes = new ArrayList<Pair>();
    var reads = new ArrayList<Pair>();
    for (int i = 1; i <= plan.pairs(); i++) {
      changes.add(pair(nodes, load, Kind.CHANGE));
      reads.add(pair(nodes, load, Kind.READ));
      progress.accept(
          "pair %d: %.1f %% of the changes, %.1f %% of the reads"
              .formatted(i, 100 * changes.getLast().ratio(), 100 * reads.getLast().ratio()));
    }
    return new Result(changes, reads, looks);
  }

  private Pair pair(List<URI> nodes, ShopLoad load, Kind kind)
      throws IOException, InterruptedException {
    Duration half = plan.round().dividedBy(2);
    double before = load.closed(kind, half).perSecond();
    double with = withConsoles(nodes, load, kind, half) + withConsoles(nodes, load, kind, half);
    double after = load.closed(kind, half).perSecond();
    return new Pair((before + after) / 2, with / 2);
  }

  private double withConsoles(List<URI> nodes, ShopLoad load, Kind kind, Duration time)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var open = new ArrayList<Future<Long>>();
      for (int i = 0; i < plan.consoles(); i++) {
        URI node = nodes.get(i % nodes.size());
        for (String path : ASKED) {
          open.add(threads.submit(() -> look(node, path, end)));
        }
      }
      double perSecond = load.closed(kind, time).perSecond();
      for (Future<Long> console : open) {
        looks += console.get();
      }
      return perSecond;
    } catch (ExecutionException e) {
      throw new IOException("a console failed: " + e.getCause(), e.getCause());
    }
  }

  /** {@return how many answers came} */
  private static long look(URI node, String path, long end) throws IOException {
    long answers = 0;
    try (var connection = new HttpConnection(node)) {
      byte[] request = connection.request("GET", path, null, null);
      long due = System.nanoTime();
      while (due - end < 0) {
        HttpConnection.Response answer = connection.send(request);
        if (answer.status() != 200) {
          throw new IOException(path + " was answered " + answer);
        }
        answers++;
        due += BEAT_NANOS;
        for (long early = due - System.nanoTime();
            early > 0 && due - end < 0;
            early = due - System.nanoTime()) {
          LockSupport.parkNanos(early);
        }
      }
    }
    return answers;
  }
}
