package dev.holdfast.benchmarks.journal;

import java.util.Arrays;
import java.util.List;

/** Nanoseconds, gathered by one thread at a time. */
final class Samples {

  private long[] nanos = new long[1 << 10];
  private int count;

  void add(long taken) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = taken;
  }

  int count() {
    return count;
  }

  static long[] all(List<Samples> samples) {
    return samples.stream().flatMapToLong(one -> Arrays.stream(one.nanos, 0, one.count)).toArray();
  }
}
