package dev.holdfast.entity;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of what is sent from node to node, made of what {@link MessageWriter} lists. A variant
 * is a struct whose first field is its number.
 *
 * <p>Nodes of two versions meet while a cluster is upgraded. So within a version of a message a
 * number is never given another meaning, fields come and go at the end of a struct only, and what
 * earlier nodes do not know (a variant, a value of an enum) is sent only when all members know it.
 * The golden files of the tests pin the bytes.
 */
final class MessageCodec {

  /**
   * The values of an enum by their numbers, in an order of their own: that of the declaration may
   * change.
   */
  private static final class Numbered<E extends Enum<E>> {
    private final Class<E> type;
    private final List<E> values;

    Numbered(Class<E> type, List<E> values) {
      if (!EnumSet.copyOf(values).equals(EnumSet.allOf(type))) {
        throw new IllegalStateException("a value of " + type + " has no number");
      }
      this.type = type;
      this.values = values;
    }

    void write(MessageWriter out, E value) {
      out.count(values.indexOf(value));
    }

    E read(MessageReader in) {
      int number = in.count();
      if (number >= values.size()) {
        throw unknown(type.getSimpleName(), number);
      }
      return values.get(number);
    }
  }

  private static final Numbered<Answer.Cause> CAUSES =
      new Numbered<>(
          Answer.Cause.class,
          List.of(Answer.Cause.JOURNAL, Answer.Cause.OVERLOADED, Answer.Cause.NO_OWNER));

  private static final Numbered<Refusal.Reason> REASONS =
      new Numbered<>(
          Refusal.Reason.class,
          List.of(
              Refusal.Reason.SESSION_INVALID,
              Refusal.Reason.NO_SUCH_ATTRIBUTE,
              Refusal.Reason.NO_SUCH_LINE,
              Refusal.Reason.NO_SUCH_SESSION,
              Refusal.Reason.CART_EMPTY,
              Refusal.Reason.CART_FULL,
              Refusal.Reason.CURRENCY_MISMATCH,
              Refusal.Reason.QUANTITY_EXCEEDED,
              Refusal.Reason.USER_MISMATCH,
              Refusal.Reason.LOG_IN_OVERTAKEN,
              Refusal.Reason.STALE_REVISION,
              Refusal.Reason.TOO_LARGE,
              Refusal.Reason.KEY_REUSED,
              Refusal.Reason.TOO_MANY_REQUESTS));

  private static final Numbered<MergePolicy> POLICIES =
      new Numbered<>(
          MergePolicy.class,
          List.of(MergePolicy.SUM, MergePolicy.MAX, MergePolicy.USER, MergePolicy.VISITOR));

  private static final Numbered<CartMerge.Fate> FATES =
      new Numbered<>(
          CartMerge.Fate.class,
          List.of(
              CartMerge.Fate.KEPT,
              CartMerge.Fate.ADDED,
              CartMerge.Fate.SUMMED,
              CartMerge.Fate.GREATER,
              CartMerge.Fate.USERS,
              CartMerge.Fate.VISITORS,
              CartMerge.Fate.CAPPED,
              CartMerge.Fate.LEFT_OUT));

  private static final Outcome.Erased NOTHING_ERASED = new Outcome.Erased(0, 0);

  private MessageCodec() {}

  // ---------------------------------------------------------------------------------------------
  // Messages

  /**
   * Writes a question to a user's actor.
   *
   * @throws IllegalArgumentException if the message is one that never leaves its node
   */
  static void write(MessageWriter out, Addressed addressed, ActorRefResolver refs) {
    switch (addressed.message()) {
      case Message.Ask ask -> {
        if (!(ask.replyTo() instanceof Asker.ByMessage(ActorRef<Answer> replyTo))) {
          throw staysHere(addressed);
        }
        writeOwner(out, addressed.owner());
        out.text(refs.toSerializationFormat(replyTo));
        out.struct(ask.command(), MessageCodec::writeCommand);
        out.flag(ask.repeated());
        out.textOrNull(ask.trace());
        out.endOfFields();
      }
      case Message.Listen listen -> {
        writeOwner(out, addressed.owner());
        out.text(refs.toSerializationFormat(listen.listener()));
        out.endOfFields();
      }
      case Message.AdmissionCame _ -> throw staysHere(addressed);
      case Message.AdmissionLate _ -> throw staysHere(addressed);
      case Message.PurgeEnded _ -> throw staysHere(addressed);
      case Message.ErasureEnded _ -> throw staysHere(addressed);
      case Message.EraseAgain _ -> throw staysHere(addressed);
      case Message.Rest _ -> throw staysHere(addressed);
      case Message.Stop _ -> throw staysHere(addressed);
      case Message.End _ -> throw staysHere(addressed);
    }
  }

  private static IllegalArgumentException staysHere(Addressed addressed) {
    return new IllegalArgumentException(
        addressed.message().getClass().getSimpleName() + " is of one node only");
  }

  static Addressed readAddressed(MessageReader in, ActorRefResolver refs) {
    OwnerKey owner = readOwner(in);
    ActorRef<Answer> replyTo = refs.resolveActorRef(in.text());
    return new Addressed(
        owner,
        new Message.Ask(
            in.struct(MessageCodec::readCommand),
            new Asker.ByMessage(replyTo),
            in.flag(),
            in.hasMore() ? in.textOrNull() : null));
  }

  static Addressed readListen(MessageReader in, ActorRefResolver refs) {
    OwnerKey owner = readOwner(in);
    return new Addressed(owner, new Message.Listen(refs.resolveActorRef(in.text())));
  }

  static void write(MessageWriter out, Question question) {
    writeOwner(out, question.owner());
    out.flag(question.repeated());
    out.textOrNull(question.trace());
    out.struct(question.command(), MessageCodec::writeCommand);
    out.endOfFields();
  }

  static Question readQuestion(MessageReader in) {
    OwnerKey owner = readOwner(in);
    boolean repeated = in.flag();
    String trace = in.textOrNull();
    return new Question(owner, in.struct(MessageCodec::readCommand), repeated, trace);
  }

  private static void writeOwner(MessageWriter out, OwnerKey owner) {
    out.bits(owner.high());
    out.bits(owner.low());
  }

  private static OwnerKey readOwner(MessageReader in) {
    return new OwnerKey(in.bits(), in.bits());
  }

  static void write(MessageWriter out, Told told) {
    switch (told) {
      case Told.Happened t -> {
        out.count(1);
        writeOwner(out, t.owner());
        out.number(t.before());
        out.number(t.revision());
        out.list(
            t.events(),
            (to, event) -> {
              to.text(event.name());
              to.number(event.at());
              to.text(event.payload());
            });
      }
      case Told.Left t -> {
        out.count(2);
        writeOwner(out, t.owner());
      }
    }
    out.endOfFields();
  }

  static Told readTold(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 ->
          new Told.Happened(
              readOwner(in),
              in.number(),
              in.number(),
              in.list(from -> new Told.Written(from.text(), from.number(), from.text())));
      case 2 -> new Told.Left(readOwner(in));
      default -> throw unknown("told", variant);
    };
  }

  static void write(MessageWriter out, Answer answer) {
    switch (answer) {
      case Answer.Answered a -> {
        out.count(1);
        out.struct(a.reply(), MessageCodec::writeReply);
        out.text(a.node());
      }
      case Answer.Unavailable a -> {
        out.count(2);
        CAUSES.write(out, a.cause());
        out.number(a.retryAfterMillis());
      }
      case Answer.Unreadable _ -> out.count(3);
      case Answer.Unknown _ -> out.count(4);
    }
    out.endOfFields();
  }

  static Answer readAnswer(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 -> new Answer.Answered(in.struct(MessageCodec::readReply), in.text());
      case 2 -> new Answer.Unavailable(CAUSES.read(in), in.number());
      case 3 -> new Answer.Unreadable();
      case 4 -> new Answer.Unknown();
      default -> throw unknown("answer", variant);
    };
  }

  // ---------------------------------------------------------------------------------------------
  // Commands

  private static void writeCommand(MessageWriter out, Command command) {
    switch (command) {
      case Command.Look c -> {
        out.count(1);
        writeAccess(out, c.access());
      }
      case Command.ListSessions c -> {
        out.count(2);
        writeAccess(out, c.access());
      }
      case Command.Open c -> {
        out.count(3);
        writeRequest(out, c.request());
        writeId(out, c.session());
        out.textOrNull(c.userId());
        out.object(c.attributes());
        out.number(c.idleMillis());
        out.number(c.absoluteMillis());
      }
      case Command.Act c -> {
        out.count(4);
        writeAccess(out, c.access());
        writeRequest(out, c.request());
        out.struct(c.precondition(), MessageCodec::writePrecondition);
        out.struct(c.action(), MessageCodec::writeAction);
      }
      case Command.AskEpoch _ -> out.count(5);
      case Command.Admit c -> {
        out.count(6);
        out.struct(c.logIn(), MessageCodec::writeLogIn);
        out.struct(c.visitorSession(), MessageCodec::writeSession);
        out.struct(c.visitorCart(), MessageCodec::writeCart);
        out.number(c.visitorRevision());
      }
      case Command.Settle c -> {
        out.count(7);
        out.struct(c.admission(), MessageCodec::writeReply);
      }
      case Command.LookUnused c -> {
        out.count(8);
        writeId(out, c.session());
      }
      case Command.Erase c -> {
        out.count(9);
        writeRequest(out, c.request());
      }
      case Command.Wake _ -> out.count(10);
      case Command.Watch c -> {
        out.count(14);
        writeAccess(out, c.access());
      }
      case Command.Inspect _ -> out.count(11);
      case Command.EndAll c -> {
        out.count(12);
        writeRequest(out, c.request());
      }
      case Command.EndOne c -> {
        out.count(13);
        writeRequest(out, c.request());
        out.bits(c.tag());
      }
    }
  }

  private static Command readCommand(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 -> new Command.Look(readAccess(in));
      case 2 -> new Command.ListSessions(readAccess(in));
      case 3 ->
          new Command.Open(
              readRequest(in), readId(in), in.textOrNull(), in.object(), in.number(), in.number());
      case 4 ->
          new Command.Act(
              readAccess(in),
              readRequest(in),
              in.struct(MessageCodec::readPrecondition),
              in.struct(MessageCodec::readAction));
      case 5 -> new Command.AskEpoch();
      case 6 ->
          new Command.Admit(
              in.struct(MessageCodec::readLogIn),
              in.struct(MessageCodec::readSession),
              in.struct(MessageCodec::readCart),
              in.number());
      case 7 -> {
        if (in.struct(MessageCodec::readReply) instanceof Reply.Admission admission) {
          yield new Command.Settle(admission);
        }
        throw new IllegalArgumentException("an admission was expected");
      }
      case 8 -> new Command.LookUnused(readId(in));
      case 9 -> new Command.Erase(readRequest(in));
      case 10 -> new Command.Wake();
      case 14 -> new Command.Watch(readAccess(in));
      case 11 -> new Command.Inspect();
      case 12 -> new Command.EndAll(readRequest(in));
      case 13 -> new Command.EndOne(readRequest(in), in.bits());
      default -> throw unknown("command", variant);
    };
  }

  private static void writeAction(MessageWriter out, Action action) {
    switch (action) {
      case Action.MergeAttributes a -> {
        out.count(1);
        out.object(a.patch());
      }
      case Action.PutAttribute a -> {
        out.count(2);
        out.text(a.name());
        out.jsonOrNull(a.value());
      }
      case Action.RemoveAttribute a -> {
        out.count(3);
        out.text(a.name());
      }
      case Action.Rotate _ -> out.count(4);
      case Action.LogOut _ -> out.count(5);
      case Action.EndSession a -> {
        out.count(6);
        out.bits(a.tag());
      }
      case Action.EndOthers _ -> out.count(7);
      case Action.StartLogIn a -> {
        out.count(8);
        writeId(out, a.newSession());
        out.text(a.userId());
        out.number(a.epoch());
        POLICIES.write(out, a.policy());
      }
      case Action.SetLine a -> {
        out.count(9);
        out.struct(a.line(), MessageCodec::writeLine);
      }
      case Action.PatchLine a -> {
        out.count(10);
        out.text(a.sku().value());
        Integer quantity = a.quantity();
        out.flag(quantity != null);
        if (quantity != null) {
          out.number(quantity);
        }
        Price price = a.unitPrice();
        out.flag(price != null);
        if (price != null) {
          writePrice(out, price);
        }
        Action.NewName name = a.name();
        out.flag(name != null);
        if (name != null) {
          out.textOrNull(name.value());
        }
        out.jsonOrNull(a.attributes());
      }
      case Action.AddToLine a -> {
        out.count(11);
        out.text(a.sku().value());
        out.number(a.quantity());
        writePrice(out, a.unitPrice());
        out.textOrNull(a.name());
        out.jsonOrNull(a.attributes());
      }
      case Action.RemoveLine a -> {
        out.count(12);
        out.text(a.sku().value());
      }
      case Action.EmptyCart _ -> out.count(13);
      case Action.CheckOut a -> {
        out.count(14);
        out.text(a.orderId());
        out.textOrNull(a.reference());
      }
    }
  }

  private static Action readAction(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 -> new Action.MergeAttributes(in.object());
      case 2 -> {
        String name = in.text();
        var value = in.jsonOrNull();
        if (value == null) {
          throw new IllegalArgumentException("a value is missing");
        }
        yield new Action.PutAttribute(name, value);
      }
      case 3 -> new Action.RemoveAttribute(in.text());
      case 4 -> new Action.Rotate();
      case 5 -> new Action.LogOut();
      case 6 -> new Action.EndSession(in.bits());
      case 7 -> new Action.EndOthers();
      case 8 -> new Action.StartLogIn(readId(in), in.text(), in.number(), POLICIES.read(in));
      case 9 -> new Action.SetLine(in.struct(MessageCodec::readLine));
      case 10 ->
          new Action.PatchLine(
              new Sku(in.text()),
              in.flag() ? in.integer() : null,
              in.flag() ? readPrice(in) : null,
              in.flag() ? new Action.NewName(in.textOrNull()) : null,
              in.jsonOrNull());
      case 11 -> {
        var sku = new Sku(in.text());
        int quantity = in.integer();
        Price price = readPrice(in);
        String name = in.textOrNull();
        var attributes = in.jsonOrNull();
        if (attributes == null || attributes instanceof Json.Obj) {
          yield new Action.AddToLine(sku, quantity, price, name, (Json.Obj) attributes);
        }
        throw new IllegalArgumentException("an object was expected");
      }
      case 12 -> new Action.RemoveLine(new Sku(in.text()));
      case 13 -> new Action.EmptyCart();
      case 14 -> new Action.CheckOut(in.text(), in.textOrNull());
      default -> throw unknown("action", variant);
    };
  }

  private static void writePrecondition(MessageWriter out, Precondition precondition) {
    switch (precondition) {
      case Precondition.None _ -> out.count(1);
      case Precondition.OneOf oneOf -> {
        out.count(2);
        out.list(oneOf.revisions().stream().sorted().toList(), MessageWriter::number);
      }
    }
  }

  private static Precondition readPrecondition(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 -> Precondition.None.none();
      case 2 -> new Precondition.OneOf(Set.copyOf(in.list(MessageReader::number)));
      default -> throw unknown("precondition", variant);
    };
  }

  // ---------------------------------------------------------------------------------------------
  // Replies

  private static void writeReply(MessageWriter out, Reply reply) {
    switch (reply) {
      case Reply.Done r -> {
        out.count(1);
        out.struct(r.outcome(), MessageCodec::writeOutcome);
        out.flag(r.replayed());
        out.number(r.revision());
        Reply.View view = r.view();
        out.flag(view != null);
        if (view != null) {
          out.struct(view, MessageCodec::writeView);
        }
      }
      case Reply.Seen r -> {
        out.count(2);
        out.struct(r.view(), MessageCodec::writeView);
      }
      case Reply.Sessions r -> {
        out.count(3);
        writeId(out, r.asking());
        writeViews(out, r.sessions());
      }
      case Reply.Epoch r -> {
        out.count(4);
        out.number(r.epoch());
      }
      case Reply.Admitted r -> {
        out.count(5);
        writeId(out, r.logIn());
        out.number(r.revision());
        POLICIES.write(out, r.policy());
        out.list(r.report(), MessageCodec::writeReportEntry);
      }
      case Reply.NotAdmitted r -> {
        out.count(6);
        writeId(out, r.logIn());
        out.struct(r.refusal(), MessageCodec::writeRefusal);
      }
      case Reply.Refused r -> {
        out.count(7);
        out.struct(r.refusal(), MessageCodec::writeRefusal);
      }
      case Reply.NothingLeft _ -> out.count(8);
      case Reply.Nothing _ -> out.count(9);
      case Reply.Inspected r -> {
        out.count(10);
        out.textOrNull(r.userId());
        out.number(r.revision());
        out.number(r.lastEntryAt());
        out.struct(r.cart(), MessageCodec::writeCart);
        writeViews(out, r.sessions());
      }
    }
  }

  private static Reply readReply(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 ->
          new Reply.Done(
              in.struct(MessageCodec::readOutcome),
              in.flag(),
              in.number(),
              in.flag() ? in.struct(MessageCodec::readView) : null);
      case 2 -> new Reply.Seen(in.struct(MessageCodec::readView));
      case 3 -> new Reply.Sessions(readId(in), readViews(in));
      case 4 -> new Reply.Epoch(in.number());
      case 5 ->
          new Reply.Admitted(
              readId(in), in.number(), POLICIES.read(in), in.list(MessageCodec::readReportEntry));
      case 6 -> new Reply.NotAdmitted(readId(in), in.struct(MessageCodec::readRefusal));
      case 7 -> new Reply.Refused(in.struct(MessageCodec::readRefusal));
      case 8 -> new Reply.NothingLeft();
      case 9 -> new Reply.Nothing();
      case 10 -> {
        String userId = in.textOrNull();
        long revision = in.number();
        long lastEntryAt = in.number();
        Cart cart = in.struct(MessageCodec::readCart);
        yield new Reply.Inspected(userId, revision, lastEntryAt, readViews(in), cart);
      }
      default -> throw unknown("reply", variant);
    };
  }

  private static void writeRefusal(MessageWriter out, Refusal refusal) {
    REASONS.write(out, refusal.reason());
    out.text(refusal.detail());
    if (refusal.retryAfterMillis() != 0) {
      out.number(refusal.retryAfterMillis());
    }
  }

  private static Refusal readRefusal(MessageReader in) {
    return new Refusal(REASONS.read(in), in.text(), in.hasMore() ? in.number() : 0);
  }

  private static void writeOutcome(MessageWriter out, Outcome outcome) {
    switch (outcome) {
      case Outcome.Changed _ -> out.count(1);
      case Outcome.Created _ -> out.count(2);
      case Outcome.Opened o -> {
        out.count(3);
        writeId(out, o.session());
      }
      case Outcome.Rotated o -> {
        out.count(4);
        writeId(out, o.session());
        out.number(o.generation());
      }
      case Outcome.LoggedOut _ -> out.count(5);
      case Outcome.Ended o -> {
        out.count(6);
        out.number(o.count());
      }
      case Outcome.Erased o -> {
        if (o.equals(NOTHING_ERASED)) {
          out.count(7);
        } else {
          out.count(10);
          out.number(o.at());
          out.number(o.sessions());
        }
      }
      case Outcome.CheckedOut o -> {
        out.count(8);
        out.struct(o.order(), MessageCodec::writeOrder);
      }
      case Outcome.LoggedIn o -> {
        out.count(9);
        out.text(o.userId());
        writeId(out, o.session());
        POLICIES.write(out, o.policy());
        out.list(o.report(), MessageCodec::writeReportEntry);
      }
    }
  }

  private static Outcome readOutcome(MessageReader in) {
    int variant = in.count();
    return switch (variant) {
      case 1 -> Outcome.Changed.changed();
      case 2 -> Outcome.Created.created();
      case 3 -> new Outcome.Opened(readId(in));
      case 4 -> new Outcome.Rotated(readId(in), in.integer());
      case 5 -> Outcome.LoggedOut.loggedOut();
      case 6 -> new Outcome.Ended(in.integer());
      case 7 -> NOTHING_ERASED;
      case 8 -> new Outcome.CheckedOut(in.struct(MessageCodec::readOrder));
      case 9 ->
          new Outcome.LoggedIn(
              in.text(), readId(in), POLICIES.read(in), in.list(MessageCodec::readReportEntry));
      case 10 -> new Outcome.Erased(in.number(), in.integer());
      default -> throw unknown("outcome", variant);
    };
  }

  /** All sessions of a user have one cart, which may be large: it is written with the first. */
  private static void writeViews(MessageWriter out, List<Reply.View> views) {
    out.count(views.size());
    @Nullable Cart before = null;
    for (Reply.View view : views) {
      boolean same = view.cart().equals(before);
      out.struct(
          view,
          (to, each) -> {
            writeViewer(to, each);
            to.flag(same);
            if (!same) {
              to.struct(each.cart(), MessageCodec::writeCart);
            }
          });
      before = view.cart();
    }
  }

  private static List<Reply.View> readViews(MessageReader in) {
    var views = new ArrayList<Reply.View>();
    int count = in.count();
    for (int i = 0; i < count; i++) {
      views.add(
          in.struct(from -> {
            String userId = from.textOrNull();
            Session session = from.struct(MessageCodec::readSession);
            long lastSeenAt = from.number();
            if (!from.flag()) {
              Cart cart = from.struct(MessageCodec::readCart);
              return new Reply.View(userId, session, lastSeenAt, cart);
            }
            if (views.isEmpty()) {
              throw new IllegalArgumentException("a cart is missing");
            }
            return new Reply.View(userId, session, lastSeenAt, views.getLast().cart());
          }));
    }
    return views;
  }

  private static void writeView(MessageWriter out, Reply.View view) {
    writeViewer(out, view);
    out.struct(view.cart(), MessageCodec::writeCart);
  }

  private static Reply.View readView(MessageReader in) {
    return new Reply.View(
        in.textOrNull(),
        in.struct(MessageCodec::readSession),
        in.number(),
        in.struct(MessageCodec::readCart));
  }

  private static void writeViewer(MessageWriter out, Reply.View view) {
    out.textOrNull(view.userId());
    out.struct(view.session(), MessageCodec::writeSession);
    out.number(view.lastSeenAt());
  }

  // ---------------------------------------------------------------------------------------------
  // Parts. What is no struct of its own cannot grow: that takes a new version of the message.

  private static void writeAccess(MessageWriter out, Command.Access access) {
    writeId(out, access.session());
    out.number(access.generation());
  }

  private static Command.Access readAccess(MessageReader in) {
    return new Command.Access(readId(in), in.integer());
  }

  private static void writeRequest(MessageWriter out, Request request) {
    out.bits(request.id().high());
    out.bits(request.id().low());
    out.bits(request.fingerprint());
    out.flag(request.keyed());
  }

  private static Request readRequest(MessageReader in) {
    return new Request(new RequestId(in.bits(), in.bits()), in.bits(), in.flag());
  }

  private static void writeId(MessageWriter out, SessionId id) {
    out.bits(id.high());
    out.bits(id.low());
  }

  private static SessionId readId(MessageReader in) {
    return new SessionId(in.bits(), in.bits());
  }

  private static void writePrice(MessageWriter out, Price price) {
    out.number(price.minorUnits());
    out.text(price.currency().getCurrencyCode());
  }

  private static Price readPrice(MessageReader in) {
    return new Price(in.number(), Price.currency(in.text()));
  }

  private static void writeLogIn(MessageWriter out, LogIn logIn) {
    writeId(out, logIn.id());
    out.text(logIn.userId());
    out.number(logIn.epoch());
    POLICIES.write(out, logIn.policy());
    writeId(out, logIn.session());
    writeRequest(out, logIn.request());
    out.number(logIn.startedAt());
  }

  private static LogIn readLogIn(MessageReader in) {
    return new LogIn(
        readId(in),
        in.text(),
        in.number(),
        POLICIES.read(in),
        readId(in),
        readRequest(in),
        in.number());
  }

  private static void writeSession(MessageWriter out, Session session) {
    writeId(out, session.id());
    out.number(session.generation());
    out.flag(session.confirmed());
    out.object(session.attributes());
    out.number(session.createdAt());
    out.number(session.lastSeenAt());
    out.number(session.idleMillis());
    out.number(session.absoluteMillis());
    out.number(session.revision());
  }

  private static Session readSession(MessageReader in) {
    return new Session(
        readId(in),
        in.integer(),
        in.flag(),
        in.object(),
        in.number(),
        in.number(),
        in.number(),
        in.number(),
        in.number());
  }

  private static void writeCart(MessageWriter out, Cart cart) {
    out.list(cart.lines(), MessageCodec::writeLine);
    out.number(cart.revision());
    Cart.LastOrder order = cart.lastOrder();
    out.textOrNull(order == null ? null : order.orderId());
    if (order != null) {
      out.number(order.at());
    }
  }

  private static Cart readCart(MessageReader in) {
    List<Line> lines = in.list(MessageCodec::readLine);
    long revision = in.number();
    String order = in.textOrNull();
    return new Cart(lines, revision, order == null ? null : new Cart.LastOrder(order, in.number()));
  }

  private static void writeLine(MessageWriter out, Line line) {
    out.text(line.sku().value());
    out.number(line.quantity());
    writePrice(out, line.unitPrice());
    out.textOrNull(line.name());
    out.object(line.attributes());
  }

  private static Line readLine(MessageReader in) {
    return new Line(new Sku(in.text()), in.integer(), readPrice(in), in.textOrNull(), in.object());
  }

  private static void writeOrder(MessageWriter out, Order order) {
    out.text(order.id());
    out.textOrNull(order.reference());
    out.list(order.lines(), MessageCodec::writeLine);
    out.number(order.at());
  }

  private static Order readOrder(MessageReader in) {
    return new Order(in.text(), in.textOrNull(), in.list(MessageCodec::readLine), in.number());
  }

  private static void writeReportEntry(MessageWriter out, CartMerge.Entry entry) {
    out.text(entry.sku().value());
    FATES.write(out, entry.fate());
    out.number(entry.userQuantity());
    out.number(entry.visitorQuantity());
    out.number(entry.quantity());
    out.flag(entry.priceReplaced());
  }

  private static CartMerge.Entry readReportEntry(MessageReader in) {
    return new CartMerge.Entry(
        new Sku(in.text()), FATES.read(in), in.integer(), in.integer(), in.integer(), in.flag());
  }

  private static IllegalArgumentException unknown(String what, int number) {
    return new IllegalArgumentException("this version knows no " + what + " " + number);
  }
}
