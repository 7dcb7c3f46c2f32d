package dev.holdfast.journal;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * How long events are kept, and how fast those that are not kept are deleted. The keys and their
 * defaults are in {@code reference.conf} under {@code holdfast.journal.retention}, each with its
 * reason.
 *
 * @param history how long an event is kept at least, if its owner does not have too many; two days
 *     or more
 * @param maxEvents most events kept of one owner, of those that a snapshot includes
 * @param pagesPerSecond how often a page of owners is looked at while a sweep is under way
 * @param pageWork owners looked at and rows deleted in one page, together
 * @param pause from the end of a sweep to the beginning of the next
 */
public record RetentionSettings(
    Duration history, long maxEvents, int pagesPerSecond, int pageWork, Duration pause) {

  /**
   * Above the day for which a log-in may be on its way: what it relies on must not be deleted
   * before it has ended.
   */
  static final Duration LEAST_HISTORY = Duration.ofDays(2);

  public RetentionSettings {
    if (history.compareTo(LEAST_HISTORY) < 0 || history.toDays() > 3_650) {
      throw new IllegalArgumentException(
          "holdfast.journal.retention.history must be from 2 to 3650 days, not " + history);
    }
    within(maxEvents, 100, Integer.MAX_VALUE, "max-events");
    within(pagesPerSecond, 1, 1_000, "pages-per-second");
    within(pageWork, 1, 100_000, "page");
    within(pause.toMillis(), 1, Duration.ofDays(1).toMillis(), "pause");
  }

  private static void within(long value, long least, long greatest, String key) {
    if (value < least || value > greatest) {
      throw new IllegalArgumentException(
          "holdfast.journal.retention."
              + key
              + " must be from "
              + least
              + " to "
              + greatest
              + ", not "
              + value);
    }
  }

  /**
   * Reads {@code holdfast.journal.retention} from {@code config}.
   *
   * @throws com.typesafe.config.ConfigException if a key is missing or has the wrong type
   * @throws IllegalArgumentException if a value is out of range
   */
  public static RetentionSettings from(Config config) {
    Config retention = config.getConfig("holdfast.journal.retention");
    return new RetentionSettings(
        retention.getDuration("history"),
        retention.getLong("max-events"),
        retention.getInt("pages-per-second"),
        retention.getInt("page"),
        retention.getDuration("pause"));
  }
}
