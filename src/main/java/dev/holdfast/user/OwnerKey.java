package dev.holdfast.user;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Names the one actor that holds a user: 128 bits, evenly spread over their range, so that a shard
 * can be a contiguous range of them.
 *
 * <p>A known user's key follows from the user id, a visitor's is random or follows from the
 * idempotency key that opened the session; the three are hashed in domains of their own.
 */
public record OwnerKey(long high, long low) {

  private static final int TEXT_LENGTH = 32;

  /** {@return the key of a known user} */
  public static OwnerKey ofUser(String userId) {
    return hashed("user\0", userId.getBytes(StandardCharsets.UTF_8));
  }

  /** {@return the key of the visitor whom a request opened, the same for a repeat of it} */
  public static OwnerKey ofOpening(RequestId request) {
    return hashed(
        "visitor\0",
        ByteBuffer.allocate(16).putLong(request.high()).putLong(request.low()).array());
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is not 32 lower-case hexadecimal digits
   */
  public static OwnerKey parse(String text) {
    if (text.length() != TEXT_LENGTH || !text.equals(text.toLowerCase(Locale.ROOT))) {
      throw new IllegalArgumentException("must be 32 lower-case hexadecimal digits");
    }
    return new OwnerKey(
        HexFormat.fromHexDigitsToLong(text, 0, 16),
        HexFormat.fromHexDigitsToLong(text, 16, TEXT_LENGTH));
  }

  /** {@return 32 lower-case hexadecimal digits} */
  @Override
  public String toString() {
    var hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }

  private static OwnerKey hashed(String domain, byte[] name) {
    ByteBuffer hash = ByteBuffer.wrap(Hashes.sha256(domain.getBytes(StandardCharsets.UTF_8), name));
    return new OwnerKey(hash.getLong(), hash.getLong());
  }

  /** SHA-256, which every Java platform has. */
  static final class Hashes {
    private Hashes() {}

    static byte[] sha256(byte[]... parts) {
      try {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (byte[] part : parts) {
          digest.update(part);
        }
        return digest.digest();
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
