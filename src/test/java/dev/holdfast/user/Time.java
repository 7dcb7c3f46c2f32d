package dev.holdfast.user;

import java.time.Duration;

/** The clock of a test. It goes where it is told, also back. */
final class Time {

  /** 2026-01-01T00:00:00Z. */
  static final long START = 1_767_225_600_000L;

  private long now = START;

  long now() {
    return now;
  }

  void passes(Duration duration) {
    now += duration.toMillis();
  }

  void is(long moment) {
    now = moment;
  }
}
