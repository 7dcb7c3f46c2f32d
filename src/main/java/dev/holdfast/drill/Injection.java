package dev.holdfast.drill;

import dev.holdfast.cluster.NodeStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One fault: to whom it is done, when, and how the cluster is made whole again. */
final class Injection implements AutoCloseable {

  /** A node that was excluded while it did nothing must end by itself when it goes on. */
  private static final Duration ENDING_BY_ITSELF = Duration.ofSeconds(30);

  /** As long as a node may take to hand over and end. */
  private static final Duration LEAVING = Duration.ofSeconds(60);

  private static final Duration MOVING = Duration.ofSeconds(60);
  private static final long LOOK_NANOS = 5_000_000;
  private static final int MORE = 2;

  private final DrillPlan plan;
  private final Fault fault;
  private final DrillCluster cluster;
  private final Entrances entrances;
  private final Random random;
  private final @Nullable DrillNode spared;
  private final ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor();

  /** Whose process is killed or told to end. */
  private final List<DrillNode> ending = new ArrayList<>();

  /** Who is stopped. */
  private final List<DrillNode> hung = new ArrayList<>();

  /** Who is cut off from the others. */
  private final List<DrillNode> cut = new ArrayList<>();

  /** Who came for this fault only. */
  private final List<DrillNode> guests = new ArrayList<>();

  private final List<String> remarks = new ArrayList<>();
  private @Nullable Future<?> lasting;
  private String what = "nothing";
  private volatile long at;
  private volatile boolean done;

  /**
   * @param spared to whom nothing is done, or null
   */
  Injection(
      DrillPlan plan,
      Fault fault,
      DrillCluster cluster,
      Entrances entrances,
      Random random,
      @Nullable DrillNode spared) {
    this.plan = plan;
    this.fault = fault;
    this.cluster = cluster;
    this.entrances = entrances;
    this.random = random;
    this.spared = spared;
  }

  // ---------------------------------------------------------------------------------------------
  // Before

  /** Chooses to whom it will be done, and has all there that it needs. */
  void prepare() throws IOException, InterruptedException {
    DrillNode oldest = cluster.oldest();
    var others = new ArrayList<>(cluster.nodes());
    others.remove(oldest);
    others.remove(spared);
    Collections.shuffle(others, random);
    switch (fault) {
      case CRASH, CRASH_MOVING, LEAVE -> ending.add(others.getFirst());
      case CRASH_OLDEST -> ending.add(oldest.equals(spared) ? others.getFirst() : oldest);
      case CRASH_TWO, SCALE_IN -> ending.addAll(others.subList(0, 2));
      case PARTITION_TWO -> cut.addAll(others.subList(0, 2));
      case HANG -> hung.add(others.getFirst());
      case PARTITION, ONE_WAY, REJECT -> cut.add(others.getFirst());
      case HANG_CRASH -> {
        hung.add(others.getFirst());
        ending.add(others.getLast());
      }
      case ROLLING -> {
        ending.addAll(others);
        ending.add(oldest);
      }
      case SCALE_OUT, JOURNAL_DOWN -> {}
    }
  }

  // ---------------------------------------------------------------------------------------------
  // The fault

  /**
   * Does it, or begins with it: see {@link #isOver}.
   *
   * @throws IOException if it cannot be done
   */
  void inject() throws IOException, InterruptedException {
    what = describe();
    if (fault == Fault.CRASH_MOVING) {
      invite(1);
      awaitMoving();
    }
    at = System.nanoTime();
    done = true;
    switch (fault) {
      case CRASH, CRASH_OLDEST, CRASH_TWO, CRASH_MOVING -> ending.forEach(DrillNode::kill);
      case HANG, HANG_CRASH -> {
        ending.forEach(DrillNode::kill);
        for (DrillNode node : hung) {
          node.hang();
        }
      }
      case PARTITION, PARTITION_TWO, ONE_WAY -> {
        Set<String> away = nameSet(cut);
        Set<String> others = nameSet(cluster.nodes());
        others.removeAll(away);
        cluster.relay().cut(away, others, fault == Fault.ONE_WAY);
        away.forEach(name -> entrances.cutOff(name, true));
      }
      case REJECT -> {
        for (DrillNode node : cut) {
          cluster.relay().refuse(node.name());
        }
      }
      case LEAVE, SCALE_IN -> {
        ending.forEach(DrillNode::terminate);
        lasting = thread.submit(() -> awaitEnds(ending));
      }
      case ROLLING -> lasting = thread.submit(this::roll);
      case SCALE_OUT -> {
        invite(MORE);
        lasting =
            thread.submit(() -> {
              cluster.awaitBalance();
              return null;
            });
      }
      case JOURNAL_DOWN ->
          lasting =
              thread.submit(() -> {
                JournalTurn.hold(plan.data(), plan.hold());
                return null;
              });
    }
  }

  private String describe() {
    String names = names(ending);
    return switch (fault) {
      case CRASH, CRASH_TWO -> names + " killed";
      case CRASH_OLDEST -> names + " killed, the oldest";
      case CRASH_MOVING -> names + " killed while users moved to a new node";
      case HANG -> names(hung) + " stopped";
      case HANG_CRASH -> names(hung) + " stopped and " + names + " killed";
      case PARTITION, PARTITION_TWO -> names(cut) + " cut off";
      case ONE_WAY -> "nothing from " + names(cut) + " arrives";
      case REJECT -> "a firewall refuses connections to " + names(cut);
      case LEAVE, SCALE_IN -> names + " told to end";
      case ROLLING -> names + " restarted in this order";
      case SCALE_OUT -> MORE + " more nodes";
      case JOURNAL_DOWN -> "the journal taken away for " + plan.hold().toSeconds() + " s";
    };
  }

  private static String names(List<DrillNode> nodes) {
    return nodes.stream().map(DrillNode::name).collect(Collectors.joining(" and "));
  }

  private void invite(int count) throws IOException {
    for (DrillNode guest : cluster.start(count)) {
      guests.add(guest);
      entrances.add(guest);
    }
  }

  private void awaitMoving() throws IOException, InterruptedException {
    long end = System.nanoTime() + MOVING.toNanos();
    String guest = guests.getFirst().name();
    while (System.nanoTime() - end < 0) {
      for (NodeStatus node : cluster.view(cluster.nodes().getFirst()).nodes()) {
        if (node.name().equals(guest) && node.shards().orElse(0) > 0) {
          return;
        }
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    throw new IOException("no users were moved to " + guest);
  }

  private @Nullable Void awaitEnds(List<DrillNode> nodes) throws InterruptedException {
    for (DrillNode node : nodes) {
      if (!node.awaitEnd(LEAVING)) {
        remarks.add(node + " did not end within " + LEAVING.toSeconds() + " s");
        node.kill();
      } else if (node.status() != 0) {
        remarks.add(node + " ended with status " + node.status());
      }
    }
    return null;
  }

  private @Nullable Void roll() throws IOException, InterruptedException {
    for (DrillNode node : ending) {
      node.terminate();
      awaitEnds(List.of(node));
      node.start();
      cluster.awaitBalance();
    }
    return null;
  }

  /**
   * {@return whether all was done that takes its time}
   *
   * @throws IOException if it failed
   */
  boolean isOver() throws IOException, InterruptedException {
    Future<?> doing = lasting;
    if (doing != null && doing.isDone()) {
      try {
        doing.get();
      } catch (ExecutionException e) {
        throw new IOException(String.valueOf(e.getCause()), e);
      }
    }
    return doing == null || doing.isDone();
  }

  // ---------------------------------------------------------------------------------------------
  // After

  /**
   * Ends the fault, and makes the cluster whole again as far as that takes no waiting for it: see
   * {@link #restore}.
   */
  void heal(Consumer<String> progress, Runnable beforeRestart)
      throws IOException, InterruptedException {
    if (!cut.isEmpty()) {
      cluster.relay().heal();
      progress.accept("the network is whole again");
    }
    for (DrillNode node : hung) {
      if (node.isAlive()) {
        node.wake();
        progress.accept(node + " goes on");
      } else {
        progress.accept(node + " was ended by another one, which it kept from the journal");
      }
    }
    var excluded = new ArrayList<>(hung);
    if (fault != Fault.REJECT) {
      excluded.addAll(cut);
    }
    for (DrillNode node : excluded) {
      if (!node.awaitEnd(ENDING_BY_ITSELF)) {
        remarks.add(
            "%s did not end within %d s after it went on"
                .formatted(node, ENDING_BY_ITSELF.toSeconds()));
        node.kill();
        node.awaitEnd(ENDING_BY_ITSELF);
      }
    }
    beforeRestart.run();
    for (DrillNode node : cut) {
      entrances.cutOff(node.name(), false);
    }
    switch (fault) {
      case CRASH, CRASH_OLDEST, CRASH_TWO, CRASH_MOVING -> restart();
      case HANG, HANG_CRASH, PARTITION, PARTITION_TWO, ONE_WAY, LEAVE -> {
        for (DrillNode node : excluded) {
          node.start();
        }
        restart();
      }
      case SCALE_IN -> restart();
      case REJECT, ROLLING, SCALE_OUT, JOURNAL_DOWN -> {}
    }
  }

  private void restart() throws IOException, InterruptedException {
    for (DrillNode node : ending) {
      node.awaitEnd(ENDING_BY_ITSELF);
      node.start();
    }
  }

  /** Sends away who came for this fault only. */
  void restore() throws IOException, InterruptedException {
    for (DrillNode guest : guests) {
      cluster.awaitBalance();
      guest.close();
      cluster.remove(guest);
      entrances.remove(guest.name());
    }
    cluster.awaitBalance();
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  // ---------------------------------------------------------------------------------------------

  boolean isDone() {
    return done;
  }

  /** {@return the moment just before it, by {@link System#nanoTime}} */
  long at() {
    return at;
  }

  String what() {
    return what;
  }

  /** {@return what went otherwise than it should, beside the load} */
  List<String> remarks() {
    return List.copyOf(remarks);
  }

  /** {@return how long it lasts before it is healed, at least} */
  Duration lasts() {
    return hung.isEmpty() && cut.isEmpty() ? Duration.ZERO : plan.hold();
  }

  /** {@return the nodes that lose their users by it, without handing them over} */
  Set<String> lost() {
    return switch (fault) {
      case CRASH, CRASH_OLDEST, CRASH_TWO, CRASH_MOVING -> faulty();
      case HANG, HANG_CRASH, PARTITION, PARTITION_TWO, ONE_WAY -> faulty();
      case REJECT -> Set.of(); // perhaps it keeps them
      case LEAVE, ROLLING, SCALE_OUT, SCALE_IN, JOURNAL_DOWN -> Set.of();
    };
  }

  /** {@return the nodes at which requests may fail by it} */
  Set<String> faulty() {
    return switch (fault) {
      case CRASH, CRASH_OLDEST, CRASH_TWO, CRASH_MOVING -> nameSet(ending);
      case HANG, HANG_CRASH -> {
        Set<String> all = nameSet(ending);
        all.addAll(nameSet(hung));
        yield all;
      }
      case PARTITION, PARTITION_TWO, ONE_WAY, REJECT -> nameSet(cut);
      case LEAVE, ROLLING, SCALE_OUT, SCALE_IN, JOURNAL_DOWN -> Set.of();
    };
  }

  /**
   * {@return the node that others may go on asking though it is cut off or hangs, if there is one}
   */
  Optional<DrillNode> asked() {
    return Stream.concat(hung.stream(), cut.stream()).findFirst();
  }

  private static Set<String> nameSet(List<DrillNode> nodes) {
    return nodes.stream().map(DrillNode::name).collect(Collectors.toCollection(HashSet::new));
  }
}
