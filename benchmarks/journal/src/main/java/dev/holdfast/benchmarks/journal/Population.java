package dev.holdfast.benchmarks.journal;

import dev.holdfast.journal.Owner;
import java.util.SplittableRandom;

/**
 * Owners of random 128-bit keys, the same in every process: those of one seed are others than those
 * of another.
 */
final class Population {

  /** Whose events are in the store before anybody measures. */
  static final long EARLIER = 1;

  /** Who writes. */
  static final long WRITERS = 2;

  /** Who is recovered and measured. */
  static final long RECOVERED = 3;

  /** Who is recovered to warm a process up. */
  static final long WARMING = 4;

  /** Whose requests are timed while others recover. */
  static final long PROBED = 5;

  private final long[] keys;

  Population(long seed, int size) {
    keys = new long[2 * size];
    var random = new SplittableRandom(seed);
    for (int i = 0; i < keys.length; i++) {
      keys[i] = random.nextLong();
    }
  }

  int size() {
    return keys.length / 2;
  }

  Owner owner(int index) {
    return new Owner(keys[2 * index], keys[2 * index + 1]);
  }

  /** The persistence id. */
  String id(int index) {
    return owner(index).toString();
  }
}
