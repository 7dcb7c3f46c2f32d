package dev.holdfast.user;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.Order;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A user with their sessions and their cart: the whole state that one actor holds.
 *
 * <p>Everything here is journaled state: {@code apply} makes it from the entries alone, so live
 * state, replay, and snapshot with later entries are the same. What reads learn between two
 * journaled moments (when a session was last seen) is {@link Presence}, beside it.
 *
 * @param userId null for a visitor, and before the first session
 * @param sessions in the order in which they were opened
 * @param revision of the last entry; grows with each
 * @param lastEntryAt the user's time never runs behind it; milliseconds since 1970
 * @param activeAt the last moment at which a session that has ended may have been active
 * @param abandonedAt when the cart was last told to be abandoned, in milliseconds since 1970, or 0
 * @param epoch counts the times at which all sessions, or all but one, were ended
 * @param logIn the visitor's unfinished log-in: while there is one, the visitor is frozen
 * @param receipts of the changes whose requests may still be repeated, oldest first
 */
public record User(
    @Nullable String userId,
    List<Session> sessions,
    Cart cart,
    long revision,
    long lastEntryAt,
    long activeAt,
    long abandonedAt,
    long epoch,
    @Nullable LogIn logIn,
    Receipts receipts) {

  /** No deadline: nothing will ever be due. */
  public static final long NEVER = Long.MAX_VALUE;

  /** How long a visitor's log-in may be under way before the agenda looks after it. */
  static final long LOG_IN_PATIENCE_MILLIS = 2_000;

  /**
   * How old a log-in may be to begin at the user's side. Shorter than its receipt is kept there, so
   * an answer that was given once is never forgotten while it could be asked for again.
   */
  static final long LOG_IN_VALID_MILLIS = 24 * 3_600_000L;

  /**
   * How many log-ins of a user are remembered at a time, each for a week: one a minute, and no more
   * memory than that.
   */
  static final int MAX_LOG_INS = 10_000;

  /**
   * How many lines of carts their reports may tell of in all: memory, too, that stays for a week.
   */
  static final int MAX_LOG_IN_LINES = 100_000;

  private static final int FIRST_GENERATION = 1;

  private static final User NOBODY =
      new User(null, List.of(), Cart.empty(), 0, 0, 0, 0, 0, null, Receipts.none());

  public User {
    sessions = List.copyOf(sessions);
  }

  /** {@return the state before the first entry} */
  public static User nobody() {
    return NOBODY;
  }

  /** {@return whether commands must wait until the log-in under way has ended} */
  public boolean frozen() {
    return logIn != null;
  }

  /**
   * {@return when this user must be woken though nobody asks, in milliseconds since 1970, or {@link
   * #NEVER}}
   */
  public long deadline(Limits limits) {
    if (logIn != null) {
      return logIn.startedAt() + LOG_IN_PATIENCE_MILLIS; // nothing else can happen before its end
    }
    long deadline = NEVER;
    for (Session session : sessions) {
      deadline = Math.min(deadline, session.expiresAt(session.lastSeen(Presence.unknown())));
    }
    return nothingLeft()
        ? historyKeptUntil(limits)
        : Math.min(
            deadline, Math.min(cartKeptUntil(Presence.unknown(), limits), cartAbandonedAt(limits)));
  }

  /** {@return whether there was something once, and is no session, log-in or line any more} */
  private boolean nothingLeft() {
    return revision > 0 && sessions.isEmpty() && logIn == null && cart.isEmpty();
  }

  /**
   * {@return until when the history is kept of somebody of whom nothing is left} No receipt is live
   * by then; and a known user has been away for as long as a cart of theirs would have been kept,
   * so their last order, and their revisions, are kept as long as that.
   */
  private long historyKeptUntil(Limits limits) {
    long until = Session.later(lastEntryAt, limits.historyMillis());
    if (userId != null) {
      until = Math.max(until, Session.later(activeAt, limits.cartRetentionMillis()));
    }
    for (Receipt receipt : receipts) {
      until = Math.max(until, receipt.forgottenAt());
    }
    return until;
  }

  /** {@return when a known user's cart has been kept long enough, or {@link #NEVER}} */
  private long cartKeptUntil(Presence presence, Limits limits) {
    if (userId == null || cart.isEmpty()) {
      return NEVER;
    }
    return Session.later(active(presence), limits.cartRetentionMillis());
  }

  /**
   * {@return when the cart is to be told as abandoned, or {@link #NEVER}} Goes by what is journaled
   * alone, so up to a tenth of the idle timeout later than presence would have it: the deadline is
   * journaled too, and a wake that comes by it must find something to do.
   */
  private long cartAbandonedAt(Limits limits) {
    long active = active(Presence.unknown());
    return cart.isEmpty() || abandonedAt >= active
        ? NEVER
        : Session.later(active, limits.abandonedCartMillis());
  }

  /** {@return the last moment at which any session may have been active} */
  private long active(Presence presence) {
    long active = activeAt;
    for (Session session : sessions) {
      active = Math.max(active, session.lastSeen(presence));
    }
    return active;
  }

  // ---------------------------------------------------------------------------------------------
  // Decide

  /**
   * Decides a command. Changes nothing and depends on nothing but its arguments.
   *
   * <p>While {@link #frozen()}, only {@link Command.Settle} and {@link Command.Wake} may be
   * decided.
   */
  public Decision decide(Command command, Context context) {
    var draft = new Draft(this, context);
    return switch (command) {
      case Command.Look look -> draft.look(look);
      case Command.Watch watch -> draft.watch(watch);
      case Command.ListSessions list -> draft.list(list);
      case Command.Act act -> draft.act(act);
      case Command.Open open -> draft.open(open);
      case Command.AskEpoch _ -> draft.askEpoch();
      case Command.Admit admit -> draft.admit(admit);
      case Command.Settle settle -> draft.settle(settle);
      case Command.LookUnused look -> draft.lookUnused(look);
      case Command.Erase erase -> draft.erase(erase);
      case Command.Inspect _ -> draft.inspect();
      case Command.EndAll end -> draft.endAll(end);
      case Command.EndOne end -> draft.endOne(end);
      case Command.Wake _ -> draft.wake();
    };
  }

  /** A decision in the making: the state so far and the entries that led to it. */
  private static final class Draft {
    /** That none has: session ids are random. */
    private static final SessionId NO_SESSION = new SessionId(0, 0);

    private User user;
    private final Context context;
    private final long now;
    private final List<Entry> entries = new ArrayList<>(1);
    private @Nullable SessionId seen;

    Draft(User user, Context context) {
      this.user = user;
      this.context = context;
      this.now = Math.max(context.now(), user.lastEntryAt);
    }

    // --- commands

    Decision look(Command.Look look) {
      Session session = enter(look.access());
      if (session == null) {
        return refuse(Refusal.sessionInvalid());
      }
      touch(session);
      return answer(new Reply.Seen(view(session.id())));
    }

    Decision watch(Command.Watch watch) {
      Session session = enter(watch.access());
      if (session == null) {
        return refuse(Refusal.sessionInvalid());
      }
      if (!session.confirmed()) {
        // No activity, but a use: from now on the request that made this token is not repeatable.
        emit(null, null, new Event.SessionTouched(session.id(), session.lastSeenAt()));
      }
      return answer(new Reply.Seen(view(session.id())));
    }

    Decision list(Command.ListSessions list) {
      Session session = enter(list.access());
      if (session == null) {
        return refuse(Refusal.sessionInvalid());
      }
      touch(session);
      return answer(
          new Reply.Sessions(
              session.id(), user.sessions.stream().map(each -> view(each.id())).toList()));
    }

    Decision lookUnused(Command.LookUnused look) {
      expire(look.session());
      Session session = user.session(look.session());
      // A later generation may be unused too, but its token is not the one that the log-in brought.
      return session == null || session.confirmed() || session.generation() != FIRST_GENERATION
          ? refuse(Refusal.sessionInvalid())
          : answer(new Reply.Seen(view(session.id())));
    }

    Decision askEpoch() {
      int logIns = 0;
      long lines = 0;
      long oldest = Long.MAX_VALUE;
      for (Receipt receipt : user.receipts) {
        if (receipt.kind() == Receipt.Kind.LOG_IN && receipt.live(now)) {
          logIns++;
          if (receipt.outcome() instanceof Outcome.LoggedIn loggedIn) {
            lines += loggedIn.report().size();
          }
          oldest = Math.min(oldest, receipt.forgottenAt());
        }
      }
      // Here, before the visitor is frozen: what was begun is never refused for lack of room.
      return logIns < MAX_LOG_INS && lines < MAX_LOG_IN_LINES
          ? answer(new Reply.Epoch(user.epoch))
          : refuse(
              new Refusal(
                  Reason.TOO_MANY_REQUESTS,
                  "The user has logged in " + logIns + " times within a week.",
                  Math.max(1, oldest - now)));
    }

    Decision wake() {
      expire(null);
      for (Session session : user.sessions) {
        long seenAt = context.presence().seen(session.id());
        boolean agendaIsDue = now >= session.expiresAt(session.lastSeen(Presence.unknown()));
        // What was seen before a rotation must not pass for a use of the token that it made.
        if (agendaIsDue
            && session.confirmed()
            && seenAt > session.lastSeenAt()
            && !context.expiryPaused()) {
          emit(null, null, new Event.SessionTouched(session.id(), seenAt));
        }
      }
      if (!context.expiryPaused()
          && now >= user.cartKeptUntil(context.presence(), context.limits())) {
        emit(null, null, new Event.CartExpired());
      }
      boolean over =
          !context.expiryPaused()
              && user.nothingLeft()
              && now >= user.historyKeptUntil(context.limits());
      return answer(over ? new Reply.NothingLeft() : new Reply.Nothing());
    }

    Decision erase(Command.Erase erase) {
      Receipt receipt = user.receipt(erase.request().id(), now);
      if (receipt != null) {
        return replay(receipt, erase.request(), null);
      }
      if (user.revision == 0) {
        return answer(new Reply.Done(new Outcome.Erased(0, 0), false, 0, null));
      }
      long revision = user.revision + 1;
      var outcome = new Outcome.Erased(now, user.sessions.size());
      emit(
          null,
          receipt(erase.request(), null, null, outcome, revision),
          new Event.UserErased(revision, user.epoch + 1));
      return answer(new Reply.Done(outcome, false, revision, null));
    }

    Decision inspect() {
      expire(null);
      return answer(
          new Reply.Inspected(
              user.userId,
              user.revision,
              user.lastEntryAt,
              user.sessions.stream().map(each -> view(each.id())).toList(),
              user.cart));
    }

    /** Never refused for want of room for its receipt: whoever fills it must not prevent it. */
    Decision endAll(Command.EndAll end) {
      Receipt receipt = user.receipt(end.request().id(), now);
      if (receipt != null) {
        return replay(receipt, end.request(), null);
      }
      expire(null);
      return endByAdministrator(
          end.request(), user.sessions.stream().map(Session::id).toList(), true);
    }

    Decision endOne(Command.EndOne end) {
      Receipt receipt = user.receipt(end.request().id(), now);
      if (receipt != null) {
        return replay(receipt, end.request(), null);
      }
      expire(null);
      for (Session session : user.sessions) {
        if (session.id().tag() == end.tag()) {
          return endByAdministrator(end.request(), List.of(session.id()), false);
        }
      }
      return refuse(noSuchSession());
    }

    private Decision endByAdministrator(
        Request request, List<SessionId> ended, boolean everywhere) {
      long revision = user.revision + 1;
      var outcome = new Outcome.Ended(ended.size());
      Event event = new Event.EndedByAdministrator(ended, everywhere);
      if (event.form() > context.form()) {
        // The kind of before that has the same effect; who it was is told by the audit log alone.
        event =
            everywhere
                ? new Event.OthersEnded(NO_SESSION, ended)
                : new Event.SessionEnded(ended.getFirst(), Event.EndReason.ENDED_BY_USER);
      }
      emit(null, receipt(request, null, null, outcome, revision), event);
      return answer(new Reply.Done(outcome, false, revision, null));
    }

    Decision open(Command.Open open) {
      Receipt known = user.receipt(open.request().id(), now);
      expire(
          known != null && known.outcome() instanceof Outcome.Opened opened
              ? opened.session()
              : null);
      Receipt receipt = user.receipt(open.request().id(), now);
      if (receipt != null) {
        return replay(receipt, open.request(), null);
      }
      if (user.userId != null && !user.userId.equals(open.userId())) {
        return refuse(
            Refusal.of(Reason.USER_MISMATCH, "This key belongs to another user; use another."));
      }
      Refusal full = tooManyReceipts(open.request());
      if (full != null) {
        return refuse(full);
      }
      displace();
      boolean visitor = open.userId() == null;
      var outcome = new Outcome.Opened(open.session());
      emit(
          open.session(),
          receipt(
              open.request(),
              visitor && open.request().keyed() ? Receipt.Kind.OPENING : null,
              open.session(),
              outcome,
              user.revision + 1),
          new Event.SessionOpened(
              open.session(),
              open.userId(),
              open.attributes(),
              open.idleMillis(),
              open.absoluteMillis()));
      return done(open.session(), outcome, user.revision);
    }

    Decision act(Command.Act act) {
      Access access = act.access();
      Session session = enter(access);
      Receipt receipt = user.receipt(act.request().id(), now);
      if (receipt != null && (session != null || user.mayRepeat(receipt, act.request(), access))) {
        if (session != null) {
          touch(session);
        }
        return replay(receipt, act.request(), session == null ? receipt.by() : session.id());
      }
      if (session == null) {
        return refuse(Refusal.sessionInvalid());
      }
      Refusal refusal = tooManyReceipts(act.request());
      if (refusal == null && !act.precondition().holds(revisionFor(act.action(), session))) {
        refusal =
            Refusal.of(
                Reason.STALE_REVISION,
                "The revision is " + revisionFor(act.action(), session) + " by now.");
      }
      if (refusal == null) {
        refusal = carryOut(act.action(), session, act.request());
      }
      if (refusal != null) {
        touch(session);
        return refuse(refusal);
      }
      Receipt made = entries.getLast().receipt();
      return made == null
          ? answer(new Reply.Nothing()) // a log-in was started; its end brings the answer
          : done(session.id(), made.outcome(), made.revision());
    }

    Decision admit(Command.Admit admit) {
      LogIn logIn = admit.logIn();
      Receipt receipt = user.receipt(requestOf(logIn), now);
      if (receipt != null && receipt.outcome() instanceof Outcome.LoggedIn earlier) {
        return answer(
            new Reply.Admitted(logIn.id(), receipt.revision(), earlier.policy(), earlier.report()));
      }
      if (user.userId != null && !user.userId.equals(logIn.userId())) {
        return answer(
            new Reply.NotAdmitted(
                logIn.id(), Refusal.of(Reason.USER_MISMATCH, "The user is another one.")));
      }
      if (logIn.epoch() != user.epoch || now - logIn.startedAt() >= LOG_IN_VALID_MILLIS) {
        return answer(
            new Reply.NotAdmitted(
                logIn.id(),
                Refusal.of(
                    Reason.LOG_IN_OVERTAKEN,
                    "All sessions of the user were ended while this log-in was on its way."
                        + " Log in again.")));
      }
      expire(null);
      displace();
      CartMerge merge =
          CartMerge.of(
              user.cart,
              admit.visitorCart(),
              logIn.policy(),
              context.limits().cartLines(),
              context.limits().quantity());
      Session visitor = admit.visitorSession();
      long revision = Math.max(user.revision, admit.visitorRevision()) + 1;
      emit(
          null,
          new Receipt(
              requestOf(logIn),
              0,
              Receipt.Kind.LOG_IN,
              now,
              null,
              new Outcome.LoggedIn(logIn.userId(), logIn.id(), merge.policy(), merge.report()),
              revision),
          new Event.LogInAdmitted(
              logIn.userId(),
              logIn.id(),
              visitor.attributes(),
              visitor.createdAt(),
              visitor.idleMillis(),
              visitor.absoluteMillis(),
              merge.policy(),
              merge.lines(),
              merge.report(),
              admit.visitorRevision()));
      seen = logIn.id();
      return answer(new Reply.Admitted(logIn.id(), revision, merge.policy(), merge.report()));
    }

    Decision settle(Command.Settle settle) {
      LogIn logIn = user.logIn;
      if (logIn == null || !logIn.id().equals(settle.admission().logIn())) {
        return answer(new Reply.Nothing()); // settled before
      }
      return switch (settle.admission()) {
        case Reply.Admitted admitted -> {
          var outcome =
              new Outcome.LoggedIn(
                  logIn.userId(), logIn.id(), admitted.policy(), admitted.report());
          emit(
              null,
              // The revision that a repeat must give again is the user's, who goes on with it.
              receipt(logIn.request(), null, logIn.session(), outcome, admitted.revision()),
              new Event.LogInFinished(logIn.id()));
          yield answer(new Reply.Done(outcome, false, admitted.revision(), null));
        }
        case Reply.NotAdmitted no -> {
          emit(null, null, new Event.LogInRefused(logIn.id(), no.refusal().reason()));
          yield refuse(no.refusal());
        }
      };
    }

    // --- the actions of a session; null when done

    private @Nullable Refusal carryOut(Action action, Session session, Request request) {
      return switch (action) {
        case Action.MergeAttributes a -> mergeAttributes(a, session, request);
        case Action.PutAttribute a -> putAttribute(a, session, request);
        case Action.RemoveAttribute a -> removeAttribute(a, session, request);
        case Action.Rotate _ -> rotate(session, request);
        case Action.LogOut _ ->
            change(
                session,
                request,
                Outcome.LoggedOut.loggedOut(),
                new Event.SessionEnded(session.id(), Event.EndReason.LOGGED_OUT));
        case Action.EndSession a -> endSession(a, session, request);
        case Action.EndOthers _ -> {
          var others =
              user.sessions.stream()
                  .map(Session::id)
                  .filter(id -> !id.equals(session.id()))
                  .toList();
          yield change(
              session,
              request,
              new Outcome.Ended(others.size()),
              new Event.OthersEnded(session.id(), others));
        }
        case Action.StartLogIn a -> startLogIn(a, session, request);
        case Action.SetLine a -> setLine(a.line(), session, request);
        case Action.PatchLine a -> patchLine(a, session, request);
        case Action.AddToLine a -> addToLine(a, session, request);
        case Action.RemoveLine a ->
            user.cart.line(a.sku()) == null
                ? noSuchLine()
                : change(
                    session, request, Outcome.Changed.changed(), new Event.LineRemoved(a.sku()));
        case Action.EmptyCart _ ->
            change(session, request, Outcome.Changed.changed(), new Event.CartEmptied());
        case Action.CheckOut a -> checkOut(a, session, request);
      };
    }

    private @Nullable Refusal mergeAttributes(
        Action.MergeAttributes merge, Session session, Request request) {
      Json.Obj before = session.attributes();
      Json.Obj after = before.merge(merge.patch());
      var set = new LinkedHashMap<String, Json>();
      var removed = new ArrayList<String>();
      for (String name : merge.patch().members().keySet()) {
        Json value = after.get(name);
        if (value != null) {
          set.put(name, value);
        } else if (before.get(name) != null) {
          removed.add(name);
        }
      }
      return setAttributes(
          session, request, after, new Json.Obj(set), removed, Outcome.Changed.changed());
    }

    private @Nullable Refusal putAttribute(
        Action.PutAttribute put, Session session, Request request) {
      Json.Obj after = session.attributes().with(put.name(), put.value());
      boolean known = session.attributes().get(put.name()) != null;
      return setAttributes(
          session,
          request,
          after,
          Json.Obj.empty().with(put.name(), put.value()),
          List.of(),
          known ? Outcome.Changed.changed() : Outcome.Created.created());
    }

    private @Nullable Refusal removeAttribute(
        Action.RemoveAttribute remove, Session session, Request request) {
      if (session.attributes().get(remove.name()) == null) {
        return Refusal.of(Reason.NO_SUCH_ATTRIBUTE, "The session has no attribute of that name.");
      }
      return setAttributes(
          session,
          request,
          session.attributes().without(remove.name()),
          Json.Obj.empty(),
          List.of(remove.name()),
          Outcome.Changed.changed());
    }

    private @Nullable Refusal setAttributes(
        Session session,
        Request request,
        Json.Obj after,
        Json.Obj set,
        List<String> removed,
        Outcome outcome) {
      int limit = context.limits().attributesBytes();
      if (after.size() > limit) {
        return Refusal.of(
            Reason.TOO_LARGE, "The attributes of a session may take " + limit + " bytes of JSON.");
      }
      return change(
          session, request, outcome, new Event.AttributesChanged(session.id(), set, removed));
    }

    private @Nullable Refusal rotate(Session session, Request request) {
      int next = session.generation() + 1;
      return change(
          session,
          request,
          new Outcome.Rotated(session.id(), next),
          new Event.SessionRotated(session.id(), next));
    }

    private @Nullable Refusal endSession(Action.EndSession end, Session session, Request request) {
      for (Session other : user.sessions) {
        if (other.id().tag() == end.tag()) {
          boolean own = other.id().equals(session.id());
          return change(
              session,
              request,
              own ? Outcome.LoggedOut.loggedOut() : new Outcome.Ended(1),
              new Event.SessionEnded(
                  other.id(), own ? Event.EndReason.LOGGED_OUT : Event.EndReason.ENDED_BY_USER));
        }
      }
      return noSuchSession();
    }

    private static Refusal noSuchSession() {
      return Refusal.of(Reason.NO_SUCH_SESSION, "The user has no session of that id.");
    }

    private @Nullable Refusal startLogIn(
        Action.StartLogIn start, Session session, Request request) {
      if (user.userId != null) {
        return user.userId.equals(start.userId())
            ? rotate(session, request)
            : Refusal.of(
                Reason.USER_MISMATCH,
                "The session is bound to another user; log out first, then open a new one.");
      }
      if (start.epoch() == Action.StartLogIn.NOT_ADMITTED) {
        return Refusal.of(Reason.TOO_MANY_REQUESTS, "The user has logged in too often.");
      }
      emit(
          session.id(),
          null,
          new Event.LogInStarted(
              new LogIn(
                  start.newSession(),
                  start.userId(),
                  start.epoch(),
                  start.policy(),
                  session.id(),
                  request,
                  now)));
      return null;
    }

    private @Nullable Refusal setLine(Line line, Session session, Request request) {
      boolean known = user.cart.line(line.sku()) != null;
      return putLine(
          line, session, request, known ? Outcome.Changed.changed() : Outcome.Created.created());
    }

    private @Nullable Refusal patchLine(Action.PatchLine patch, Session session, Request request) {
      Line old = user.cart.line(patch.sku());
      if (old == null) {
        return noSuchLine();
      }
      var name = patch.name();
      Json.Obj attributes =
          switch (patch.attributes()) {
            case null -> old.attributes();
            case Json.Obj nested -> old.attributes().merge(nested);
            case Json _ -> Json.Obj.empty();
          };
      var line =
          new Line(
              old.sku(),
              patch.quantity() == null ? old.quantity() : patch.quantity(),
              patch.unitPrice() == null ? old.unitPrice() : patch.unitPrice(),
              name == null ? old.name() : name.value(),
              attributes);
      return putLine(line, session, request, Outcome.Changed.changed());
    }

    private @Nullable Refusal addToLine(Action.AddToLine add, Session session, Request request) {
      Line old = user.cart.line(add.sku());
      if (old == null) {
        var attributes = add.attributes() == null ? Json.Obj.empty() : add.attributes();
        return putLine(
            new Line(add.sku(), add.quantity(), add.unitPrice(), add.name(), attributes),
            session,
            request,
            Outcome.Changed.changed());
      }
      if (!old.unitPrice().currency().equals(add.unitPrice().currency())) {
        return Refusal.of(
            Reason.CURRENCY_MISMATCH,
            "The line is in " + old.unitPrice().currency() + "; set it whole to change that.");
      }
      long quantity = (long) old.quantity() + add.quantity();
      if (quantity > context.limits().quantity()) {
        return Refusal.of(
            Reason.QUANTITY_EXCEEDED,
            "The line holds "
                + old.quantity()
                + " and may hold "
                + context.limits().quantity()
                + ".");
      }
      return putLine(
          new Line(
              old.sku(),
              (int) quantity,
              add.unitPrice(),
              add.name() == null ? old.name() : add.name(),
              add.attributes() == null ? old.attributes() : add.attributes()),
          session,
          request,
          Outcome.Changed.changed());
    }

    private @Nullable Refusal putLine(
        Line line, Session session, Request request, Outcome outcome) {
      Limits limits = context.limits();
      if (user.cart.line(line.sku()) == null && user.cart.lines().size() >= limits.cartLines()) {
        return Refusal.of(Reason.CART_FULL, "A cart may have " + limits.cartLines() + " lines.");
      }
      if (line.attributes().size() > limits.lineAttributesBytes()) {
        return Refusal.of(
            Reason.TOO_LARGE,
            "The attributes of a line may take "
                + limits.lineAttributesBytes()
                + " bytes of JSON.");
      }
      return change(session, request, outcome, new Event.LineSet(line));
    }

    private @Nullable Refusal checkOut(Action.CheckOut checkOut, Session session, Request request) {
      if (user.cart.isEmpty()) {
        return Refusal.of(Reason.CART_EMPTY, "There is nothing in the cart to check out.");
      }
      var order = new Order(checkOut.orderId(), checkOut.reference(), user.cart.lines(), now);
      return change(
          session, request, new Outcome.CheckedOut(order), new Event.CartCheckedOut(order));
    }

    private static Refusal noSuchLine() {
      return Refusal.of(Reason.NO_SUCH_LINE, "The cart has no line of that SKU.");
    }

    // --- what the commands share

    /**
     * Ends what is due and finds the session of a token; null if the token is not, or no longer,
     * valid.
     */
    private @Nullable Session enter(Access access) {
      expire(access.session());
      Session session = user.session(access.session());
      return session != null && session.generation() == access.generation() ? session : null;
    }

    /**
     * Journals that the cart is abandoned where it is time, before any activity or expiry ends the
     * quiet; and the expiry of every session whose time has come. While the journal is down, only
     * that of the asking one: it must not be told before it is journaled, whereas the others can
     * wait and must not stand in the way of a read.
     */
    private void expire(@Nullable SessionId asking) {
      if (context.expiryPaused() || user.frozen()) {
        return;
      }
      if (context.journalUp() && now >= user.cartAbandonedAt(context.limits())) {
        var abandoned = new Event.CartAbandoned(user.active(Presence.unknown()));
        if (abandoned.form() <= context.form()) { // else it waits: late is in its bounds
          emit(null, null, abandoned);
        }
      }
      for (Session session : user.sessions) {
        if (now >= session.expiresAt(session.lastSeen(context.presence()))
            && (context.journalUp() || session.id().equals(asking))) {
          emit(
              null,
              null,
              new Event.SessionExpired(
                  session.id(), now >= session.endsAt() ? Event.Limit.ABSOLUTE : Event.Limit.IDLE));
        }
      }
    }

    /** Makes room for one more session: the longest idle one ends. */
    private void displace() {
      while (user.sessions.size() >= context.limits().sessions()) {
        Session longestIdle = user.sessions.getFirst();
        for (Session session : user.sessions) {
          if (session.lastSeen(context.presence()) < longestIdle.lastSeen(context.presence())) {
            longestIdle = session;
          }
        }
        emit(null, null, new Event.SessionEnded(longestIdle.id(), Event.EndReason.DISPLACED));
      }
    }

    /**
     * Notes activity that changes nothing else. It is journaled only when the token was never used
     * before or a good while has passed; else it is the presence's matter.
     */
    private void touch(Session session) {
      if (!context.journalUp()) {
        if (!session.confirmed()) {
          // The request that made this token must not be repeatable after its first use.
          emit(null, null, new Event.SessionTouched(session.id(), now));
        }
        return;
      }
      seen = session.id();
      if (!session.confirmed() || now - session.lastSeenAt() > session.touchMillis()) {
        emit(null, null, new Event.SessionTouched(session.id(), now));
      }
    }

    /** Journals the event that carries out the request, with its receipt. */
    private @Nullable Refusal change(
        Session session, Request request, Outcome outcome, Event event) {
      emit(session.id(), receipt(request, null, session.id(), outcome, user.revision + 1), event);
      seen = session.id();
      return null;
    }

    private Receipt receipt(
        Request request,
        Receipt.@Nullable Kind kind,
        @Nullable SessionId by,
        Outcome outcome,
        long revision) {
      Receipt.Kind ordinary = request.keyed() ? Receipt.Kind.CALLER : Receipt.Kind.SERVER;
      return new Receipt(
          request.id(),
          request.fingerprint(),
          kind == null ? ordinary : kind,
          now,
          by,
          outcome,
          revision);
    }

    private @Nullable Refusal tooManyReceipts(Request request) {
      int limit =
          request.keyed() ? context.limits().callerKeys() : context.limits().serverRequests();
      if (user.receipts.size() < limit) {
        return null; // however many of them count
      }
      int live = 0;
      long oldest = Long.MAX_VALUE;
      for (Receipt receipt : user.receipts) {
        boolean administrators = receipt.by() == null;
        if (!administrators && receipt.kind().countsFor(request) && user.keeps(receipt, now)) {
          live++;
          if (receipt.live(now)) { // else it stays as long as the session that it opened
            oldest = Math.min(oldest, receipt.forgottenAt());
          }
        }
      }
      return live < limit
          ? null
          : new Refusal(
              Reason.TOO_MANY_REQUESTS,
              request.keyed()
                  ? "The user has " + live + " live idempotency keys; each is kept for 24 hours."
                  : "The user made " + live + " changes within a minute.",
              Math.max(1, oldest - now));
    }

    private Decision replay(Receipt receipt, Request request, @Nullable SessionId viewer) {
      if (receipt.fingerprint() != request.fingerprint()) {
        return refuse(
            Refusal.of(
                Reason.KEY_REUSED, "The idempotency key was used for another request before."));
      }
      SessionId session =
          receipt.outcome() instanceof Outcome.Opened opened ? opened.session() : viewer;
      boolean gone = session == null || user.session(session) == null;
      if (gone && receipt.outcome() instanceof Outcome.Opened) {
        return refuse(Refusal.sessionInvalid());
      }
      return answer(
          new Reply.Done(
              receipt.outcome(),
              true,
              receipt.revision(),
              gone || session == null ? null : view(session)));
    }

    private long revisionFor(Action action, Session session) {
      return action.onCart()
          ? user.cart.revision()
          : Math.max(user.cart.revision(), session.revision());
    }

    private Reply.View view(SessionId id) {
      Session session = user.session(id);
      if (session == null) {
        throw new IllegalStateException("no view of a session that is gone");
      }
      long lastSeen = Math.max(session.lastSeenAt(), context.presence().seen(id));
      return new Reply.View(
          user.userId, session, id.equals(seen) ? Math.max(now, lastSeen) : lastSeen, user.cart);
    }

    private void emit(@Nullable SessionId by, @Nullable Receipt receipt, Event event) {
      var entry = new Entry(now, by, receipt, event);
      entries.add(entry);
      user = user.apply(entry);
    }

    private Decision done(SessionId session, Outcome outcome, long revision) {
      boolean gone = user.session(session) == null;
      seen = gone ? null : session;
      return answer(new Reply.Done(outcome, false, revision, gone ? null : view(session)));
    }

    private Decision refuse(Refusal refusal) {
      return answer(new Reply.Refused(refusal));
    }

    Decision answer(Reply reply) {
      return new Decision(entries, reply, seen, user);
    }
  }

  private @Nullable Session session(SessionId id) {
    for (Session session : sessions) {
      if (session.id().equals(id)) {
        return session;
      }
    }
    return null;
  }

  /** {@return whether a change of that request has taken effect, as far as it is remembered} */
  public boolean hasReceipt(RequestId id) {
    return receipts.find(id, _ -> true) != null;
  }

  /** {@return the receipt of an earlier request of that id that is still kept, or null} */
  private @Nullable Receipt receipt(RequestId id, long now) {
    return receipts.find(id, receipt -> keeps(receipt, now));
  }

  private boolean keeps(Receipt receipt, long now) {
    return receipt.live(now)
        || (receipt.kind() == Receipt.Kind.OPENING
            && receipt.outcome() instanceof Outcome.Opened opened
            && session(opened.session()) != null);
  }

  /**
   * {@return whether a token that is dead by now may still repeat the request of the receipt} Only
   * the request that ended it may, and only until the token that it brought is first used.
   *
   * <p>What the server itself repeats is another matter: nobody else knows its id, so it is the
   * very request that took effect while the token was good, and it must not be told otherwise.
   */
  private boolean mayRepeat(Receipt receipt, Request request, Access access) {
    if (!access.session().equals(receipt.by()) || receipt.fingerprint() != request.fingerprint()) {
      return false;
    }
    return switch (receipt.outcome()) {
      case Outcome.LoggedOut _ -> session(access.session()) == null;
      // Whether the new token was used, the user's actor knows: see LookUnused.
      case Outcome.LoggedIn _ -> true;
      case Outcome.Rotated rotated -> {
        Session session = session(rotated.session());
        yield session != null
            && session.generation() == rotated.generation()
            && access.generation() == rotated.generation() - 1
            && !session.confirmed();
      }
      case Outcome.Opened _ -> false;
      case Outcome.Erased _ -> false;
      case Outcome.Changed _ -> receipt.kind() == Receipt.Kind.SERVER;
      case Outcome.Created _ -> receipt.kind() == Receipt.Kind.SERVER;
      case Outcome.Ended _ -> receipt.kind() == Receipt.Kind.SERVER;
      case Outcome.CheckedOut _ -> receipt.kind() == Receipt.Kind.SERVER;
    };
  }

  private static RequestId requestOf(LogIn logIn) {
    return new RequestId(logIn.id().high(), logIn.id().low());
  }

  // ---------------------------------------------------------------------------------------------
  // Apply

  /** {@return the state after an entry} Total: never throws, whatever the entry. */
  public User apply(Entry entry) {
    long next = revisionAfter(revision, entry.event());
    User user = noticed(entry);
    User changed =
        switch (entry.event()) {
          case Event.SessionOpened e ->
              user.opened(
                  e.userId(),
                  new Session(
                      e.session(),
                      FIRST_GENERATION,
                      true,
                      e.attributes(),
                      entry.at(),
                      entry.at(),
                      e.idleMillis(),
                      e.absoluteMillis(),
                      next));
          case Event.AttributesChanged e -> user.attributesChanged(e, next);
          case Event.SessionRotated e ->
              user.replaced(e.session(), s -> s.rotated(e.generation(), next));
          case Event.SessionTouched e -> user.replaced(e.session(), s -> s.seen(e.seenAt()));
          case Event.SessionEnded e -> user.ended(List.of(e.session()), entry.at(), next);
          case Event.SessionExpired e -> user.ended(List.of(e.session()), entry.at(), next);
          case Event.OthersEnded e -> user.ended(e.ended(), entry.at(), next).withEpoch(epoch + 1);
          case Event.EndedByAdministrator e ->
              user.ended(e.sessions(), entry.at(), next)
                  .withEpoch(e.everywhere() ? epoch + 1 : epoch);
          case Event.UserErased e -> erased(next, e.epoch());
          case Event.LineSet e -> user.withCart(cart.with(e.line(), next));
          case Event.LineRemoved e -> user.withCart(cart.without(e.sku(), next));
          case Event.CartEmptied _ -> user.withCart(cart.emptied(next));
          case Event.CartExpired _ -> user.withCart(cart.emptied(next));
          case Event.CartAbandoned _ -> user.withAbandonedAt(entry.at());
          case Event.CartCheckedOut e -> user.withCart(cart.checkedOut(e.order(), next));
          case Event.LogInStarted e -> user.withLogIn(e.logIn());
          case Event.LogInRefused _ -> user.withLogIn(null);
          case Event.LogInFinished _ -> {
            LogIn finished = user.logIn;
            yield finished == null
                ? user
                : user.withLogIn(null)
                    .withCart(cart.discarded(next)) // it is the known user's now
                    .ended(List.of(finished.session()), entry.at(), next);
          }
          case Event.LogInAdmitted e ->
              user.opened(
                      e.userId(),
                      new Session(
                          e.session(),
                          FIRST_GENERATION,
                          false,
                          e.attributes(),
                          e.createdAt(),
                          entry.at(),
                          e.idleMillis(),
                          e.absoluteMillis(),
                          next))
                  .withCart(cart.withLines(e.lines(), next));
        };
    return changed.recorded(entry, next);
  }

  /** {@return the revision of an event that follows one of the revision given} */
  public static long revisionAfter(long revision, Event event) {
    return switch (event) {
      case Event.LogInAdmitted admitted -> Math.max(revision, admitted.visitorRevision()) + 1;
      case Event.UserErased erased -> erased.revision(); // also where nothing before it is left
      case Event _ -> revision + 1;
    };
  }

  private static User erased(long revision, long epoch) {
    Cart cart = Cart.empty().emptied(revision);
    return new User(null, List.of(), cart, revision, 0, 0, 0, epoch, null, Receipts.none());
  }

  /** This state after the activity of the session whose entry it is. */
  private User noticed(Entry entry) {
    SessionId by = entry.by();
    return by == null ? this : replaced(by, session -> session.seen(entry.at()));
  }

  private User opened(@Nullable String knownAs, Session session) {
    var opened = new ArrayList<>(sessions);
    opened.add(session);
    return new User(
        knownAs == null ? userId : knownAs,
        opened,
        cart,
        revision,
        lastEntryAt,
        activeAt,
        abandonedAt,
        epoch,
        logIn,
        receipts);
  }

  private User attributesChanged(Event.AttributesChanged event, long atRevision) {
    return replaced(
        event.session(),
        session -> {
          var attributes = new LinkedHashMap<>(session.attributes().members());
          event.removed().forEach(attributes::remove);
          attributes.putAll(event.set().members());
          return session.withAttributes(
              attributes.isEmpty() ? Json.Obj.empty() : new Json.Obj(attributes), atRevision);
        });
  }

  /** This state without the sessions; a visitor's cart ends with the last of theirs. */
  private User ended(List<SessionId> ids, long at, long atRevision) {
    var others = new ArrayList<Session>(sessions.size());
    long active = activeAt;
    for (Session session : sessions) {
      if (ids.contains(session.id())) {
        active = Math.max(active, Math.min(at, session.lastSeen(Presence.unknown())));
      } else {
        others.add(session);
      }
    }
    Cart left = userId == null && others.isEmpty() ? cart.discarded(atRevision) : cart;
    return new User(
        userId, others, left, revision, lastEntryAt, active, abandonedAt, epoch, logIn, receipts);
  }

  private User replaced(SessionId id, UnaryOperator<Session> change) {
    for (int i = 0; i < sessions.size(); i++) {
      Session session = sessions.get(i);
      if (session.id().equals(id)) {
        var others = new ArrayList<>(sessions);
        others.set(i, change.apply(session));
        return withSessions(others);
      }
    }
    return this;
  }

  private User withSessions(List<Session> others) {
    return new User(
        userId, others, cart, revision, lastEntryAt, activeAt, abandonedAt, epoch, logIn, receipts);
  }

  private User withCart(Cart other) {
    return new User(
        userId,
        sessions,
        other,
        revision,
        lastEntryAt,
        activeAt,
        abandonedAt,
        epoch,
        logIn,
        receipts);
  }

  private User withEpoch(long other) {
    return new User(
        userId,
        sessions,
        cart,
        revision,
        lastEntryAt,
        activeAt,
        abandonedAt,
        other,
        logIn,
        receipts);
  }

  private User withAbandonedAt(long other) {
    return new User(
        userId, sessions, cart, revision, lastEntryAt, activeAt, other, epoch, logIn, receipts);
  }

  private User withLogIn(@Nullable LogIn other) {
    return new User(
        userId,
        sessions,
        cart,
        revision,
        lastEntryAt,
        activeAt,
        abandonedAt,
        epoch,
        other,
        receipts);
  }

  /** This state with the entry's number, time and receipt; receipts that have had their time go. */
  private User recorded(Entry entry, long atRevision) {
    Receipt receipt = entry.receipt();
    Receipts kept = receipts.kept(entry.at(), old -> keeps(old, entry.at()));
    return new User(
        userId,
        sessions,
        cart,
        atRevision,
        entry.at(),
        activeAt,
        abandonedAt,
        epoch,
        logIn,
        receipt == null ? kept : kept.with(receipt));
  }
}
