package dev.holdfast.user;

import java.nio.ByteBuffer;
import java.util.Base64;

/**
 * Names one request for a change, so that a repeat of it is known: random, or a hash of the
 * caller's API key, route and idempotency key.
 */
public record RequestId(long high, long low) {

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is not what {@link #toString} writes
   */
  public static RequestId parse(String text) {
    byte[] bytes = Base64.getUrlDecoder().decode(text);
    if (bytes.length != 16) {
      throw new IllegalArgumentException("must be 16 bytes in base64url");
    }
    var buffer = ByteBuffer.wrap(bytes);
    var id = new RequestId(buffer.getLong(), buffer.getLong());
    if (!id.toString().equals(text)) { // padded, or bits beyond the last byte
      throw new IllegalArgumentException("must be 22 characters of base64url");
    }
    return id;
  }

  /** {@return 22 characters of base64url} */
  @Override
  public String toString() {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(ByteBuffer.allocate(16).putLong(high).putLong(low).array());
  }
}
