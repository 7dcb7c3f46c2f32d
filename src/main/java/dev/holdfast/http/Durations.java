package dev.holdfast.http;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations in ISO 8601, of days, hours, minutes and whole seconds: {@code P7D}, {@code PT30M}. */
final class Durations {

  private static final Pattern TEXT =
      Pattern.compile(
          "P(?=[0-9T])(?:([0-9]{1,9})D)?"
              + "(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?");
  private static final long SECOND = 1_000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  private Durations() {}

  /**
   * {@return the duration in milliseconds}
   *
   * @throws IllegalArgumentException if it is none; the message says what one is
   */
  static long parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "must be an ISO 8601 duration of days, hours, minutes and whole seconds, such as PT30M");
    }
    return part(parts, 1) * DAY
        + part(parts, 2) * HOUR
        + part(parts, 3) * MINUTE
        + part(parts, 4) * SECOND;
  }

  private static long part(Matcher parts, int group) {
    String digits = parts.group(group);
    return digits == null ? 0 : Long.parseLong(digits);
  }

  /** {@return the text of a duration of whole seconds, in the largest units} */
  static String text(long millis) {
    var text = new StringBuilder("P");
    append(text, millis / DAY, 'D');
    if (millis % DAY != 0 || millis < DAY) {
      text.append('T');
      append(text, millis % DAY / HOUR, 'H');
      append(text, millis % HOUR / MINUTE, 'M');
      append(text, millis % MINUTE / SECOND, 'S');
      if (text.length() == 2) {
        text.append("0S");
      }
    }
    return text.toString();
  }

  private static void append(StringBuilder text, long count, char unit) {
    if (count != 0) {
      text.append(count).append(unit);
    }
  }
}
