package dev.holdfast.app;

import dev.holdfast.http.SessionTokens;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.NodeRegistry.Registered;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.user.OwnerKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The secret by which owner keys follow from user ids. It belongs to the journal and never changes;
 * the journal keeps it sealed, once with each token key that a node has, and so tells it to nobody
 * who has the journal alone. When token keys change, it is sealed anew.
 *
 * <p>The sealed text is a list with commas, each part the mark of a token key, a colon, and nonce
 * and ciphertext of AES-256-GCM in base64url. The key of that follows from the token key by HMAC.
 */
public final class OwnerSecret {

  private static final Logger LOG = LoggerFactory.getLogger(OwnerSecret.class);

  private static final int SECRET_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final byte[] PURPOSE = "holdfast owner secret".getBytes(StandardCharsets.UTF_8);
  private static final SecureRandom RANDOM = new SecureRandom();

  private final JournalStore store;

  /** Null for a journal that has none. */
  private final byte @Nullable [] secret;

  /** The keys that it is sealed with and no others; null while that is not known. */
  private @Nullable List<SessionTokens.Key> sealedWith;

  private OwnerSecret(JournalStore store, byte @Nullable [] secret) {
    this.store = store;
    this.secret = secret;
  }

  /**
   * Finds the secret of a journal, or makes one for a new journal.
   *
   * @param keys the token keys of this node
   * @throws IOException if it is sealed with none of them
   */
  static OwnerSecret of(JournalStore store, List<SessionTokens.Key> keys) throws IOException {
    String sealed = store.ownerSecret();
    if (sealed != null && sealed.isEmpty()) {
      byte[] made = new byte[SECRET_BYTES];
      RANDOM.nextBytes(made);
      store.replaceOwnerSecret("", seal(made, keys, Map.of()));
      sealed = store.ownerSecret(); // of several nodes that start at once, one made it
    }
    if (sealed == null) {
      return new OwnerSecret(store, null);
    }
    byte[] opened = open(sealed, keys);
    if (opened == null) {
      throw new IOException(
          "the journal was used with other token keys, and without one of them no user can be"
              + " found: put a key that its nodes had before into holdfast.token-keys (without that"
              + " setting it is token.key in the data folder), behind the new one");
    }
    return new OwnerSecret(store, opened);
  }

  /**
   * {@return the owner keys of a journal that is only looked at, or null if its secret is sealed
   * with other keys than can be found}
   *
   * @param folder of an embedded journal, with whose token key it may be sealed
   * @param environment with the settings that name token keys
   * @throws IOException if the keys cannot be read
   */
  public static @Nullable OwnerKeys look(
      JournalStore store, @Nullable Path folder, Map<String, String> environment)
      throws IOException {
    String sealed = store.ownerSecret();
    if (sealed == null || sealed.isEmpty()) {
      return OwnerKeys.plain();
    }
    List<SessionTokens.Key> keys = TokenKeyFile.ofCommand(folder, environment);
    byte[] opened = open(sealed, keys);
    return opened == null ? null : OwnerKeys.of(opened);
  }

  /**
   * {@return the owner keys of a journal that is filled} Its secret is made, and sealed with the
   * token keys of the environment; without any, with that of the folder, which is made if need be.
   *
   * @throws IOException if there are no token keys
   */
  public static OwnerKeys forNew(
      JournalStore store, @Nullable Path folder, Map<String, String> environment)
      throws IOException {
    List<SessionTokens.Key> keys = TokenKeyFile.ofCommand(folder, environment);
    if (keys.isEmpty() && folder != null) {
      keys = List.of(TokenKeyFile.in(folder));
    }
    if (keys.isEmpty()) {
      throw new IOException("there are no token keys: set HOLDFAST_TOKEN_KEYS as for the nodes");
    }
    return of(store, keys).keys();
  }

  OwnerKeys keys() {
    return secret == null ? OwnerKeys.plain() : OwnerKeys.of(secret);
  }

  /**
   * Seals it with these keys too, and no longer with those that neither they nor any other node
   * has: a key that was taken away opens nothing any more. To be called again and again: what
   * cannot be done yet is done at a later time.
   */
  void seal(List<SessionTokens.Key> keys) {
    if (secret == null || keys.equals(sealedWith)) {
      return;
    }
    try {
      String before = store.ownerSecret();
      Map<String, String> parts = parts(before == null ? "" : before);
      parts.keySet().retainAll(known(keys));
      String after = seal(secret, keys, parts);
      boolean done =
          before != null && (after.equals(before) || store.replaceOwnerSecret(before, after));
      if (done && parts(after).size() == keys.size()) {
        sealedWith = List.copyOf(keys);
      }
    } catch (StoreUnreadable | JournalFailure e) {
      LOG.debug("the secret of the owner keys cannot be sealed anew now", e);
    }
  }

  private Set<String> known(List<SessionTokens.Key> keys) {
    var known = new HashSet<String>();
    keys.forEach(key -> known.add(key.mark()));
    for (Registered node : store.nodes().registered(store.nodes().incarnation().number())) {
      known.addAll(node.tokenKeys());
    }
    return known;
  }

  // ---------------------------------------------------------------------------------------------

  /** {@return the sealed text: the parts that are there, and one for each further key} */
  private static String seal(
      byte[] secret, List<SessionTokens.Key> keys, Map<String, String> before) {
    var parts = new LinkedHashMap<>(before);
    for (SessionTokens.Key key : keys) {
      parts.computeIfAbsent(key.mark(), _ -> sealed(secret, key));
    }
    return String.join(
        ",", parts.entrySet().stream().map(part -> part.getKey() + ":" + part.getValue()).toList());
  }

  private static Map<String, String> parts(String sealed) {
    var parts = new LinkedHashMap<String, String>();
    for (String part : sealed.split(",", -1)) {
      int colon = part.indexOf(':');
      if (colon > 0) {
        parts.put(part.substring(0, colon), part.substring(colon + 1));
      }
    }
    return parts;
  }

  private static byte @Nullable [] open(String sealed, List<SessionTokens.Key> keys)
      throws IOException {
    Map<String, String> parts = parts(sealed);
    for (SessionTokens.Key key : keys) {
      String part = parts.get(key.mark());
      if (part != null) {
        try {
          byte[] bytes = Base64.getUrlDecoder().decode(part);
          return cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOf(bytes, NONCE_BYTES))
              .doFinal(bytes, NONCE_BYTES, bytes.length - NONCE_BYTES);
        } catch (GeneralSecurityException | IllegalArgumentException damaged) {
          throw new IOException("the secret of the journal's owner keys is damaged");
        }
      }
    }
    return null;
  }

  private static String sealed(byte[] secret, SessionTokens.Key key) {
    byte[] nonce = new byte[NONCE_BYTES];
    RANDOM.nextBytes(nonce);
    try {
      byte[] text = cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(secret);
      byte[] bytes = Arrays.copyOf(nonce, NONCE_BYTES + text.length);
      System.arraycopy(text, 0, bytes, NONCE_BYTES, text.length);
      return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has AES-GCM", e);
    }
  }

  private static Cipher cipher(int mode, SessionTokens.Key key, byte[] nonce)
      throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(key.secret());
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        mode,
        new SecretKeySpec(mac.doFinal(PURPOSE), "AES"),
        new GCMParameterSpec(TAG_BITS, nonce));
    return cipher;
  }
}
