package dev.holdfast.user;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The one text of 128 bits: 22 characters of base64url without padding (RFC 4648, section 5), each
 * of six bits, the highest first, of which the last character's lowest four are zero. Ids are read
 * and written for each request and for each receipt of a user who comes back, so this takes no way
 * over arrays of bytes.
 */
final class IdText {

  private static final int LENGTH = 22;

  private static final byte[] DIGITS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
          .getBytes(StandardCharsets.US_ASCII);

  /** The six bits of an ASCII character, -1 where it has none. */
  private static final byte[] BITS = new byte[128];

  static {
    Arrays.fill(BITS, (byte) -1);
    for (int i = 0; i < DIGITS.length; i++) {
      BITS[DIGITS[i]] = (byte) i;
    }
  }

  private IdText() {}

  /** {@return the text} */
  static String of(long high, long low) {
    byte[] text = new byte[LENGTH];
    for (int i = 0; i < 10; i++) {
      text[i] = DIGITS[(int) (high >>> (58 - 6 * i)) & 63];
    }
    text[10] = DIGITS[(int) (((high & 15) << 2) | (low >>> 62))];
    for (int i = 11; i < 21; i++) {
      text[i] = DIGITS[(int) (low >>> (56 - 6 * (i - 11))) & 63];
    }
    text[21] = DIGITS[(int) (low & 3) << 4];
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  /**
   * {@return the upper 64 bits}
   *
   * @throws IllegalArgumentException if the text is none that {@link #of} writes
   */
  static long high(String text) {
    if (text.length() != LENGTH) {
      throw noId();
    }
    long bits = 0;
    for (int i = 0; i < 10; i++) {
      bits = (bits << 6) | bits(text, i);
    }
    return (bits << 4) | (bits(text, 10) >>> 2);
  }

  /**
   * {@return the lower 64 bits}
   *
   * @throws IllegalArgumentException if the text is none that {@link #of} writes
   */
  static long low(String text) {
    if (text.length() != LENGTH || (bits(text, 21) & 15) != 0) {
      throw noId();
    }
    long bits = bits(text, 10) & 3;
    for (int i = 11; i < 21; i++) {
      bits = (bits << 6) | bits(text, i);
    }
    return (bits << 2) | (bits(text, 21) >>> 4);
  }

  private static int bits(String text, int at) {
    char c = text.charAt(at);
    int bits = c < BITS.length ? BITS[c] : -1;
    if (bits < 0) {
      throw noId();
    }
    return bits;
  }

  private static IllegalArgumentException noId() {
    return new IllegalArgumentException("must be 22 characters of base64url");
  }
}
