package dev.holdfast.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The API keys that are accepted, known by their hashes only.
 *
 * <p>Without keys of applications everybody may call for them. Administration is open to everybody
 * only where there are no keys at all: keys for applications alone close it.
 *
 * @param applications SHA-256 of each key of an application
 * @param administrators SHA-256 of each key of an administrator
 */
record ApiKeys(List<byte[]> applications, List<byte[]> administrators) {

  private static final String SCHEME = "Bearer ";

  /** What a key is good for. */
  enum Right {
    /** Sessions and carts. */
    APPLICATION,
    /** {@code /v1/admin}. */
    ADMINISTRATION
  }

  /** A caller that was let in; the scope keeps the idempotency keys of different callers apart. */
  record Caller(String scope) {}

  static final Caller ANYBODY = new Caller("");

  ApiKeys {
    applications = List.copyOf(applications);
    administrators = List.copyOf(administrators);
  }

  /** {@return whether applications must show a key} */
  boolean configured() {
    return !applications.isEmpty();
  }

  /**
   * {@return who presents this {@code Authorization} header} Takes the same time whichever key it
   * is, and whichever it is not.
   *
   * @throws Rejected with 401 if the key is not known, with 403 if it is and has not this right
   */
  Caller caller(@Nullable String authorization, Right right) {
    boolean open =
        switch (right) {
          case APPLICATION -> applications.isEmpty();
          case ADMINISTRATION -> applications.isEmpty() && administrators.isEmpty();
        };
    if (open) {
      return ANYBODY;
    }
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      throw new Rejected(Problems.apiKeyInvalid());
    }
    byte[] key = authorization.substring(SCHEME.length()).strip().getBytes(StandardCharsets.UTF_8);
    byte[] presented = Hashes.sha256().digest(key);
    boolean application = known(presented, applications);
    boolean administrator = known(presented, administrators);
    if (!application && !administrator) {
      throw new Rejected(Problems.apiKeyInvalid());
    }
    boolean allowed =
        switch (right) {
          case APPLICATION -> application;
          case ADMINISTRATION -> administrator;
        };
    if (!allowed) {
      throw new Rejected(ProblemType.FORBIDDEN, "The API key has not the right to this call.");
    }
    return new Caller(HexFormat.of().formatHex(presented));
  }

  private static boolean known(byte[] presented, List<byte[]> hashes) {
    boolean known = false;
    for (byte[] hash : hashes) {
      known |= MessageDigest.isEqual(hash, presented);
    }
    return known;
  }
}
