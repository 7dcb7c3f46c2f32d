package dev.holdfast.drill;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;

/**
 * What a number of times were, in milliseconds.
 *
 * @param count how many
 * @param p50 half of them were at most this
 * @param p99 99 % of them were at most this
 * @param max the longest
 */
public record Quantiles(long count, double p50, double p99, double max) {

  /** Those of some times in milliseconds; all zero if there are none. */
  static Quantiles of(Collection<Double> millis) {
    double[] sorted = millis.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted.length == 0
        ? new Quantiles(0, 0, 0, 0)
        : new Quantiles(
            sorted.length, at(sorted, 0.5), at(sorted, 0.99), sorted[sorted.length - 1]);
  }

  private static double at(double[] sorted, double share) {
    int rank = (int) Math.ceil(share * sorted.length);
    return Arrays.stream(sorted).skip(Math.max(0, rank - 1)).findFirst().orElse(0);
  }

  /** {@return the three of them in seconds, for people} */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "p50 %.2f s, p99 %.2f s, max %.2f s", p50 / 1e3, p99 / 1e3, max / 1e3);
  }
}
