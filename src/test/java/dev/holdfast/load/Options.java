package dev.holdfast.load;

import java.time.Duration;

/**
 * The settings of a simulation, system properties all.
 *
 * @param users visits that begin each second, or users at a time where the simulation says so
 * @param duration of the load
 * @param p99 milliseconds that 99 % of the requests may take; the simulation fails otherwise
 */
record Options(int users, Duration duration, int p99) {

  /** {@return what was given by {@code -Dholdfast.load.users} and the like, or these} */
  static Options or(int users, int seconds, int p99) {
    return new Options(
        Integer.getInteger("holdfast.load.users", users),
        Duration.ofSeconds(Integer.getInteger("holdfast.load.seconds", seconds)),
        Integer.getInteger("holdfast.load.p99", p99));
  }
}
