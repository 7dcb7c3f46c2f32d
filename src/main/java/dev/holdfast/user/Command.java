package dev.holdfast.user;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import org.jspecify.annotations.Nullable;

/**
 * What can be asked of a {@link User}. Everything random (new ids) comes in with the command, so
 * that decisions are repeatable.
 */
public sealed interface Command {

  /** What a valid token proves: the session it names and the generation it is of. */
  record Access(SessionId session, int generation) {}

  /** Reads the session and the cart. */
  record Look(Access access) implements Command {}

  /** Reads the session and the cart for somebody who watches them. It is no activity. */
  record Watch(Access access) implements Command {}

  /** Reads all sessions of the user. */
  record ListSessions(Access access) implements Command {}

  /**
   * Opens a session.
   *
   * @param session a new id
   * @param userId the known user whose actor this is, or null for a visitor
   */
  record Open(
      Request request,
      SessionId session,
      @Nullable String userId,
      Json.Obj attributes,
      long idleMillis,
      long absoluteMillis)
      implements Command {}

  /** Changes something, on behalf of a session. */
  record Act(Access access, Request request, Precondition precondition, Action action)
      implements Command {}

  /** Asks for the user's epoch, which moves when all sessions or all others are ended. */
  record AskEpoch() implements Command {}

  /**
   * A visitor's actor asks the user's to open a session for the visitor and to take over the cart.
   *
   * @param visitorRevision the visitor's revision, above which this goes on
   */
  record Admit(LogIn logIn, Session visitorSession, Cart visitorCart, long visitorRevision)
      implements Command {}

  /** The user's actor has answered the visitor's. */
  record Settle(Reply.Admission admission) implements Command {}

  /** Reads the session that a log-in opened, as long as its token was never used. */
  record LookUnused(SessionId session) implements Command {}

  /**
   * Forgets all that is known of the user: sessions, cart, receipts, history. A log-in that is on
   * its way to this user is refused after it.
   */
  record Erase(Request request) implements Command {}

  /** Reads the user as an administrator does: all sessions and the cart. It is no activity. */
  record Inspect() implements Command {}

  /**
   * An administrator ends all sessions of the user, and log-ins that are on their way: such a one
   * is refused after it, also where nothing is known of the user yet.
   */
  record EndAll(Request request) implements Command {}

  /**
   * An administrator ends a session of the user.
   *
   * @param tag {@link SessionId#tag()}
   */
  record EndOne(Request request, long tag) implements Command {}

  /** The agenda says that something may be due. */
  record Wake() implements Command {}

  /** A change, and the resource whose revision a precondition speaks of. */
  sealed interface Action {

    /** A merge patch of the attributes (RFC 7396). */
    record MergeAttributes(Json.Obj patch) implements Action {}

    record PutAttribute(String name, Json value) implements Action {}

    record RemoveAttribute(String name) implements Action {}

    /** Makes the token's next generation the only valid one. */
    record Rotate() implements Action {}

    /** Ends the session. */
    record LogOut() implements Action {}

    /**
     * Ends a session of the user.
     *
     * @param tag {@link SessionId#tag()}
     */
    record EndSession(long tag) implements Action {}

    /** Ends all sessions of the user but this. */
    record EndOthers() implements Action {}

    /**
     * Binds the session to a user; where it is bound to that user already, rotates.
     *
     * @param epoch the user's, as {@link AskEpoch} was answered; {@link #NOT_ADMITTED} if it was
     *     refused, and then this does what it does without the user: repeats, or rotates
     */
    record StartLogIn(SessionId newSession, String userId, long epoch, MergePolicy policy)
        implements Action {

      /** No user's epoch. */
      public static final long NOT_ADMITTED = -1;
    }

    /** Sets the whole line of the SKU. */
    record SetLine(Line line) implements Action {}

    /**
     * Changes part of a line; null leaves a part as it is.
     *
     * @param name new name, or null inside to remove it
     * @param attributes a merge patch; JSON null removes them all
     */
    record PatchLine(
        Sku sku,
        @Nullable Integer quantity,
        @Nullable Price unitPrice,
        @Nullable NewName name,
        @Nullable Json attributes)
        implements Action {}

    /** A name that is given, though it may be given as none. */
    record NewName(@Nullable String value) {}

    /** Adds pieces to the line of the SKU; price wins, name and attributes where given. */
    record AddToLine(
        Sku sku,
        int quantity,
        Price unitPrice,
        @Nullable String name,
        Json.@Nullable Obj attributes)
        implements Action {}

    record RemoveLine(Sku sku) implements Action {}

    record EmptyCart() implements Action {}

    /**
     * Turns the cart into an order.
     *
     * @param orderId new and unguessable
     */
    record CheckOut(String orderId, @Nullable String reference) implements Action {}

    /** {@return whether the precondition speaks of the cart, else of the session view} */
    default boolean onCart() {
      return switch (this) {
        case SetLine _ -> true;
        case PatchLine _ -> true;
        case AddToLine _ -> true;
        case RemoveLine _ -> true;
        case EmptyCart _ -> true;
        case CheckOut _ -> true;
        case MergeAttributes _ -> false;
        case PutAttribute _ -> false;
        case RemoveAttribute _ -> false;
        case Rotate _ -> false;
        case LogOut _ -> false;
        case EndSession _ -> false;
        case EndOthers _ -> false;
        case StartLogIn _ -> false;
      };
    }
  }
}
