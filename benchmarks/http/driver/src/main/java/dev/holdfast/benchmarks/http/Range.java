package dev.holdfast.benchmarks.http;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The median of some figures, with the least and the greatest. */
record Range(double least, double median, double greatest) {

  static <T> Range of(List<T> all, ToDoubleFunction<T> figure) {
    double[] sorted = all.stream().mapToDouble(figure).sorted().toArray();
    return new Range(sorted[0], sorted[sorted.length / 2], sorted[sorted.length - 1]);
  }

  /**
   * @param form of each figure
   */
  String text(String form) {
    return String.format(
        Locale.ROOT, form + " (" + form + "–" + form + ")", median, least, greatest);
  }
}
