package dev.holdfast.user;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.MergePolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a {@link User} answers to a {@link Command}. */
public sealed interface Reply {

  /**
   * A session with its user's cart, as one moment saw them.
   *
   * @param userId null for a visitor
   * @param lastSeenAt with what the journal does not know yet
   */
  record View(@Nullable String userId, Session session, long lastSeenAt, Cart cart) {

    /** {@return the revision of the view: of what changed last in it} */
    public long revision() {
      return Math.max(session.revision(), cart.revision());
    }

    public long expiresAt() {
      return session.expiresAt(lastSeenAt);
    }
  }

  /**
   * The change took effect, now or when the request came first.
   *
   * @param replayed whether this answers a repeat
   * @param revision of the resource, after the first time
   * @param view as it is now; null where the session is gone
   */
  record Done(Outcome outcome, boolean replayed, long revision, @Nullable View view)
      implements Reply {}

  record Seen(View view) implements Reply {}

  /** The user's sessions, oldest first; the asking one is {@code asking}. */
  record Sessions(SessionId asking, List<View> sessions) implements Reply {
    public Sessions {
      sessions = List.copyOf(sessions);
    }
  }

  /**
   * The user as an administrator sees them.
   *
   * @param userId null for a visitor, and where nothing is known of the user
   * @param revision of the last entry, 0 without one
   * @param lastEntryAt milliseconds since 1970
   * @param sessions oldest first
   */
  record Inspected(
      @Nullable String userId, long revision, long lastEntryAt, List<View> sessions, Cart cart)
      implements Reply {
    public Inspected {
      sessions = List.copyOf(sessions);
    }
  }

  record Epoch(long epoch) implements Reply {}

  /** What the user's actor says to a visitor's log-in; the same however often it is asked. */
  sealed interface Admission extends Reply {
    /** {@return the log-in that this is about, by {@link LogIn#id()}} */
    SessionId logIn();
  }

  /**
   * The session is open and the cart merged.
   *
   * @param revision the user's, of the log-in
   */
  record Admitted(SessionId logIn, long revision, MergePolicy policy, List<CartMerge.Entry> report)
      implements Admission {
    public Admitted {
      report = List.copyOf(report);
    }
  }

  record NotAdmitted(SessionId logIn, Refusal refusal) implements Admission {}

  record Refused(Refusal refusal) implements Reply {}

  /**
   * To a {@link Command.Wake}: nothing of the user is left that anybody could ask for, and their
   * history has had its time. All of it may be removed.
   */
  record NothingLeft() implements Reply {}

  /** There is nothing to say. */
  record Nothing() implements Reply {}
}
