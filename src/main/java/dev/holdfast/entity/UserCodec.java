package dev.holdfast.entity;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Receipt;
import dev.holdfast.user.Receipts;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import dev.holdfast.user.User;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a user's events and snapshots: compact JSON in UTF-8 under an explicit name with a
 * version.
 *
 * <p>What is written once must be readable for ever: a change of meaning takes a new version of the
 * name, beside which the old one goes on being read. Reading passes over members that it does not
 * know and needs no order; writing has one fixed order, so equal values give equal bytes. The
 * golden files of the tests pin the bytes of every version.
 */
public final class UserCodec {

  /** Bytes in the journal that this version cannot read. */
  public static final class Undecodable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Undecodable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  static final String SNAPSHOT = "user.v1";

  private UserCodec() {}

  // ---------------------------------------------------------------------------------------------
  // Events

  /**
   * Encodes an entry.
   *
   * @param deadline when the user must next be woken: milliseconds since 1970, or {@link
   *     User#NEVER}
   */
  public static JournalEvent encode(Entry entry, long deadline) {
    byte[] payload =
        JsonText.bytes(out -> {
          out.writeStartObject();
          writeId(out, "by", entry.by());
          Receipt receipt = entry.receipt();
          if (receipt != null) {
            out.writeFieldName("receipt");
            writeReceipt(out, receipt, false);
          }
          writeEvent(out, entry.event());
          out.writeEndObject();
        });
    return new JournalEvent(name(entry.event()), payload, entry.at(), deadline);
  }

  /**
   * Decodes an entry.
   *
   * @throws Undecodable if the name is unknown or the payload is not of its form
   */
  public static Entry decode(JournalEvent stored) {
    return read(
        stored.name(),
        stored.payload(),
        in -> {
          Json.@Nullable Obj receipt = in.object("receipt");
          return new Entry(
              stored.at(),
              in.sessionIdOrNull("by"),
              receipt == null ? null : readReceipt(new Members(receipt), stored.at()),
              readEvent(stored.name(), in));
        });
  }

  /**
   * {@return the name under which an event is kept} A node that does not know a name cannot read
   * the user; {@link Event#form} says which kinds came later than others.
   */
  static String name(Event event) {
    return switch (event) {
      case Event.SessionOpened _ -> "session.opened.v1";
      case Event.AttributesChanged _ -> "session.attributes-changed.v1";
      case Event.SessionRotated _ -> "session.rotated.v1";
      case Event.SessionTouched _ -> "session.touched.v1";
      case Event.SessionEnded _ -> "session.ended.v1";
      case Event.SessionExpired _ -> "session.expired.v1";
      case Event.OthersEnded _ -> "session.others-ended.v1";
      case Event.EndedByAdministrator _ -> "session.ended-by-administrator.v1";
      case Event.UserErased _ -> "user.erased.v1";
      case Event.LineSet _ -> "cart.line-set.v1";
      case Event.LineRemoved _ -> "cart.line-removed.v1";
      case Event.CartEmptied _ -> "cart.emptied.v1";
      case Event.CartExpired _ -> "cart.expired.v1";
      case Event.CartAbandoned _ -> "cart.abandoned.v1";
      case Event.CartCheckedOut _ -> "cart.checked-out.v1";
      case Event.LogInStarted _ -> "log-in.started.v1";
      case Event.LogInFinished _ -> "log-in.finished.v1";
      case Event.LogInRefused _ -> "log-in.refused.v1";
      case Event.LogInAdmitted _ -> "log-in.admitted.v1";
    };
  }

  private static void writeEvent(JsonGenerator out, Event event) throws IOException {
    switch (event) {
      case Event.SessionOpened e -> {
        writeId(out, "session", e.session());
        writeText(out, "user", e.userId());
        writeObject(out, "attributes", e.attributes());
        out.writeNumberField("idle", e.idleMillis());
        out.writeNumberField("absolute", e.absoluteMillis());
      }
      case Event.AttributesChanged e -> {
        writeId(out, "session", e.session());
        writeObject(out, "set", e.set());
        if (!e.removed().isEmpty()) {
          out.writeArrayFieldStart("removed");
          for (String name : e.removed()) {
            out.writeString(name);
          }
          out.writeEndArray();
        }
      }
      case Event.SessionRotated e -> {
        writeId(out, "session", e.session());
        out.writeNumberField("generation", e.generation());
      }
      case Event.SessionTouched e -> {
        writeId(out, "session", e.session());
        out.writeNumberField("seen", e.seenAt());
      }
      case Event.SessionEnded e -> {
        writeId(out, "session", e.session());
        out.writeStringField(
            "reason",
            switch (e.reason()) {
              case LOGGED_OUT -> "logged-out";
              case ENDED_BY_USER -> "ended-by-user";
              case DISPLACED -> "displaced";
            });
      }
      case Event.SessionExpired e -> {
        writeId(out, "session", e.session());
        out.writeStringField(
            "limit",
            switch (e.limit()) {
              case IDLE -> "idle";
              case ABSOLUTE -> "absolute";
            });
      }
      case Event.OthersEnded e -> {
        writeId(out, "kept", e.kept());
        writeIds(out, "ended", e.ended());
      }
      case Event.EndedByAdministrator e -> {
        writeIds(out, "sessions", e.sessions());
        out.writeBooleanField("everywhere", e.everywhere());
      }
      case Event.UserErased e -> {
        out.writeNumberField("revision", e.revision());
        out.writeNumberField("epoch", e.epoch());
      }
      case Event.LineSet e -> writeLineMembers(out, e.line());
      case Event.LineRemoved e -> out.writeStringField("sku", e.sku().value());
      case Event.CartEmptied _ -> {}
      case Event.CartExpired _ -> {}
      case Event.CartAbandoned e -> out.writeNumberField("quiet", e.quietSince());
      case Event.CartCheckedOut e -> {
        out.writeFieldName("order");
        writeOrder(out, e.order());
      }
      case Event.LogInStarted e -> {
        out.writeFieldName("logIn");
        writeLogIn(out, e.logIn());
      }
      case Event.LogInFinished e -> writeId(out, "logIn", e.logIn());
      case Event.LogInRefused e -> {
        writeId(out, "logIn", e.logIn());
        out.writeStringField("reason", reasonName(e.reason()));
      }
      case Event.LogInAdmitted e -> {
        out.writeStringField("user", e.userId());
        writeId(out, "session", e.session());
        writeObject(out, "attributes", e.attributes());
        out.writeNumberField("created", e.createdAt());
        out.writeNumberField("idle", e.idleMillis());
        out.writeNumberField("absolute", e.absoluteMillis());
        out.writeStringField("policy", policyName(e.policy()));
        writeLines(out, "lines", e.lines());
        writeReport(out, e.report());
        out.writeNumberField("visitorRevision", e.visitorRevision());
      }
    }
  }

  private static Event readEvent(String name, Members in) {
    return switch (name) {
      case "session.opened.v1" ->
          new Event.SessionOpened(
              in.sessionId("session"),
              in.textOrNull("user"),
              in.attributes("attributes"),
              in.number("idle"),
              in.number("absolute"));
      case "session.attributes-changed.v1" ->
          new Event.AttributesChanged(
              in.sessionId("session"), in.attributes("set"), in.list("removed", Members::asText));
      case "session.rotated.v1" ->
          new Event.SessionRotated(in.sessionId("session"), in.integer("generation"));
      case "session.touched.v1" ->
          new Event.SessionTouched(in.sessionId("session"), in.number("seen"));
      case "session.ended.v1" ->
          new Event.SessionEnded(
              in.sessionId("session"),
              switch (in.text("reason")) {
                case "logged-out" -> Event.EndReason.LOGGED_OUT;
                case "ended-by-user" -> Event.EndReason.ENDED_BY_USER;
                case "displaced" -> Event.EndReason.DISPLACED;
                case String other -> throw unknown("reason", other);
              });
      case "session.expired.v1" ->
          new Event.SessionExpired(
              in.sessionId("session"),
              switch (in.text("limit")) {
                case "idle" -> Event.Limit.IDLE;
                case "absolute" -> Event.Limit.ABSOLUTE;
                case String other -> throw unknown("limit", other);
              });
      case "session.others-ended.v1" ->
          new Event.OthersEnded(
              in.sessionId("kept"),
              in.list("ended", item -> SessionId.parse(Members.asText(item))));
      case "session.ended-by-administrator.v1" ->
          new Event.EndedByAdministrator(
              in.list("sessions", item -> SessionId.parse(Members.asText(item))),
              in.get("everywhere") == Json.Literal.TRUE);
      case "user.erased.v1" -> new Event.UserErased(in.number("revision"), in.number("epoch"));
      case "cart.line-set.v1" -> new Event.LineSet(readLine(in));
      case "cart.line-removed.v1" -> new Event.LineRemoved(new Sku(in.text("sku")));
      case "cart.emptied.v1" -> new Event.CartEmptied();
      case "cart.expired.v1" -> new Event.CartExpired();
      case "cart.abandoned.v1" -> new Event.CartAbandoned(in.number("quiet"));
      case "cart.checked-out.v1" -> new Event.CartCheckedOut(readOrder(in.members("order")));
      case "log-in.started.v1" -> new Event.LogInStarted(readLogIn(in.members("logIn")));
      case "log-in.finished.v1" -> new Event.LogInFinished(in.sessionId("logIn"));
      case "log-in.refused.v1" ->
          new Event.LogInRefused(in.sessionId("logIn"), readReason(in.text("reason")));
      case "log-in.admitted.v1" ->
          new Event.LogInAdmitted(
              in.text("user"),
              in.sessionId("session"),
              in.attributes("attributes"),
              in.number("created"),
              in.number("idle"),
              in.number("absolute"),
              readPolicy(in.text("policy")),
              in.list("lines", UserCodec::readLine),
              readReport(in),
              in.number("visitorRevision"));
      default -> throw unknown("event", name);
    };
  }

  // ---------------------------------------------------------------------------------------------
  // Snapshots

  /**
   * Encodes a state; equal states give equal bytes.
   *
   * @throws IllegalArgumentException if it is larger than the journal takes
   */
  public static JournalSnapshot encode(User user) {
    return new JournalSnapshot(SNAPSHOT, bytes(user));
  }

  /** {@return the state encoded, or null if it is larger than the journal takes} */
  static @Nullable JournalSnapshot encodeIfItFits(User user) {
    byte[] payload = JsonText.bytes(writing(user), JournalEvent.MAX_PAYLOAD);
    return payload == null ? null : new JournalSnapshot(SNAPSHOT, payload);
  }

  /** {@return the state encoded, however large; equal states give equal bytes} */
  static byte[] bytes(User user) {
    return JsonText.bytes(writing(user));
  }

  private static JsonText.Writing writing(User user) {
    return out -> {
      out.writeStartObject();
      writeText(out, "user", user.userId());
      out.writeNumberField("revision", user.revision());
      out.writeNumberField("last", user.lastEntryAt());
      out.writeNumberField("active", user.activeAt());
      if (user.abandonedAt() != 0) {
        out.writeNumberField("abandoned", user.abandonedAt());
      }
      out.writeNumberField("epoch", user.epoch());
      out.writeArrayFieldStart("sessions");
      for (Session session : user.sessions()) {
        writeSession(out, session);
      }
      out.writeEndArray();
      writeCart(out, user.cart());
      LogIn logIn = user.logIn();
      if (logIn != null) {
        out.writeFieldName("logIn");
        writeLogIn(out, logIn);
      }
      out.writeArrayFieldStart("receipts");
      for (Receipt receipt : user.receipts()) {
        writeReceipt(out, receipt, true);
      }
      out.writeEndArray();
      out.writeEndObject();
    };
  }

  /**
   * Decodes a state.
   *
   * @throws Undecodable if the name is unknown or the payload is not of its form
   */
  public static User decode(JournalSnapshot stored) {
    if (!stored.name().equals(SNAPSHOT)) {
      throw unknown("snapshot", stored.name());
    }
    return read(
        stored.name(),
        stored.payload(),
        in -> {
          Json.@Nullable Obj logIn = in.object("logIn");
          return new User(
              in.textOrNull("user"),
              in.list("sessions", item -> readSession(Members.of(item))),
              readCart(in.members("cart")),
              in.number("revision"),
              in.number("last"),
              in.number("active"),
              in.get("abandoned") == null ? 0 : in.number("abandoned"),
              in.number("epoch"),
              logIn == null ? null : readLogIn(new Members(logIn)),
              Receipts.of(
                  in.list(
                      "receipts",
                      item -> {
                        Members receipt = Members.of(item);
                        return readReceipt(receipt, receipt.number("at"));
                      })));
        });
  }

  private static void writeSession(JsonGenerator out, Session session) throws IOException {
    out.writeStartObject();
    writeId(out, "id", session.id());
    out.writeNumberField("generation", session.generation());
    if (!session.confirmed()) {
      out.writeBooleanField("confirmed", false);
    }
    writeObject(out, "attributes", session.attributes());
    out.writeNumberField("created", session.createdAt());
    out.writeNumberField("seen", session.lastSeenAt());
    out.writeNumberField("idle", session.idleMillis());
    out.writeNumberField("absolute", session.absoluteMillis());
    out.writeNumberField("revision", session.revision());
    out.writeEndObject();
  }

  private static Session readSession(Members in) {
    return new Session(
        in.sessionId("id"),
        in.integer("generation"),
        in.get("confirmed") != Json.Literal.FALSE,
        in.attributes("attributes"),
        in.number("created"),
        in.number("seen"),
        in.number("idle"),
        in.number("absolute"),
        in.number("revision"));
  }

  private static void writeCart(JsonGenerator out, Cart cart) throws IOException {
    out.writeObjectFieldStart("cart");
    out.writeNumberField("revision", cart.revision());
    writeLines(out, "lines", cart.lines());
    Cart.LastOrder last = cart.lastOrder();
    if (last != null) {
      out.writeStringField("order", last.orderId());
      out.writeNumberField("orderedAt", last.at());
    }
    out.writeEndObject();
  }

  private static Cart readCart(Members in) {
    String order = in.textOrNull("order");
    return new Cart(
        in.list("lines", UserCodec::readLine),
        in.number("revision"),
        order == null ? null : new Cart.LastOrder(order, in.number("orderedAt")));
  }

  // ---------------------------------------------------------------------------------------------
  // Parts

  private static void writeLines(JsonGenerator out, String name, List<Line> lines)
      throws IOException {
    out.writeArrayFieldStart(name);
    for (Line line : lines) {
      out.writeStartObject();
      writeLineMembers(out, line);
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void writeLineMembers(JsonGenerator out, Line line) throws IOException {
    out.writeStringField("sku", line.sku().value());
    out.writeNumberField("quantity", line.quantity());
    out.writeNumberField("price", line.unitPrice().minorUnits());
    out.writeStringField("currency", line.unitPrice().currency().getCurrencyCode());
    writeText(out, "name", line.name());
    writeObject(out, "attributes", line.attributes());
  }

  private static Line readLine(Json item) {
    return readLine(Members.of(item));
  }

  private static Line readLine(Members in) {
    return new Line(
        new Sku(in.text("sku")),
        in.integer("quantity"),
        new Price(in.number("price"), Price.currency(in.text("currency"))),
        in.textOrNull("name"),
        in.attributes("attributes"));
  }

  private static void writeOrder(JsonGenerator out, Order order) throws IOException {
    out.writeStartObject();
    out.writeStringField("id", order.id());
    writeText(out, "reference", order.reference());
    writeLines(out, "lines", order.lines());
    out.writeNumberField("at", order.at());
    out.writeEndObject();
  }

  private static Order readOrder(Members in) {
    return new Order(
        in.text("id"),
        in.textOrNull("reference"),
        in.list("lines", UserCodec::readLine),
        in.number("at"));
  }

  private static void writeLogIn(JsonGenerator out, LogIn logIn) throws IOException {
    out.writeStartObject();
    writeId(out, "id", logIn.id());
    out.writeStringField("user", logIn.userId());
    out.writeNumberField("epoch", logIn.epoch());
    out.writeStringField("policy", policyName(logIn.policy()));
    writeId(out, "session", logIn.session());
    out.writeStringField("request", logIn.request().id().toString());
    out.writeNumberField("fingerprint", logIn.request().fingerprint());
    out.writeBooleanField("keyed", logIn.request().keyed());
    out.writeNumberField("started", logIn.startedAt());
    out.writeEndObject();
  }

  private static LogIn readLogIn(Members in) {
    return new LogIn(
        in.sessionId("id"),
        in.text("user"),
        in.number("epoch"),
        readPolicy(in.text("policy")),
        in.sessionId("session"),
        new Request(
            RequestId.parse(in.text("request")),
            in.number("fingerprint"),
            in.get("keyed") == Json.Literal.TRUE),
        in.number("started"));
  }

  private static void writeReceipt(JsonGenerator out, Receipt receipt, boolean withTime)
      throws IOException {
    out.writeStartObject();
    out.writeStringField("request", receipt.id().toString());
    out.writeNumberField("fingerprint", receipt.fingerprint());
    out.writeStringField(
        "kind",
        switch (receipt.kind()) {
          case SERVER -> "server";
          case CALLER -> "caller";
          case LOG_IN -> "log-in";
          case OPENING -> "opening";
        });
    if (withTime) {
      out.writeNumberField("at", receipt.at());
    }
    writeId(out, "by", receipt.by());
    out.writeNumberField("revision", receipt.revision());
    switch (receipt.outcome()) {
      case Outcome.Changed _ -> out.writeStringField("outcome", "changed");
      case Outcome.Created _ -> out.writeStringField("outcome", "created");
      case Outcome.Erased erased -> { // its time is the receipt's
        out.writeStringField("outcome", "erased");
        if (erased.sessions() > 0) {
          out.writeNumberField("sessions", erased.sessions());
        }
      }
      case Outcome.LoggedOut _ -> out.writeStringField("outcome", "logged-out");
      case Outcome.Opened opened -> {
        out.writeStringField("outcome", "opened");
        writeId(out, "session", opened.session());
      }
      case Outcome.Rotated rotated -> {
        out.writeStringField("outcome", "rotated");
        writeId(out, "session", rotated.session());
        out.writeNumberField("generation", rotated.generation());
      }
      case Outcome.Ended ended -> {
        out.writeStringField("outcome", "ended");
        out.writeNumberField("count", ended.count());
      }
      case Outcome.CheckedOut checkedOut -> {
        out.writeStringField("outcome", "checked-out");
        out.writeFieldName("order");
        writeOrder(out, checkedOut.order());
      }
      case Outcome.LoggedIn loggedIn -> {
        out.writeStringField("outcome", "logged-in");
        out.writeStringField("user", loggedIn.userId());
        writeId(out, "session", loggedIn.session());
        out.writeStringField("policy", policyName(loggedIn.policy()));
        writeReport(out, loggedIn.report());
      }
    }
    out.writeEndObject();
  }

  private static Receipt readReceipt(Members in, long at) {
    return new Receipt(
        RequestId.parse(in.text("request")),
        in.number("fingerprint"),
        switch (in.text("kind")) {
          case "server" -> Receipt.Kind.SERVER;
          case "caller" -> Receipt.Kind.CALLER;
          case "log-in" -> Receipt.Kind.LOG_IN;
          case "opening" -> Receipt.Kind.OPENING;
          case String other -> throw unknown("kind", other);
        },
        at,
        in.sessionIdOrNull("by"),
        switch (in.text("outcome")) {
          case "changed" -> Outcome.Changed.changed();
          case "created" -> Outcome.Created.created();
          case "erased" ->
              new Outcome.Erased(at, in.get("sessions") == null ? 0 : in.integer("sessions"));
          case "logged-out" -> Outcome.LoggedOut.loggedOut();
          case "opened" -> new Outcome.Opened(in.sessionId("session"));
          case "rotated" -> new Outcome.Rotated(in.sessionId("session"), in.integer("generation"));
          case "ended" -> new Outcome.Ended(in.integer("count"));
          case "checked-out" -> new Outcome.CheckedOut(readOrder(in.members("order")));
          case "logged-in" ->
              new Outcome.LoggedIn(
                  in.text("user"),
                  in.sessionId("session"),
                  readPolicy(in.text("policy")),
                  readReport(in));
          case String other -> throw unknown("outcome", other);
        },
        in.number("revision"));
  }

  private static void writeReport(JsonGenerator out, List<CartMerge.Entry> report)
      throws IOException {
    out.writeArrayFieldStart("report");
    for (CartMerge.Entry entry : report) {
      out.writeStartObject();
      out.writeStringField("sku", entry.sku().value());
      out.writeStringField(
          "fate",
          switch (entry.fate()) {
            case KEPT -> "kept";
            case ADDED -> "added";
            case SUMMED -> "summed";
            case GREATER -> "greater";
            case USERS -> "users";
            case VISITORS -> "visitors";
            case CAPPED -> "capped";
            case LEFT_OUT -> "left-out";
          });
      out.writeNumberField("user", entry.userQuantity());
      out.writeNumberField("visitor", entry.visitorQuantity());
      out.writeNumberField("quantity", entry.quantity());
      if (entry.priceReplaced()) {
        out.writeBooleanField("priceReplaced", true);
      }
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static List<CartMerge.Entry> readReport(Members in) {
    return in.list(
        "report",
        item -> {
          Members entry = Members.of(item);
          return new CartMerge.Entry(
              new Sku(entry.text("sku")),
              switch (entry.text("fate")) {
                case "kept" -> CartMerge.Fate.KEPT;
                case "added" -> CartMerge.Fate.ADDED;
                case "summed" -> CartMerge.Fate.SUMMED;
                case "greater" -> CartMerge.Fate.GREATER;
                case "users" -> CartMerge.Fate.USERS;
                case "visitors" -> CartMerge.Fate.VISITORS;
                case "capped" -> CartMerge.Fate.CAPPED;
                case "left-out" -> CartMerge.Fate.LEFT_OUT;
                case String other -> throw unknown("fate", other);
              },
              entry.integer("user"),
              entry.integer("visitor"),
              entry.integer("quantity"),
              entry.get("priceReplaced") == Json.Literal.TRUE);
        });
  }

  private static String policyName(MergePolicy policy) {
    return switch (policy) {
      case SUM -> "sum";
      case MAX -> "max";
      case USER -> "user";
      case VISITOR -> "visitor";
    };
  }

  private static MergePolicy readPolicy(String name) {
    return switch (name) {
      case "sum" -> MergePolicy.SUM;
      case "max" -> MergePolicy.MAX;
      case "user" -> MergePolicy.USER;
      case "visitor" -> MergePolicy.VISITOR;
      default -> throw unknown("policy", name);
    };
  }

  /** Only the reasons for which a log-in is refused are ever written. */
  private static String reasonName(Refusal.Reason reason) {
    return switch (reason) {
      case LOG_IN_OVERTAKEN -> "overtaken";
      case USER_MISMATCH -> "user-mismatch";
      case SESSION_INVALID,
          NO_SUCH_ATTRIBUTE,
          NO_SUCH_LINE,
          NO_SUCH_SESSION,
          CART_EMPTY,
          CART_FULL,
          CURRENCY_MISMATCH,
          QUANTITY_EXCEEDED,
          STALE_REVISION,
          TOO_LARGE,
          KEY_REUSED,
          TOO_MANY_REQUESTS ->
          throw new IllegalArgumentException("no log-in is refused for " + reason);
    };
  }

  private static Refusal.Reason readReason(String name) {
    return switch (name) {
      case "overtaken" -> Refusal.Reason.LOG_IN_OVERTAKEN;
      case "user-mismatch" -> Refusal.Reason.USER_MISMATCH;
      default -> throw unknown("reason", name);
    };
  }

  private static void writeId(JsonGenerator out, String name, @Nullable SessionId id)
      throws IOException {
    if (id != null) {
      out.writeStringField(name, id.toString());
    }
  }

  private static void writeIds(JsonGenerator out, String name, List<SessionId> ids)
      throws IOException {
    out.writeArrayFieldStart(name);
    for (SessionId id : ids) {
      out.writeString(id.toString());
    }
    out.writeEndArray();
  }

  private static void writeText(JsonGenerator out, String name, @Nullable String text)
      throws IOException {
    if (text != null) {
      out.writeStringField(name, text);
    }
  }

  private static void writeObject(JsonGenerator out, String name, Json.Obj object)
      throws IOException {
    if (!object.isEmpty()) {
      out.writeFieldName(name);
      JsonText.write(object, out);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // JSON

  private static <T> T read(String name, byte[] payload, Function<Members, T> reading) {
    try (JsonParser in = JsonText.FACTORY.createParser(payload)) {
      in.nextToken();
      return reading.apply(Members.of(JsonText.read(in)));
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new Undecodable("the payload of " + name + " is not of its form", e);
    }
  }

  private static Undecodable unknown(String what, String name) {
    return new Undecodable("this version knows no " + what + " '" + name + "'", null);
  }

  /** The members of an object, by name and type. */
  private record Members(Json.Obj object) {

    static Members of(Json value) {
      if (value instanceof Json.Obj object) {
        return new Members(object);
      }
      throw new IllegalArgumentException("an object was expected");
    }

    static String asText(Json value) {
      if (value instanceof Json.Text text) {
        return text.value();
      }
      throw new IllegalArgumentException("a string was expected");
    }

    @Nullable Json get(String name) {
      return object.get(name);
    }

    Json.@Nullable Obj object(String name) {
      return object.get(name) instanceof Json.Obj nested ? nested : null;
    }

    Members members(String name) {
      return of(required(name));
    }

    Json.Obj attributes(String name) {
      Json.Obj nested = object(name);
      return nested == null ? Json.Obj.empty() : nested;
    }

    String text(String name) {
      return asText(required(name));
    }

    @Nullable String textOrNull(String name) {
      return object.get(name) instanceof Json.Text text ? text.value() : null;
    }

    long number(String name) {
      if (required(name) instanceof Json.Num number) {
        return Long.parseLong(number.literal());
      }
      throw new IllegalArgumentException(name + " must be a number");
    }

    int integer(String name) {
      return Math.toIntExact(number(name));
    }

    SessionId sessionId(String name) {
      return SessionId.parse(text(name));
    }

    @Nullable SessionId sessionIdOrNull(String name) {
      String text = textOrNull(name);
      return text == null ? null : SessionId.parse(text);
    }

    <T> List<T> list(String name, Function<Json, T> reading) {
      if (!(object.get(name) instanceof Json.Array array)) {
        return List.of();
      }
      var items = new ArrayList<T>(array.items().size());
      for (Json item : array.items()) {
        items.add(reading.apply(item));
      }
      return List.copyOf(items);
    }

    private Json required(String name) {
      Json value = object.get(name);
      if (value == null) {
        throw new IllegalArgumentException(name + " is missing");
      }
      return value;
    }
  }
}
