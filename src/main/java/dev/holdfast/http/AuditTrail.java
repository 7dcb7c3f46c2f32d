package dev.holdfast.http;

import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.PublicSessionId;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who did what to whom, among administrators: a line of the logger {@code holdfast.audit} for each
 * such call, whatever came of it. It holds no key (its name or a prefix of its hash tells which one
 * it was) and no user id (the owner key stands for it, so that nothing of an erased user stays in
 * the logs).
 */
final class AuditTrail {

  private static final Logger LOG = LoggerFactory.getLogger("holdfast.audit");

  /** Of the hash of a key: enough to find it in the configuration, useless for anything else. */
  private static final int KEY_DIGITS = 12;

  /** Of a key without a name; a name is shorter. */
  private static final int HASH_DIGITS = 64;

  /** Too little of a token, misplaced by its owner, to be of use to anybody. */
  private static final int MOST_OF_A_NAME = 40;

  private AuditTrail() {}

  /**
   * Notes a call.
   *
   * @param caller null if the call was refused before it was known who makes it
   * @param what the operation, as in {@code DELETE /v1/admin/users/{user}}
   * @param parameters what stands for the variables of its template
   */
  static void note(
      ApiKeys.@Nullable Caller caller,
      String what,
      Map<String, String> parameters,
      OwnerKeys owners,
      int status) {
    String who =
        caller == null
            ? "unknown"
            : caller.scope().isEmpty()
                ? "anybody"
                : caller.scope().length() == HASH_DIGITS
                    ? caller.scope().substring(0, KEY_DIGITS)
                    : caller.scope();
    String whom = whom(parameters, owners);
    LOG.atInfo()
        .addKeyValue("who", who)
        .addKeyValue("what", what)
        .addKeyValue("whom", whom)
        .addKeyValue("status", status)
        .log("key {} called {} on {}: {}", who, what, whom, status);
  }

  private static String whom(Map<String, String> parameters, OwnerKeys owners) {
    String user = parameters.get("user");
    String id = parameters.get("id");
    String name = parameters.get("name");
    if (user != null) {
      String owner = "owner " + owners.ofUser(user);
      return id == null ? owner : owner + " " + session(id);
    }
    if (id != null) {
      return session(id);
    }
    return name == null ? "all" : abbreviated(name);
  }

  /** Only what is the id of a session: what stands in its place may be a secret. */
  private static String session(String id) {
    try {
      return "session " + PublicSessionId.parse(id);
    } catch (IllegalArgumentException e) {
      return "no session";
    }
  }

  private static String abbreviated(String text) {
    return text.length() <= MOST_OF_A_NAME ? text : text.substring(0, MOST_OF_A_NAME) + "…";
  }
}
