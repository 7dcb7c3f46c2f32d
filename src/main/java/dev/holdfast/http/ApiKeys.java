package dev.holdfast.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The API keys that are accepted, known by their hashes only.
 *
 * @param hashes SHA-256 of each key; none means that every caller is let in
 */
record ApiKeys(List<byte[]> hashes) {

  private static final String SCHEME = "Bearer ";

  /** A caller that was let in; the scope keeps the idempotency keys of different callers apart. */
  record Caller(String scope) {}

  static final Caller ANYBODY = new Caller("");

  ApiKeys {
    hashes = List.copyOf(hashes);
  }

  boolean configured() {
    return !hashes.isEmpty();
  }

  /**
   * {@return who presents this {@code Authorization} header, or null if nobody who is known} Takes
   * the same time whichever key it is, and whichever it is not.
   */
  @Nullable Caller caller(@Nullable String authorization) {
    if (hashes.isEmpty()) {
      return ANYBODY;
    }
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return null;
    }
    byte[] key = authorization.substring(SCHEME.length()).strip().getBytes(StandardCharsets.UTF_8);
    byte[] presented = Hashes.sha256().digest(key);
    boolean known = false;
    for (byte[] hash : hashes) {
      known |= MessageDigest.isEqual(hash, presented);
    }
    return known ? new Caller(HexFormat.of().formatHex(presented)) : null;
  }
}
