package dev.holdfast.cluster;

/** What a node sees of another process over the {@link DeathWire}. */
enum Sight {
  /** No session with that very process was ever had: nothing can be said. */
  UNKNOWN,
  /** A session with it stands. */
  CONNECTED,
  /** A session has ended, or stands no more for a reason that proves nothing. */
  ENDED,
  /** A session has ended, and its address has refused one attempt after another since. */
  REFUSED,
  /** A session has ended, and another process answers at its address. */
  REPLACED
}
