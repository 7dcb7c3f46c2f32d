package dev.holdfast.user;

import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What happened to a {@link User}. Facts: applying one never depends on limits or the clock. */
public sealed interface Event {

  /**
   * {@return the newest form of events that this version reads and writes} A new kind of event
   * belongs to the next form, and raises this number.
   */
  static int newestForm() {
    return 2;
  }

  /**
   * {@return the form that this kind belongs to, from 1} A node that knows only earlier forms
   * cannot read a user with such an event, so none is written before every node knows its form.
   */
  default int form() {
    return 1;
  }

  /** Why a session ended, other than by time. */
  enum EndReason {
    LOGGED_OUT,
    /** Ended from another session of the user. */
    ENDED_BY_USER,
    /** The user opened one more than they may have. */
    DISPLACED
  }

  /** Which limit was reached. */
  enum Limit {
    IDLE,
    ABSOLUTE
  }

  record SessionOpened(
      SessionId session,
      @Nullable String userId,
      Json.Obj attributes,
      long idleMillis,
      long absoluteMillis)
      implements Event {}

  /**
   * Attributes of a session were set or removed.
   *
   * @param set the new values, whole
   */
  record AttributesChanged(SessionId session, Json.Obj set, List<String> removed) implements Event {
    public AttributesChanged {
      removed = List.copyOf(removed);
    }
  }

  record SessionRotated(SessionId session, int generation) implements Event {}

  /**
   * There was activity that changed nothing else.
   *
   * @param seenAt milliseconds since 1970; may lie before the entry's time
   */
  record SessionTouched(SessionId session, long seenAt) implements Event {}

  record SessionEnded(SessionId session, EndReason reason) implements Event {}

  record SessionExpired(SessionId session, Limit limit) implements Event {}

  /** All sessions but one were ended, and log-ins that were on their way with them. */
  record OthersEnded(SessionId kept, List<SessionId> ended) implements Event {
    public OthersEnded {
      ended = List.copyOf(ended);
    }
  }

  /**
   * An administrator ended sessions.
   *
   * @param everywhere whether these were all, and log-ins that were on their way ended with them
   */
  record EndedByAdministrator(List<SessionId> sessions, boolean everywhere) implements Event {
    public EndedByAdministrator {
      sessions = List.copyOf(sessions);
    }

    @Override
    public int form() {
      return 2;
    }
  }

  record LineSet(Line line) implements Event {}

  record LineRemoved(Sku sku) implements Event {}

  record CartEmptied() implements Event {}

  /**
   * Nobody has been active for a while, and something is in the cart. Comes once for each such
   * time; changes nothing of the cart.
   *
   * @param quietSince the last activity that may have been, in milliseconds since 1970
   */
  record CartAbandoned(long quietSince) implements Event {
    @Override
    public int form() {
      return 2;
    }
  }

  /** A known user's cart was kept long enough. */
  record CartExpired() implements Event {}

  record CartCheckedOut(Order order) implements Event {}

  /**
   * All that was known of the user is forgotten. Says nothing about whom: the state after it
   * follows from it alone, so that what came before can be deleted.
   *
   * @param revision of this entry: the user's number line goes on
   * @param epoch from now on; no log-in that began before has it
   */
  record UserErased(long revision, long epoch) implements Event {}

  /** At the visitor: from here on the visitor is frozen until the user's actor has answered. */
  record LogInStarted(LogIn logIn) implements Event {}

  /** At the visitor: the user's actor has it all; the visitor's session is over. */
  record LogInFinished(SessionId logIn) implements Event {}

  /** At the visitor: the user's actor said no; the visitor's session goes on. */
  record LogInRefused(SessionId logIn, Refusal.Reason reason) implements Event {}

  /**
   * At the user: the visitor's session goes on here, the cart is merged.
   *
   * @param session as the visitor had it, under its new id
   * @param lines the whole merged cart
   * @param visitorRevision the visitor's last
   */
  record LogInAdmitted(
      String userId,
      SessionId session,
      Json.Obj attributes,
      long createdAt,
      long idleMillis,
      long absoluteMillis,
      MergePolicy policy,
      List<Line> lines,
      List<CartMerge.Entry> report,
      long visitorRevision)
      implements Event {
    public LogInAdmitted {
      lines = List.copyOf(lines);
      report = List.copyOf(report);
    }
  }
}
