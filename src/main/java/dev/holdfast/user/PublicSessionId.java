package dev.holdfast.user;

import java.nio.ByteBuffer;
import java.util.Base64;

/**
 * The id of a session that people and logs see: leads to the owner, opens nothing.
 *
 * @param tag {@link SessionId#tag()}
 */
public record PublicSessionId(OwnerKey owner, long tag) {

  private static final int BYTES = 24;

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is not what {@link #toString} writes
   */
  public static PublicSessionId parse(String text) {
    byte[] bytes = Base64.getUrlDecoder().decode(text);
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("must be 32 characters of base64url");
    }
    var buffer = ByteBuffer.wrap(bytes);
    return new PublicSessionId(new OwnerKey(buffer.getLong(), buffer.getLong()), buffer.getLong());
  }

  /** {@return 32 characters of base64url} */
  @Override
  public String toString() {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(
            ByteBuffer.allocate(BYTES)
                .putLong(owner.high())
                .putLong(owner.low())
                .putLong(tag)
                .array());
  }
}
