package dev.holdfast.http;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;

/**
 * Times as text, RFC 3339 in UTC with milliseconds only where there are any: what {@link
 * Instant#toString} gives, in a fifth of the time. A session has four of them.
 */
final class Times {

  private static final long DAY = 86_400_000;

  /** Years of four digits; others are left to the formatter. */
  private static final long FIRST = Instant.parse("0000-01-01T00:00:00Z").toEpochMilli();

  private static final long LAST = Instant.parse("9999-12-31T23:59:59.999Z").toEpochMilli();

  private Times() {}

  /**
   * {@return the text}
   *
   * @param millis since 1970
   */
  static String text(long millis) {
    if (millis < FIRST || millis > LAST) {
      return Instant.ofEpochMilli(millis).toString();
    }
    LocalDate date = LocalDate.ofEpochDay(Math.floorDiv(millis, DAY));
    int time = (int) Math.floorMod(millis, DAY);
    int fraction = time % 1_000;
    byte[] text = new byte[fraction == 0 ? 20 : 24];
    digits(text, 0, 4, date.getYear());
    text[4] = '-';
    digits(text, 5, 2, date.getMonthValue());
    text[7] = '-';
    digits(text, 8, 2, date.getDayOfMonth());
    text[10] = 'T';
    digits(text, 11, 2, time / 3_600_000);
    text[13] = ':';
    digits(text, 14, 2, time / 60_000 % 60);
    text[16] = ':';
    digits(text, 17, 2, time / 1_000 % 60);
    if (fraction != 0) {
      text[19] = '.';
      digits(text, 20, 3, fraction);
    }
    text[text.length - 1] = 'Z';
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  private static void digits(byte[] text, int at, int count, int number) {
    int rest = number;
    for (int i = at + count - 1; i >= at; i--) {
      text[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }
}
