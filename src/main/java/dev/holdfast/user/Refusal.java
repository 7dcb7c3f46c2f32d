package dev.holdfast.user;

/**
 * A "no" with its reason; nothing changed, but that the expiry of sessions may have been noted.
 *
 * @param detail a sentence for the programmer who made the request; holds no secret
 * @param retryAfterMillis when asking again can help, or 0
 */
public record Refusal(Reason reason, String detail, long retryAfterMillis) {

  /** Why. */
  public enum Reason {
    /** No such session, or it is expired, ended, or of an older generation: never said which. */
    SESSION_INVALID,
    NO_SUCH_ATTRIBUTE,
    NO_SUCH_LINE,
    NO_SUCH_SESSION,
    CART_EMPTY,
    CART_FULL,
    CURRENCY_MISMATCH,
    QUANTITY_EXCEEDED,
    /** The session belongs to another user already. */
    USER_MISMATCH,
    /** The user's sessions were all ended while a log-in was on its way. */
    LOG_IN_OVERTAKEN,
    /** The precondition does not hold. */
    STALE_REVISION,
    /** The result would be over a size limit. */
    TOO_LARGE,
    /** The idempotency key was used for another request. */
    KEY_REUSED,
    /** More keys are live than are kept for a user. */
    TOO_MANY_REQUESTS
  }

  static Refusal of(Reason reason, String detail) {
    return new Refusal(reason, detail, 0);
  }

  static Refusal sessionInvalid() {
    return of(Reason.SESSION_INVALID, "The session token is not, or no longer, valid.");
  }

  /** {@return the name of the thing refused for, for a log line} */
  @Override
  public String toString() {
    return reason + ": " + detail;
  }
}
