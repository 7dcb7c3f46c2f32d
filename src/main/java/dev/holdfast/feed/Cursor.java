package dev.holdfast.feed;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A place in the feed of one journal: behind an event, or at the beginning. Its text form is opaque
 * to readers.
 *
 * @param journal the identity of the journal, 32 lower-case hexadecimal digits
 * @param position of the event in the feed; 0 for the beginning
 */
public record Cursor(String journal, long position) {

  private static final int BYTES = 24;
  private static final HexFormat HEX = HexFormat.of();

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is not what {@link #toString} writes
   */
  public static Cursor parse(String text) {
    byte[] bytes = Base64.getUrlDecoder().decode(text);
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("must be a cursor that the feed gave");
    }
    var cursor =
        new Cursor(HEX.formatHex(bytes, 0, BYTES - Long.BYTES), ByteBuffer.wrap(bytes).getLong(16));
    if (cursor.position < 0 || !cursor.toString().equals(text)) {
      throw new IllegalArgumentException("must be a cursor that the feed gave");
    }
    return cursor;
  }

  /** {@return 32 characters of base64url} */
  @Override
  public String toString() {
    byte[] bytes = ByteBuffer.allocate(BYTES).put(HEX.parseHex(journal)).putLong(position).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
