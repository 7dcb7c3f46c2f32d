package dev.holdfast.journal;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * Whose events they are: 128 bits, in the store 16 bytes, as text 32 lower-case hexadecimal digits.
 * All three forms sort alike, as one unsigned number, so a contiguous range of owners is contiguous
 * in the store.
 *
 * @param high the upper 64 bits
 * @param low the lower 64 bits
 */
public record Owner(long high, long low) implements Comparable<Owner> {

  /** Length of the binary form, in bytes. */
  public static final int BYTES = 16;

  /** The first owner of all. */
  public static final Owner FIRST = new Owner(0L, 0L);

  /** The last owner of all. */
  public static final Owner LAST = new Owner(-1L, -1L);

  private static final int DIGITS = 2 * BYTES;

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if {@code text} is not 32 lower-case hexadecimal digits
   */
  public static Owner parse(String text) {
    if (text.length() != DIGITS) {
      throw notAnOwner(text);
    }
    long high = 0;
    long low = 0;
    for (int i = 0; i < DIGITS; i++) {
      char digit = text.charAt(i);
      int value;
      if (digit >= '0' && digit <= '9') {
        value = digit - '0';
      } else if (digit >= 'a' && digit <= 'f') {
        value = digit - 'a' + 10;
      } else {
        throw notAnOwner(text);
      }
      if (i < DIGITS / 2) {
        high = high << 4 | value;
      } else {
        low = low << 4 | value;
      }
    }
    return new Owner(high, low);
  }

  /**
   * Reads the binary form.
   *
   * @throws IllegalArgumentException if {@code bytes} are not 16
   */
  public static Owner of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("an owner has 16 bytes, not " + bytes.length);
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new Owner(buffer.getLong(), buffer.getLong());
  }

  /** The binary form: 16 bytes, big-endian. */
  public byte[] bytes() {
    return ByteBuffer.allocate(BYTES).putLong(high).putLong(low).array();
  }

  @Override
  public int compareTo(Owner other) {
    int byHigh = Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  /** The text form. */
  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }

  private static IllegalArgumentException notAnOwner(String text) {
    return new IllegalArgumentException(
        "an owner is written as 32 lower-case hexadecimal digits, not '" + text + "'");
  }
}
