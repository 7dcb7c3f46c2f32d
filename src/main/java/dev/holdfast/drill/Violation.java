package dev.holdfast.drill;

/** A promise that a {@link History} shows broken. */
public record Violation(Kind kind, String detail) {

  private static final int MOST = 2_000;

  /** Which promise. */
  public enum Kind {
    /** An acknowledged change is not there. */
    LOST_WRITE,
    /** A refused change is there. */
    REFUSED_VISIBLE,
    /** A change took effect more than once, or an amount is there that nobody added. */
    DOUBLED_EFFECT,
    /** A change took effect in part. */
    TORN,
    /** A value is there that nobody ever set. */
    INVENTED,
    /** An answer is older than what was known when it was asked for. */
    STALE_ANSWER,
    /** What was done later has no higher revision. */
    REVISION_WENT_BACK,
    /** Two changes were acknowledged with the same revision: the history has forked. */
    FORKED,
    /** The same request with the same key came to something else. */
    REPEAT_DIFFERS,
    /** A token worked after its end was acknowledged, or after it was refused. */
    DEAD_TOKEN_WORKS,
    /** A token was refused though nothing has ended it. */
    LIVE_TOKEN_REFUSED,
    /** An order is not on record exactly as it was acknowledged, or is there without any. */
    WRONG_ORDER,
    /** The server said that it has a fault. */
    INTERNAL_ERROR
  }

  @Override
  public String toString() {
    return kind + ": " + (detail.length() > MOST ? detail.substring(0, MOST) + "…" : detail);
  }
}
