package dev.holdfast.user;

import org.jspecify.annotations.Nullable;

/**
 * The record of a change that took effect, kept so that a repeat of the request gets the first
 * outcome and changes nothing.
 *
 * @param at milliseconds since 1970
 * @param by the session that asked, or null where none did
 * @param revision of the resource that the outcome speaks of
 */
public record Receipt(
    RequestId id,
    long fingerprint,
    Kind kind,
    long at,
    @Nullable SessionId by,
    Outcome outcome,
    long revision) {

  /** Who may repeat the request, and so how long it must be remembered. */
  public enum Kind {
    /** The server itself, until its deadline: {@value #SERVER_MILLIS} ms, twice the longest one. */
    SERVER(Kind.SERVER_MILLIS),
    /** The caller, by an idempotency key: 24 hours. */
    CALLER(24 * 3_600_000L),
    /** A visitor's actor that has an unfinished log-in: a week. */
    LOG_IN(7 * 24 * 3_600_000L),
    /**
     * The opening of a visitor's session under a caller's key. The key names the visitor, so it is
     * remembered as long as the session lives and 24 hours at least: else a key used again much
     * later would join two visitors.
     */
    OPENING(24 * 3_600_000L);

    static final long SERVER_MILLIS = 60_000;

    private final long millis;

    Kind(long millis) {
      this.millis = millis;
    }

    /** {@return whether receipts of this kind use up the room that there is for the request's} */
    boolean countsFor(Request request) {
      return switch (this) {
        case SERVER -> !request.keyed();
        case CALLER -> request.keyed();
        case OPENING -> request.keyed();
        case LOG_IN -> false; // no key of the user's
      };
    }
  }

  boolean live(long now) {
    return now - at < kind.millis;
  }

  /** {@return when this receipt may be forgotten, in milliseconds since 1970} */
  long forgottenAt() {
    return at + kind.millis;
  }
}
