package dev.holdfast.http;

import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.SessionId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Writes and checks session tokens. A token names a session and one generation of it, and proves by
 * its MAC that this cluster gave it out; so every node refuses a forged one by itself, without
 * waking an actor. The cluster's keys are in no journal.
 *
 * <p>54 bytes, written as 72 characters of base64url: version (1), key id (1), owner key (16),
 * session id (16), generation (4, big endian), HMAC-SHA-256 over all of these, cut to 128 bits
 * (16).
 */
public final class SessionTokens {

  private static final byte VERSION = 1;
  private static final int SIGNED_BYTES = 38;
  private static final int MAC_BYTES = 16;
  private static final int TEXT_LENGTH = 72;
  private static final String ALGORITHM = "HmacSHA256";

  /**
   * A key of the cluster.
   *
   * @param id 0 to 255, written into each token; never used again for another secret
   */
  public record Key(int id, SecretKey secret) {

    private static final int MARK_BYTES = 12;

    private static final int LEAST_BYTES = 32;

    public Key {
      if (id < 0 || id > 255) {
        throw new IllegalArgumentException("the id of a token key must be from 0 to 255");
      }
    }

    /**
     * {@return the key of these bytes}
     *
     * @param secret at least 32 random bytes
     * @throws IllegalArgumentException if the id is out of range or the secret too short
     */
    public static Key of(int id, byte[] secret) {
      if (secret.length < LEAST_BYTES) {
        throw new IllegalArgumentException(
            "a token key must have at least " + LEAST_BYTES + " bytes");
      }
      return new Key(id, new SecretKeySpec(secret, ALGORITHM));
    }

    /**
     * {@return a name that only this key has, and that tells nothing of it: so that nodes can see
     * whether they have the same}
     */
    public String mark() {
      MessageDigest digest = Hashes.sha256();
      digest.update("holdfast token key".getBytes(StandardCharsets.UTF_8));
      digest.update((byte) id);
      byte[] hash = digest.digest(secret.getEncoded());
      return HexFormat.of().formatHex(hash, 0, MARK_BYTES);
    }

    /** {@return the id alone} */
    @Override
    public String toString() {
      return "Key[id=" + id + "]";
    }
  }

  /**
   * What a token says.
   *
   * @param generation from 1; only a session's latest one is valid
   */
  record Token(OwnerKey owner, SessionId session, int generation) {}

  /** The keys at one time: the id of the one that signs, and a prototype of each by its id. */
  @SuppressWarnings("ArrayRecordComponent") // filled once, and nobody compares it
  private record Keys(int signing, @Nullable Mac[] macs) {}

  private volatile Keys current;

  /**
   * @param keys the first one signs, all of them are accepted
   * @throws IllegalArgumentException if there are none, or two have the same id
   */
  public SessionTokens(List<Key> keys) {
    current = prepared(keys);
  }

  /**
   * From now on these are the keys, and no others.
   *
   * @param keys the first one signs, all of them are accepted
   * @throws IllegalArgumentException if there are none, or two have the same id
   */
  public void use(List<Key> keys) {
    current = prepared(keys);
  }

  private static Keys prepared(List<Key> keys) {
    if (keys.isEmpty()) {
      throw new IllegalArgumentException("there must be a token key");
    }
    @Nullable Mac[] macs = new Mac[256];
    for (Key key : keys) {
      if (macs[key.id()] != null) {
        throw new IllegalArgumentException("two token keys have the id " + key.id());
      }
      macs[key.id()] = prototype(key);
    }
    return new Keys(keys.getFirst().id(), macs);
  }

  /** {@return the token's text} */
  String write(Token token) {
    Keys keys = current;
    byte[] bytes = new byte[SIGNED_BYTES + MAC_BYTES];
    ByteBuffer.wrap(bytes)
        .put(VERSION)
        .put((byte) keys.signing())
        .putLong(token.owner().high())
        .putLong(token.owner().low())
        .putLong(token.session().high())
        .putLong(token.session().low())
        .putInt(token.generation());
    Mac mac = keys.macs()[keys.signing()];
    if (mac == null) {
      throw new IllegalStateException("the signing key has a MAC");
    }
    System.arraycopy(mac(mac, bytes), 0, bytes, SIGNED_BYTES, MAC_BYTES);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** {@return what the text says, or null if it is no token that this cluster gave out} */
  @Nullable Token read(@Nullable String text) {
    if (text == null || text.length() != TEXT_LENGTH) {
      return null;
    }
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(text);
    } catch (IllegalArgumentException notBase64) {
      return null;
    }
    if (bytes.length != SIGNED_BYTES + MAC_BYTES || bytes[0] != VERSION) {
      return null;
    }
    Mac mac = current.macs()[bytes[1] & 0xff];
    if (mac == null
        || !MessageDigest.isEqual(
            Arrays.copyOf(mac(mac, bytes), MAC_BYTES),
            Arrays.copyOfRange(bytes, SIGNED_BYTES, bytes.length))) {
      return null;
    }
    var buffer = ByteBuffer.wrap(bytes, 2, SIGNED_BYTES - 2);
    var owner = new OwnerKey(buffer.getLong(), buffer.getLong());
    var session = new SessionId(buffer.getLong(), buffer.getLong());
    int generation = buffer.getInt();
    return generation < 1 ? null : new Token(owner, session, generation);
  }

  private static Mac prototype(Key key) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key.secret());
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
    }
  }

  /** A Mac is not for parallel use, and looking one up is slow: each use takes a copy. */
  private static byte[] mac(Mac prototype, byte[] bytes) {
    try {
      Mac mac = (Mac) prototype.clone();
      mac.update(bytes, 0, SIGNED_BYTES);
      return mac.doFinal();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(ALGORITHM + " can be copied", e);
    }
  }
}
