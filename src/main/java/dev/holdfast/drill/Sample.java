package dev.holdfast.drill;

/**
 * One request of the load and what came of it.
 *
 * @param user whose it was, a number from 0; -1 for visitors
 * @param begun when its caller wanted it sent, by {@link System#nanoTime}; while no node says that
 *     it is ready, or nobody listens, it waits
 * @param ended when the answer was there, or it was clear that none would come, likewise
 * @param node where it entered
 * @param owner the node that the answer names as the user's; empty where it names none
 * @param came what came of it
 * @param detail of a failure, for people
 */
record Sample(
    int user, long begun, long ended, String node, String owner, Came came, String detail) {

  /** What came of a request. */
  enum Came {
    /** It was done, or what was asked for was shown. */
    DONE,
    /** It was refused for what it asked for; a 4xx. */
    REFUSED,
    /** Nothing happened, and the caller was told so: 503. */
    UNAVAILABLE,
    /** The server does not know what came of it: 504, or another 5xx. */
    UNKNOWN,
    /** The connection broke with the request on its way. */
    BROKEN,
    /** The caller gave a node up that did not answer. */
    GIVEN_UP,
    /** Nobody listened, so nothing was sent; another node was asked at once. */
    NOT_SENT
  }

  boolean failed() {
    return switch (came) {
      case DONE, REFUSED, NOT_SENT -> false;
      case UNAVAILABLE, UNKNOWN, BROKEN, GIVEN_UP -> true;
    };
  }
}
