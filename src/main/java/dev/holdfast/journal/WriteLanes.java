package dev.holdfast.journal;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * As many batches at a time as the store is good for, and as few as the load needs: another batch
 * costs client and server as much as a larger one, so a lane is used only while those before it
 * have a good batch waiting. An owner whose write is under way stays on its lane, so its writes
 * keep their order, and two batches on their way never meet on an owner.
 */
final class WriteLanes implements JournalHealth, AutoCloseable {

  /** A lane on which so many writes wait has its next batch, and the rest may go elsewhere. */
  private static final int GOOD_BATCH = 64;

  private final List<GroupCommit> lanes = new ArrayList<>();

  /** The owners with writes under way; only where there is more than one lane. */
  private final ConcurrentHashMap<Owner, Place> places = new ConcurrentHashMap<>();

  private record Place(GroupCommit lane, int writes) {}

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
    if (lanes.size() == 1) {
      return lanes.getFirst().write(write);
    }
    Owner owner = write.owner();
    Place place =
        places.compute(
            owner,
            (_, before) ->
                before == null
                    ? new Place(freeLane(), 1)
                    : new Place(before.lane, before.writes + 1));
    return place
        .lane
        .write(write)
        .whenComplete((_, _) ->
            places.computeIfPresent(
                owner,
                (_, before) ->
                    before.writes == 1 ? null : new Place(before.lane, before.writes - 1)));
  }

  /** The first one that can do with another write for its next batch, else the one with fewest. */
  private GroupCommit freeLane() {
    GroupCommit shortest = lanes.getFirst();
    for (GroupCommit lane : lanes) {
      if (lane.queuedWrites() < GOOD_BATCH) {
        return lane;
      }
      if (lane.queuedWrites() < shortest.queuedWrites()) {
        shortest = lane;
      }
    }
    return shortest;
  }

  /** All on one lane, which has batches whenever any has: they ride along. */
  boolean offer(SnapshotWrite snapshot, long history) {
    return lanes.getFirst().offer(snapshot, history);
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
