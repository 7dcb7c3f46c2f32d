package dev.holdfast.faults;

import java.util.Random;

/** Where all that is random in a test comes from. */
final class Seed {

  private Seed() {}

  /** {@return a new seed, printed; or that of the system property {@code holdfast.seed}} */
  static long ofThisRun() {
    long seed = Long.getLong("holdfast.seed", new Random().nextLong());
    System.out.println("seed: -Dholdfast.seed=" + seed);
    return seed;
  }
}
