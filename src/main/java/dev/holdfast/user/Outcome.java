package dev.holdfast.user;

import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import java.util.List;

/** What a change came to: as much as is needed to answer a repeat like the first time. */
public sealed interface Outcome {

  /** Done; the view says the rest. */
  record Changed() implements Outcome {
    private static final Changed INSTANCE = new Changed();

    public static Changed changed() {
      return INSTANCE;
    }
  }

  /** An attribute or a line that was not there before was set. */
  record Created() implements Outcome {
    private static final Created INSTANCE = new Created();

    public static Created created() {
      return INSTANCE;
    }
  }

  /** A session was opened. */
  record Opened(SessionId session) implements Outcome {}

  /** The session goes on under the next generation of its token. */
  record Rotated(SessionId session, int generation) implements Outcome {}

  /** The session that asked was ended. */
  record LoggedOut() implements Outcome {
    private static final LoggedOut INSTANCE = new LoggedOut();

    public static LoggedOut loggedOut() {
      return INSTANCE;
    }
  }

  /** This many sessions were ended, not the one that asked. */
  record Ended(int count) implements Outcome {}

  /**
   * All that was known of the user is forgotten.
   *
   * @param at milliseconds since 1970; 0 where nothing was known
   * @param sessions how many ended by it
   */
  record Erased(long at, int sessions) implements Outcome {}

  record CheckedOut(Order order) implements Outcome {}

  /**
   * The visitor became a known user, under another owner, in a new session of generation 1.
   *
   * @param report what became of every line of both carts
   */
  record LoggedIn(
      String userId, SessionId session, MergePolicy policy, List<CartMerge.Entry> report)
      implements Outcome {
    public LoggedIn {
      report = List.copyOf(report);
    }
  }
}
