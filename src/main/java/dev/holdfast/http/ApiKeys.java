package dev.holdfast.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The API keys that are accepted, known by their hashes only. Unchangeable: other keys are another
 * one of these.
 *
 * <p>Without keys of applications everybody may call for them. Administration is open to everybody
 * only where there are no keys at all: keys for applications alone close it.
 */
public final class ApiKeys {

  /** Nobody needs a key. */
  public static final ApiKeys NONE = new ApiKeys(List.of(), List.of());

  private static final String SCHEME = "Bearer ";

  /** A caller that was let in; the scope keeps the idempotency keys of different callers apart. */
  record Caller(String scope) {}

  static final Caller ANYBODY = new Caller("");

  /** A key and whoever it lets in; one of each hash. */
  @SuppressWarnings("ArrayRecordComponent") // copied on its way in, and nobody compares it
  private record Known(byte[] hash, Caller caller, int scopes) {}

  private final List<ApiKey> applications;
  private final List<ApiKey> administrators;
  private final Known[] known;

  /**
   * The keys of both lists. One that stands in both is good for what either says.
   *
   * @param applications of the callers for sessions and carts
   * @param administrators of those for {@code /v1/admin}
   */
  public ApiKeys(List<ApiKey> applications, List<ApiKey> administrators) {
    this.applications = List.copyOf(applications);
    this.administrators = List.copyOf(administrators);
    Map<String, Known> byHash = new LinkedHashMap<>();
    var all = new ArrayList<>(applications);
    all.addAll(administrators);
    for (ApiKey key : all) {
      byHash.merge(
          HexFormat.of().formatHex(key.hash()),
          new Known(key.hash(), new Caller(key.caller()), Scope.mask(key.scopes())),
          (first, second) ->
              new Known(first.hash(), first.caller(), first.scopes() | second.scopes()));
    }
    this.known = byHash.values().toArray(Known[]::new);
  }

  public List<ApiKey> applications() {
    return applications;
  }

  public List<ApiKey> administrators() {
    return administrators;
  }

  /** {@return whether applications must show a key} */
  public boolean configured() {
    return !applications.isEmpty();
  }

  /** {@return whether there is any key} */
  public boolean any() {
    return known.length > 0;
  }

  /** {@return these with others in the place of one list} */
  public ApiKeys with(ApiKey.Kind kind, List<ApiKey> keys) {
    return switch (kind) {
      case APPLICATION -> new ApiKeys(keys, administrators);
      case ADMINISTRATOR -> new ApiKeys(applications, keys);
    };
  }

  /**
   * {@return who presents this {@code Authorization} header} Takes the same time whichever key it
   * is, and whichever it is not: all are compared, each of them whole.
   *
   * @throws Rejected with 401 if the key is not known, with 403 if it is and has not this scope
   */
  Caller caller(@Nullable String authorization, Scope scope) {
    boolean open = scope.isOfAdministrators() ? !any() : !configured();
    if (open) {
      return ANYBODY;
    }
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      throw new Rejected(Problems.apiKeyInvalid());
    }
    byte[] key = authorization.substring(SCHEME.length()).strip().getBytes(StandardCharsets.UTF_8);
    byte[] presented = Hashes.sha256().digest(key);
    int scopes = 0;
    @Nullable Caller caller = null;
    for (Known each : known) {
      boolean same = MessageDigest.isEqual(each.hash(), presented);
      scopes |= same ? each.scopes() : 0;
      caller = same ? each.caller() : caller;
    }
    if (caller == null) {
      throw new Rejected(Problems.apiKeyInvalid());
    }
    if (!scope.isIn(scopes)) {
      throw new Rejected(
          ProblemType.FORBIDDEN,
          "The API key has not the right to this call: it needs the scope " + scope.text() + ".");
    }
    return caller;
  }
}
