package dev.holdfast.telemetry;

import java.util.Arrays;
import java.util.Objects;

/** What a {@link Histogram} had counted at some moment. Immutable. */
public final class Distribution {

  private final Histogram.Scale scale;
  private final long[] counts;
  private final long sum;

  /**
   * A distribution.
   *
   * @param counts of each bucket of the scale by itself, and last of what is above them all
   * @param sum of all values, in the unit of the scale
   */
  public Distribution(Histogram.Scale scale, long[] counts, long sum) {
    if (counts.length != scale.size() + 1) {
      throw new IllegalArgumentException(
          counts.length + " counts; " + scale + " has " + (scale.size() + 1));
    }
    this.scale = scale;
    this.counts = counts.clone();
    this.sum = sum;
  }

  /** {@return one without any values} */
  public static Distribution none(Histogram.Scale scale) {
    return new Distribution(scale, new long[scale.size() + 1], 0);
  }

  public Histogram.Scale scale() {
    return scale;
  }

  /** {@return how many values lie in a bucket, from 0 to the scale's size} */
  public long count(int bucket) {
    return counts[bucket];
  }

  /** {@return how many values there are} */
  public long count() {
    return Arrays.stream(counts).sum();
  }

  /** {@return the sum of the values, in the unit of the scale} */
  public long sum() {
    return sum;
  }

  /** {@return both together} */
  public Distribution plus(Distribution other) {
    if (other.scale != scale) {
      throw new IllegalArgumentException(other.scale + " and " + scale + " do not add up");
    }
    long[] total = counts.clone();
    for (int i = 0; i < total.length; i++) {
      total[i] += other.counts[i];
    }
    return new Distribution(scale, total, sum + other.sum);
  }

  /**
   * {@return what has come since}
   *
   * @param earlier of the same histogram
   */
  public Distribution minus(Distribution earlier) {
    long[] since = counts.clone();
    for (int i = 0; i < since.length; i++) {
      since[i] = Math.max(0, since[i] - earlier.counts[i]);
    }
    return new Distribution(scale, since, Math.max(0, sum - earlier.sum));
  }

  /**
   * {@return a value that this share of all values does not exceed: by linear interpolation within
   * its bucket, at most the last bound; 0 where there are no values}
   *
   * @param share above 0, at most 1; 0.99 for the 99th percentile
   */
  public double quantile(double share) {
    double rank = share * count();
    long below = 0;
    for (int i = 0; i < scale.size(); i++) {
      if (counts[i] > 0 && below + counts[i] >= rank) {
        long from = i == 0 ? 0 : scale.bound(i - 1);
        return from + (scale.bound(i) - from) * (rank - below) / counts[i];
      }
      below += counts[i];
    }
    return count() == 0 ? 0 : scale.bound(scale.size() - 1);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Distribution that
        && that.scale == scale
        && that.sum == sum
        && Arrays.equals(that.counts, counts);
  }

  @Override
  public int hashCode() {
    return Objects.hash(scale, sum, Arrays.hashCode(counts));
  }

  @Override
  public String toString() {
    return scale + " " + Arrays.toString(counts) + ", sum " + sum;
  }
}
