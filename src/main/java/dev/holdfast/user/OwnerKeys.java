package dev.holdfast.user;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Makes the owner keys of known users. By a secret, so that nobody without it can tell whether an
 * owner key stands for a user id that they guess: it is a pseudonym, and stays one when all else of
 * the user is erased.
 */
public final class OwnerKeys {

  private static final String ALGORITHM = "HmacSHA256";
  private static final byte[] DOMAIN = "user\0".getBytes(StandardCharsets.UTF_8);
  private static final OwnerKeys PLAIN = new OwnerKeys(null);

  /** A Mac is not for parallel use: each use takes a copy. Null without a secret. */
  private final @Nullable Mac prototype;

  private OwnerKeys(@Nullable Mac prototype) {
    this.prototype = prototype;
  }

  /** {@return those of a journal without a secret: {@link OwnerKey#ofUser}} */
  public static OwnerKeys plain() {
    return PLAIN;
  }

  /**
   * {@return those of a secret: HMAC-SHA-256 of the user id, cut to 128 bits}
   *
   * @param secret 32 random bytes
   */
  public static OwnerKeys of(byte[] secret) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(secret, ALGORITHM));
      return new OwnerKeys(mac);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
    }
  }

  /** {@return the owner key of a known user} */
  public OwnerKey ofUser(String userId) {
    if (prototype == null) {
      return OwnerKey.ofUser(userId);
    }
    try {
      Mac mac = (Mac) prototype.clone();
      mac.update(DOMAIN);
      var bytes = ByteBuffer.wrap(mac.doFinal(userId.getBytes(StandardCharsets.UTF_8)));
      return new OwnerKey(bytes.getLong(), bytes.getLong());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(ALGORITHM + " can be copied", e);
    }
  }
}
