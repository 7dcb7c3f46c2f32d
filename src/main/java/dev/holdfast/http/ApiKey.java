package dev.holdfast.http;

import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An accepted key, known by its hash only.
 *
 * @param caller who presents it: its name, else its hash in hexadecimal. Keys of one name are one
 *     caller, who has the same idempotency keys and the same limit with each of them, so that one
 *     key can replace another while both are in use
 * @param hash SHA-256 of the key
 * @param scopes what it is good for; not empty
 */
@SuppressWarnings("ArrayRecordComponent") // copied on its way in and out, and nobody compares it
public record ApiKey(String caller, byte[] hash, Set<Scope> scopes) {

  private static final int HASH_BYTES = 32;

  private static final Pattern FORM =
      Pattern.compile(
          "(?:(?<name>[A-Za-z0-9._-]{1,40}):)?(?<hash>[0-9A-Fa-f]{64})(?::(?<scopes>[a-z+]{1,60}))?");

  /** Where a key is configured, which decides what it may be good for. */
  public enum Kind {
    /** {@code api-keys}. */
    APPLICATION(Scope.WRITE),
    /** {@code admin-keys}. */
    ADMINISTRATOR(Scope.ADMIN);

    private final Scope unlessNamed;

    Kind(Scope unlessNamed) {
      this.unlessNamed = unlessNamed;
    }

    private Stream<Scope> possible() {
      return Stream.of(Scope.values())
          .filter(scope -> scope.isOfAdministrators() == unlessNamed.isOfAdministrators());
    }

    /** {@return how a key is written, for people} */
    public String form() {
      return "SHA-256 hashes of keys, each of 64 hexadecimal digits, as [name:]hash[:scope+scope],"
          + " with scopes out of "
          + possible().map(Scope::text).collect(Collectors.joining(", "));
    }
  }

  public ApiKey {
    if (hash.length != HASH_BYTES) {
      throw new IllegalArgumentException("the hash of an API key must have 32 bytes (SHA-256)");
    }
    if (scopes.isEmpty()) {
      throw new IllegalArgumentException("an API key must be good for something");
    }
    hash = hash.clone();
    scopes = Set.copyOf(scopes);
  }

  @Override
  public byte[] hash() {
    return hash.clone();
  }

  /** {@return a key without a name, with the scopes of those that name none} */
  public static ApiKey of(Kind kind, byte[] hash) {
    return new ApiKey(HexFormat.of().formatHex(hash), hash, Set.of(kind.unlessNamed));
  }

  /**
   * Reads {@code [name:]hash[:scope+scope]}.
   *
   * @throws IllegalArgumentException if it is none, with a message that does not repeat it
   */
  public static ApiKey parse(Kind kind, String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException("a key is written [name:]hash[:scope+scope]");
    }
    byte[] hash = HexFormat.of().parseHex(parts.group("hash"));
    @Nullable String name = parts.group("name");
    @Nullable String scopes = parts.group("scopes");
    return new ApiKey(
        name == null ? HexFormat.of().formatHex(hash) : name,
        hash,
        scopes == null ? Set.of(kind.unlessNamed) : scopes(kind, scopes));
  }

  private static Set<Scope> scopes(Kind kind, String text) {
    var scopes = EnumSet.noneOf(Scope.class);
    for (String name : text.split("\\+", -1)) {
      scopes.add(
          kind.possible()
              .filter(scope -> scope.text().equals(name))
              .findFirst()
              .orElseThrow(() -> new IllegalArgumentException("there is no such scope")));
    }
    return scopes;
  }

  /** {@return the form that {@link #parse} reads} */
  public String text() {
    String hex = HexFormat.of().formatHex(hash);
    return (caller.equals(hex) ? "" : caller + ":")
        + hex
        + ":"
        + scopes.stream().sorted().map(Scope::text).collect(Collectors.joining("+"));
  }

  /** {@return what it is good for; whose it is may be its hash, which belongs into no log} */
  @Override
  public String toString() {
    return "ApiKey[" + scopes + "]";
  }
}
