package dev.holdfast.http;

import dev.holdfast.entity.Answer;
import dev.holdfast.user.Refusal;

/** The one place that maps every refusal to a problem, and so to a status. */
final class Problems {

  /** The realm of both challenges. */
  private static final String REALM = " realm=\"holdfast\"";

  private Problems() {}

  static Problem of(Refusal refusal) {
    return switch (refusal.reason()) {
      case SESSION_INVALID -> sessionInvalid();
      case NO_SUCH_ATTRIBUTE -> Problem.of(ProblemType.NO_SUCH_ATTRIBUTE, refusal.detail());
      case NO_SUCH_LINE -> Problem.of(ProblemType.NO_SUCH_LINE, refusal.detail());
      case NO_SUCH_SESSION -> Problem.of(ProblemType.NO_SUCH_SESSION, refusal.detail());
      case CART_EMPTY -> Problem.of(ProblemType.CART_EMPTY, refusal.detail());
      case CART_FULL -> Problem.of(ProblemType.CART_FULL, refusal.detail());
      case CURRENCY_MISMATCH -> Problem.of(ProblemType.CURRENCY_MISMATCH, refusal.detail());
      case QUANTITY_EXCEEDED -> Problem.of(ProblemType.QUANTITY_EXCEEDED, refusal.detail());
      case USER_MISMATCH -> Problem.of(ProblemType.USER_MISMATCH, refusal.detail());
      case LOG_IN_OVERTAKEN -> Problem.of(ProblemType.LOG_IN_OVERTAKEN, refusal.detail());
      case STALE_REVISION -> Problem.of(ProblemType.STALE_REVISION, refusal.detail());
      case TOO_LARGE -> Problem.of(ProblemType.TOO_LARGE, refusal.detail());
      case KEY_REUSED -> Problem.of(ProblemType.IDEMPOTENCY_KEY_REUSED, refusal.detail());
      case TOO_MANY_REQUESTS ->
          Problem.of(ProblemType.TOO_MANY_REQUESTS, refusal.detail())
              .retryAfterMillis(refusal.retryAfterMillis());
    };
  }

  static Problem of(Answer.Unavailable unavailable) {
    Problem problem =
        switch (unavailable.cause()) {
          case JOURNAL -> journalUnavailable();
          case OVERLOADED -> overloaded();
          case NO_OWNER -> noOwner();
        };
    return problem.retryAfterMillis(unavailable.retryAfterMillis());
  }

  /** Nothing that a repeat would heal, so it names no time for one. */
  static Problem userUnreadable() {
    return Problem.of(
        ProblemType.USER_UNREADABLE,
        "What the journal holds of the user cannot be read. Nothing happened. The operator must"
            + " look at it.");
  }

  static Problem journalUnavailable() {
    return Problem.of(
        ProblemType.JOURNAL_UNAVAILABLE,
        "The journal is not available at the moment. Nothing happened.");
  }

  static Problem overloaded() {
    return Problem.of(
        ProblemType.OVERLOADED, "More requests are in hand than can be done. Nothing happened.");
  }

  static Problem noOwner() {
    return Problem.of(
        ProblemType.NO_OWNER, "No node holds the user at the moment. Nothing happened.");
  }

  static Problem outcomeUnknown() {
    return Problem.of(
        ProblemType.OUTCOME_UNKNOWN,
        "The change may have happened. Repeat it with the same Idempotency-Key, or read first.");
  }

  /** One answer for no, unknown, expired and ended tokens, so that it tells a stranger nothing. */
  static Problem sessionInvalid() {
    return Problem.of(
            ProblemType.SESSION_INVALID, "Send the token of a live session as Session-Token.")
        .with("WWW-Authenticate", "Session-Token" + REALM);
  }

  static Problem apiKeyInvalid() {
    return Problem.of(ProblemType.API_KEY_INVALID, "Send a valid key as Authorization: Bearer.")
        .with("WWW-Authenticate", "Bearer" + REALM);
  }
}
