package dev.holdfast.entity;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts the users in memory of this node, and lists those among them that cannot be read. */
public final class Population {

  private static final Logger LOG = LoggerFactory.getLogger(Population.class);

  private final AwakeUsers awake = new AwakeUsers(System::nanoTime);
  private final LocalUsers local = new LocalUsers();
  private final LongAdder arrived = new LongAdder();
  private final LongAdder left = new LongAdder();
  private final LongAdder reloaded = new LongAdder();
  private final AtomicLong seenHistory = new AtomicLong(Long.MIN_VALUE);
  private final UnreadableUsers unreadable = new UnreadableUsers();

  /** {@return those whose state is not packed} */
  public AwakeUsers awake() {
    return awake;
  }

  /** {@return those whom requests reach without the shard region} */
  public LocalUsers local() {
    return local;
  }

  void arrived() {
    arrived.increment();
  }

  void left() {
    left.increment();
  }

  /** Counts a user who was read anew, and logs the first one of each number of the history. */
  void reloaded(long history) {
    reloaded.increment();
    if (seenHistory.getAndAccumulate(history, Math::max) < history) {
      LOG.warn(
          "the journal's history may have changed (number {}): users in memory are read anew when"
              + " they are asked for",
          history);
    }
  }

  /** {@return how many actors in memory were read anew as the journal's history had changed} */
  public long reloads() {
    return reloaded.sum();
  }

  /** {@return the users whose log cannot be read} */
  public UnreadableUsers unreadable() {
    return unreadable;
  }

  /** {@return how many were brought into memory since this node was started} */
  public long started() {
    return arrived.sum();
  }

  /** {@return how many are in memory now} */
  public long inMemory() {
    return Math.max(0, arrived.sum() - left.sum());
  }
}
