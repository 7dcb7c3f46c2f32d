package dev.holdfast.local;

import dev.holdfast.local.ShopLoad.Kind;
import dev.holdfast.local.ShopLoad.Round;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Measures one node with its embedded journal: durable changes of a cart line, reads of a session,
 * and the heap that an idle user takes.
 *
 * <p>Load is a closed loop of {@link ShopLoad}. Writes and reads alternate, round by round, after a
 * warm-up of both; what is told are the medians of the rounds with their least and greatest.
 */
public final class NodeBenchmark {

  private static final int HEAP_USERS_A_STEP = 10_000;

  /** By then nobody has asked for them long enough, and all of them are packed. */
  private static final long IDLE_SECONDS = 20;

  /**
   * How to measure.
   *
   * @param connections each with one request in hand
   * @param usersAConnection the users that a connection asks for
   * @param warmUp of both kinds of requests together
   * @param round of each kind
   */
  public record Plan(
      int connections, int usersAConnection, Duration warmUp, Duration round, int rounds) {}

  /**
   * What was measured.
   *
   * @param heapBytesAUser of an idle known user with one session and a cart of five lines
   */
  public record Result(List<Round> writes, List<Round> reads, double heapBytesAUser) {
    public Result {
      writes = List.copyOf(writes);
      reads = List.copyOf(reads);
    }
  }

  private final Plan plan;
  private final Consumer<String> progress;

  /**
   * A measurement.
   *
   * @param progress is told what is being done
   */
  public NodeBenchmark(Plan plan, Consumer<String> progress) {
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Starts a node, measures it and ends it.
   *
   * @param data an empty folder
   * @throws IOException if the node cannot be started, or gives a wrong answer
   */
  public Result run(Path data, List<String> jvmOptions) throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.start(data, jvmOptions, Map.of());
        var load = new ShopLoad(List.of(node.url()), plan.connections(), "bench")) {
      progress.accept("opening " + plan.connections() * plan.usersAConnection() + " users");
      load.open(plan.usersAConnection());
      progress.accept("warming up for " + plan.warmUp().toSeconds() + " s");
      for (int i = 0; i < 4; i++) {
        load.closed(i % 2 == 0 ? Kind.CHANGE : Kind.READ, plan.warmUp().dividedBy(4));
      }
      var writes = new ArrayList<Round>();
      var reads = new ArrayList<Round>();
      for (int i = 1; i <= plan.rounds(); i++) {
        writes.add(load.closed(Kind.CHANGE, plan.round()));
        reads.add(load.closed(Kind.READ, plan.round()));
        progress.accept(
            "round %d: %,.0f changes/s, %,.0f reads/s"
                .formatted(i, writes.getLast().perSecond(), reads.getLast().perSecond()));
      }
      progress.accept("measuring the heap of idle users");
      return new Result(writes, reads, heapBytesAUser(node, load));
    }
  }

  /** What so many more users add to the live heap, when the first ones have been paid for. */
  private double heapBytesAUser(NodeProcess node, ShopLoad load)
      throws IOException, InterruptedException {
    int each = HEAP_USERS_A_STEP / plan.connections();
    load.open(each);
    long before = idleHeapBytes(node);
    load.open(each);
    long after = idleHeapBytes(node);
    return (double) (after - before) / ((long) each * plan.connections());
  }

  /** By the second collection the node has let go of what the first one found to be of nobody. */
  private static long idleHeapBytes(NodeProcess node) throws IOException, InterruptedException {
    TimeUnit.SECONDS.sleep(IDLE_SECONDS);
    node.liveHeapBytes();
    TimeUnit.SECONDS.sleep(1);
    return node.liveHeapBytes();
  }
}
