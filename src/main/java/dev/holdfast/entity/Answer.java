package dev.holdfast.entity;

import dev.holdfast.user.Reply;

/**
 * What came of asking a user's actor: an answer, the certainty that nothing happened, or neither.
 */
public sealed interface Answer extends CrossesNodes {

  /**
   * The user's own answer; changes that it speaks of are in the journal.
   *
   * @param node the name of the node that holds the user
   */
  record Answered(Reply reply, String node) implements Answer {}

  /**
   * Nothing happened, nor will it.
   *
   * @param retryAfterMillis when asking again can help
   */
  record Unavailable(Cause cause, long retryAfterMillis) implements Answer {}

  /**
   * Nothing happened: what the journal holds of the user cannot be read. Asking again does not
   * help, before somebody has looked at it.
   */
  record Unreadable() implements Answer {}

  /** The change may have taken effect, or not, or may yet; a repeat of the request will tell. */
  record Unknown() implements Answer {}

  /** Why nothing could happen. */
  enum Cause {
    /** The journal takes no writes, or the user cannot be read from it now. */
    JOURNAL,
    /** More is asked of the user than can be done. */
    OVERLOADED,
    /** No node holds the user at this moment. */
    NO_OWNER
  }
}
