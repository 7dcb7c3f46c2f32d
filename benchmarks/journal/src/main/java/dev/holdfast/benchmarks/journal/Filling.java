package dev.holdfast.benchmarks.journal;

import java.util.Arrays;
import java.util.SplittableRandom;

/** The order in which a store is filled in bulk. */
final class Filling {

  private static final int BATCH = 500;

  private Filling() {}

  /** Takes owners whose event of one number is to be written. */
  @FunctionalInterface
  interface Sink {
    /** Writes event {@code number} of the owners with these indexes. */
    void write(int[] owners, int number) throws Exception;
  }

  static void run(int owners, int events, Sink sink) throws Exception {
    var random = new SplittableRandom(owners);
    int[] order = new int[owners];
    Arrays.setAll(order, i -> i);
    for (int number = 1; number <= events; number++) {
      for (int i = owners - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
      for (int from = 0; from < owners; from += BATCH) {
        sink.write(Arrays.copyOfRange(order, from, Math.min(owners, from + BATCH)), number);
      }
    }
  }
}
