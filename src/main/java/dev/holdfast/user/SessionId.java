package dev.holdfast.user;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Names a session inside its owner: 128 random bits, given out once. Not a secret by itself (a
 * token also needs the cluster's key), yet shown to nobody: people see the {@link PublicSessionId}.
 */
public record SessionId(long high, long low) {

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is not what {@link #toString} writes
   */
  public static SessionId parse(String text) {
    return new SessionId(IdText.high(text), IdText.low(text));
  }

  /**
   * {@return what stands for this session in its public id: 64 bits of a hash, so the id itself
   * cannot be found from it}
   */
  public long tag() {
    byte[] hash = OwnerKey.Hashes.sha256("session\0".getBytes(StandardCharsets.UTF_8), bytes());
    return ByteBuffer.wrap(hash).getLong();
  }

  /** {@return 22 characters of base64url} */
  @Override
  public String toString() {
    return IdText.of(high, low);
  }

  private byte[] bytes() {
    return ByteBuffer.allocate(16).putLong(high).putLong(low).array();
  }
}
