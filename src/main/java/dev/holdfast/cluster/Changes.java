package dev.holdfast.cluster;

import dev.holdfast.entity.Told;
import dev.holdfast.user.OwnerKey;

/** Listening to what happens to a user, wherever the user is and moves to. */
public interface Changes {

  /**
   * Listens until the subscription is closed. The listener is told within a moment where the user
   * stands, and then of each change. While the user moves it may be told late, and learns by the
   * numbers what it was not told.
   */
  Subscription listen(OwnerKey owner, Listener listener);

  /** Who listens. */
  @FunctionalInterface
  interface Listener {
    /** Must be quick, and must not block: it is called by the one who tells all others too. */
    void told(Told.Happened happened);
  }

  /** A listener's place. */
  @FunctionalInterface
  interface Subscription extends AutoCloseable {
    @Override
    void close();
  }
}
