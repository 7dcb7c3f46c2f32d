package dev.holdfast.user;

/**
 * When each session was last seen by reads that the journal does not know of. It lives beside the
 * journaled state, in memory only: see {@link User} on what a recovery grants for its loss.
 */
public interface Presence {

  /**
   * {@return when the session was last seen in this actor's life, in milliseconds since 1970, or
   * {@link #UNKNOWN}}
   */
  long seen(SessionId session);

  long UNKNOWN = Long.MIN_VALUE;

  /** {@return what is known right after a recovery: nothing} */
  static Presence unknown() {
    return session -> UNKNOWN;
  }
}
