package dev.holdfast.telemetry;

import java.util.concurrent.atomic.LongAdder;

/**
 * Counts values by size, in buckets with fixed bounds. Many threads may record at the same time,
 * and none waits for another. What is read meanwhile need not be of one moment.
 */
public final class Histogram {

  /**
   * The scale of values.
   *
   * <p>The bounds are part of what nodes tell each other: new bounds are a new version of that
   * message.
   */
  public enum Scale {
    /** Durations in nanoseconds, from half a millisecond to ten seconds. */
    NANOS(
        500_000L,
        1_000_000L,
        2_000_000L,
        3_000_000L,
        5_000_000L,
        7_500_000L,
        10_000_000L,
        20_000_000L,
        30_000_000L,
        50_000_000L,
        100_000_000L,
        200_000_000L,
        500_000_000L,
        1_000_000_000L,
        2_000_000_000L,
        5_000_000_000L,
        10_000_000_000L),
    /** How many things there are in something, from one to a thousand. */
    COUNT(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000);

    @SuppressWarnings("ImmutableEnumChecker") // never changed, and never handed out
    private final long[] bounds;

    Scale(long... bounds) {
      this.bounds = bounds;
    }

    /** {@return how many bounds there are; there is one bucket more, for what is above the last} */
    public int size() {
      return bounds.length;
    }

    /** {@return the greatest value of a bucket, from 0 to {@link #size} - 1} */
    public long bound(int bucket) {
      return bounds[bucket];
    }

    private int bucketOf(long value) {
      int bucket = 0;
      while (bucket < bounds.length && value > bounds[bucket]) {
        bucket++;
      }
      return bucket;
    }
  }

  private final Scale scale;
  private final LongAdder[] counts;
  private final LongAdder sum = new LongAdder();

  public Histogram(Scale scale) {
    this.scale = scale;
    this.counts = new LongAdder[scale.size() + 1];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  /** Counts a value, in the unit of the scale. */
  public void record(long value) {
    counts[scale.bucketOf(value)].increment();
    sum.add(value);
  }

  /** {@return what was recorded so far} */
  public Distribution read() {
    long[] read = new long[counts.length];
    for (int i = 0; i < read.length; i++) {
      read[i] = counts[i].sum();
    }
    return new Distribution(scale, read, sum.sum());
  }
}
