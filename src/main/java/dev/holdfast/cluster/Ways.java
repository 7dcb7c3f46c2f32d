package dev.holdfast.cluster;

import java.util.concurrent.atomic.LongAdder;

/** Counts by which way users were asked by this node. */
public final class Ways {

  private final LongAdder looked = new LongAdder();
  private final LongAdder here = new LongAdder();
  private final LongAdder peer = new LongAdder();
  private final LongAdder missed = new LongAdder();
  private final LongAdder region = new LongAdder();

  Ways() {}

  void countLook() {
    looked.increment();
  }

  void countHere() {
    here.increment();
  }

  void countPeer() {
    peer.increment();
  }

  void countMissed() {
    missed.increment();
  }

  void countRegion() {
    region.increment();
  }

  /** {@return looks that were decided on what an actor of this node shows} */
  public long looks() {
    return looked.sum();
  }

  /** {@return questions that went straight to an actor of this node} */
  public long here() {
    return here.sum();
  }

  /** {@return questions that went to another node directly} */
  public long peer() {
    return peer.sum();
  }

  /** {@return those of the latter that did not find the user there} */
  public long missed() {
    return missed.sum();
  }

  /** {@return questions that went over the shard region, repeats included} */
  public long region() {
    return region.sum();
  }
}
