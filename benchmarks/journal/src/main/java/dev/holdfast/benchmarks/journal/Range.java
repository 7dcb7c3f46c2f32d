package dev.holdfast.benchmarks.journal;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The figures of some rounds.
 *
 * @param median of them
 */
record Range(double median, double least, double greatest) {

  static <T> Range of(List<T> rounds, ToDoubleFunction<T> figure) {
    double[] sorted = rounds.stream().mapToDouble(figure).sorted().toArray();
    int half = sorted.length / 2;
    double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    return new Range(median, sorted[0], sorted[sorted.length - 1]);
  }

  /** The median, and the least and greatest in brackets. */
  String text(String form) {
    return String.format(
        Locale.ROOT, form + " (" + form + "–" + form + ")", median, least, greatest);
  }
}
