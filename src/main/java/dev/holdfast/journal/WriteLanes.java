package dev.holdfast.journal;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * As many batches at a time as the store is good for. Each owner has one lane, so its writes keep
 * their order, and two batches on their way never meet on an owner.
 */
final class WriteLanes implements JournalHealth, AutoCloseable {

  private final List<GroupCommit> lanes = new ArrayList<>();
  private final JournalMetrics metrics =
      new JournalMetrics(
          () -> lanes.stream().mapToInt(GroupCommit::queuedWrites).sum(),
          () -> lanes.stream().mapToInt(GroupCommit::queuedSnapshots).sum());

  /**
   * Lanes that are yet to be started.
   *
   * @param settings bounds of all lanes together
   * @param onFenced called once, whichever lane is the first to find this node fenced
   */
  WriteLanes(
      JournalStore store,
      NodeId node,
      JournalSettings settings,
      InstantSource clock,
      Runnable onFenced) {
    AtomicBoolean fenced = new AtomicBoolean();
    Runnable once =
        () -> {
          if (!fenced.getAndSet(true)) {
            onFenced.run();
          }
        };
    int count = store.batchesAtOnce();
    JournalSettings share = settings.sharedBy(count);
    for (int i = 0; i < count; i++) {
      lanes.add(
          new GroupCommit(
              store, node, share, clock, metrics, "holdfast-journal-writer-" + i, once));
    }
  }

  void start() {
    lanes.forEach(GroupCommit::start);
  }

  JournalMetrics metrics() {
    return metrics;
  }

  /** Available while every lane is: an owner does not know which one is its own. */
  @Override
  public Status now() {
    Status status = lanes.getFirst().now();
    for (int i = 1; i < lanes.size() && status instanceof Available; i++) {
      status = lanes.get(i).now();
    }
    return status;
  }

  CompletableFuture<Void> write(OwnerWrite write) {
    return laneOf(write.owner()).write(write);
  }

  boolean offer(SnapshotWrite snapshot) {
    return laneOf(snapshot.owner()).offer(snapshot);
  }

  /** By the lower bits: the upper ones are alike within a shard. */
  private GroupCommit laneOf(Owner owner) {
    return lanes.get(Math.floorMod(owner.low(), lanes.size()));
  }

  void releaseStalled() {
    lanes.forEach(GroupCommit::releaseStalled);
  }

  /** Takes nothing more, writes what waits, and ends. */
  @Override
  public void close() {
    lanes.forEach(GroupCommit::close);
  }
}
