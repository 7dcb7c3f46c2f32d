package dev.holdfast.feed;

import java.time.Duration;
import java.time.Instant;

/** Times and durations of the journal as text: RFC 3339 in UTC, ISO 8601. */
public final class Moments {

  private Moments() {}

  /** {@return the moment, or {@code never} for one beyond the calendar} */
  public static String text(long millis) {
    return millis == Long.MAX_VALUE ? "never" : Instant.ofEpochMilli(millis).toString();
  }

  public static String duration(long millis) {
    return Duration.ofMillis(millis).toString();
  }
}
