package dev.holdfast.entity;

import java.util.concurrent.atomic.LongAdder;

/** Counts the users' actors of this node. */
public final class Population {

  private final LongAdder arrived = new LongAdder();
  private final LongAdder left = new LongAdder();

  void arrived() {
    arrived.increment();
  }

  void left() {
    left.increment();
  }

  /** {@return how many actors were started since this node was} */
  public long started() {
    return arrived.sum();
  }

  /** {@return how many are in memory now} */
  public long inMemory() {
    return Math.max(0, arrived.sum() - left.sum());
  }
}
