package dev.holdfast.entity;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One value of everything that goes into the journal; the golden files hold their bytes. */
final class Samples {

  static final long AT = 1_700_000_000_123L;
  static final long DEADLINE = AT + 1_980_000;
  static final SessionId SESSION = new SessionId(0x0123456789abcdefL, 0xfedcba9876543210L);
  static final SessionId OTHER = new SessionId(1, 2);
  static final RequestId REQUEST = new RequestId(3, -4);

  static final Json.Obj ATTRIBUTES =
      object(
          "theme",
          new Json.Text("dark \"night\" ünïcode 😀"),
          "sizes",
          new Json.Array(List.of(new Json.Num("1.50"), new Json.Num("-2e400"))),
          "nested",
          object("b", Json.Literal.NULL, "a", Json.Literal.TRUE));

  static final Line LINE =
      new Line(
          new Sku("shoe-42"),
          3,
          new Price(1235, Price.currency("EUR")),
          "Läufer",
          object("color", new Json.Text("red")));
  static final Line PLAIN_LINE =
      new Line(new Sku("x"), 1, new Price(0, Price.currency("JPY")), null, Json.Obj.empty());
  static final Order ORDER = new Order("order-1", "ref-7", List.of(LINE, PLAIN_LINE), AT);
  static final List<CartMerge.Entry> REPORT =
      List.of(
          entry("a", CartMerge.Fate.KEPT, false),
          entry("b", CartMerge.Fate.ADDED, false),
          entry("c", CartMerge.Fate.SUMMED, true),
          entry("d", CartMerge.Fate.GREATER, false),
          entry("e", CartMerge.Fate.USERS, false),
          entry("f", CartMerge.Fate.VISITORS, false),
          entry("g", CartMerge.Fate.CAPPED, true),
          entry("h", CartMerge.Fate.LEFT_OUT, false));
  static final LogIn LOG_IN =
      new LogIn(
          OTHER, "ada", 5, MergePolicy.MAX, SESSION, new Request(REQUEST, -9, true), AT - 1_000);

  /** One entry of every event, by the name of its golden file. */
  static final Map<String, Entry> ENTRIES = entries();

  static final User USER =
      new User(
          "ada",
          List.of(
              new Session(SESSION, 2, true, ATTRIBUTES, AT - 9, AT, 1_800_000, 604_800_000, 7),
              new Session(OTHER, 1, false, Json.Obj.empty(), AT, AT, 60_000, 120_000, 8)),
          new Cart(List.of(LINE, PLAIN_LINE), 9, new Cart.LastOrder("order-1", AT - 5)),
          9,
          AT,
          AT - 1,
          0,
          5,
          null,
          receipts(
              receipt(Receipt.Kind.SERVER, null, Outcome.Changed.changed()),
              receipt(Receipt.Kind.CALLER, SESSION, Outcome.Created.created()),
              receipt(Receipt.Kind.CALLER, SESSION, Outcome.LoggedOut.loggedOut()),
              receipt(Receipt.Kind.OPENING, SESSION, new Outcome.Opened(SESSION)),
              receipt(Receipt.Kind.CALLER, SESSION, new Outcome.Rotated(SESSION, 2)),
              receipt(Receipt.Kind.CALLER, SESSION, new Outcome.Ended(4)),
              receipt(Receipt.Kind.CALLER, SESSION, new Outcome.CheckedOut(ORDER)),
              receipt(
                  Receipt.Kind.LOG_IN,
                  null,
                  new Outcome.LoggedIn("ada", OTHER, MergePolicy.VISITOR, REPORT))));

  static final User FROZEN =
      new User(
          null,
          List.of(
              new Session(SESSION, 1, true, Json.Obj.empty(), AT, AT, 1_800_000, 604_800_000, 1)),
          Cart.empty(),
          2,
          AT,
          AT,
          0,
          0,
          LOG_IN,
          Receipts.none());

  private Samples() {}

  private static Receipts receipts(Receipt... receipts) {
    return Receipts.of(List.of(receipts));
  }

  private static Map<String, Entry> entries() {
    var entries = new LinkedHashMap<String, Entry>();
    entries.put(
        "session.opened.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.OPENING, SESSION, new Outcome.Opened(SESSION)),
            new Event.SessionOpened(SESSION, null, ATTRIBUTES, 1_800_000, 604_800_000)));
    entries.put(
        "session.attributes-changed.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.SERVER, SESSION, Outcome.Changed.changed()),
            new Event.AttributesChanged(SESSION, ATTRIBUTES, List.of("old", "older"))));
    entries.put(
        "session.rotated.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.CALLER, SESSION, new Outcome.Rotated(SESSION, 2)),
            new Event.SessionRotated(SESSION, 2)));
    entries.put(
        "session.touched.v1", entry(null, null, new Event.SessionTouched(SESSION, AT - 30)));
    entries.put(
        "session.ended.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.CALLER, SESSION, Outcome.LoggedOut.loggedOut()),
            new Event.SessionEnded(SESSION, Event.EndReason.LOGGED_OUT)));
    entries.put(
        "session.expired.v1",
        entry(null, null, new Event.SessionExpired(SESSION, Event.Limit.IDLE)));
    entries.put(
        "session.others-ended.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.CALLER, SESSION, new Outcome.Ended(1)),
            new Event.OthersEnded(SESSION, List.of(OTHER))));
    entries.put(
        "cart.line-set.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.CALLER, SESSION, Outcome.Created.created()),
            new Event.LineSet(LINE)));
    entries.put(
        "cart.line-removed.v1", entry(SESSION, null, new Event.LineRemoved(new Sku("shoe-42"))));
    entries.put("cart.emptied.v1", entry(SESSION, null, new Event.CartEmptied()));
    entries.put(
        "user.erased.v1",
        entry(
            null,
            receipt(Receipt.Kind.CALLER, null, new Outcome.Erased(AT, 0)),
            new Event.UserErased(9, 2)));
    entries.put(
        "session.ended-by-administrator.v1",
        entry(
            null,
            receipt(Receipt.Kind.CALLER, null, new Outcome.Ended(2)),
            new Event.EndedByAdministrator(List.of(SESSION, OTHER), true)));
    entries.put("cart.abandoned.v1", entry(null, null, new Event.CartAbandoned(AT - 3_600_000)));
    entries.put("cart.expired.v1", entry(null, null, new Event.CartExpired()));
    entries.put(
        "cart.checked-out.v1",
        entry(
            SESSION,
            receipt(Receipt.Kind.CALLER, SESSION, new Outcome.CheckedOut(ORDER)),
            new Event.CartCheckedOut(ORDER)));
    entries.put("log-in.started.v1", entry(SESSION, null, new Event.LogInStarted(LOG_IN)));
    entries.put(
        "log-in.finished.v1",
        entry(
            null,
            receipt(
                Receipt.Kind.CALLER,
                SESSION,
                new Outcome.LoggedIn("ada", OTHER, MergePolicy.MAX, REPORT)),
            new Event.LogInFinished(OTHER)));
    entries.put(
        "log-in.refused.v1",
        entry(null, null, new Event.LogInRefused(OTHER, Refusal.Reason.LOG_IN_OVERTAKEN)));
    entries.put(
        "log-in.admitted.v1",
        entry(
            null,
            receipt(
                Receipt.Kind.LOG_IN,
                null,
                new Outcome.LoggedIn("ada", OTHER, MergePolicy.USER, REPORT)),
            new Event.LogInAdmitted(
                "ada",
                OTHER,
                ATTRIBUTES,
                AT - 5,
                1_800_000,
                604_800_000,
                MergePolicy.USER,
                List.of(LINE),
                REPORT,
                17)));
    return entries;
  }

  private static Entry entry(@Nullable SessionId by, @Nullable Receipt receipt, Event event) {
    return new Entry(AT, by, receipt, event);
  }

  private static Receipt receipt(Receipt.Kind kind, @Nullable SessionId by, Outcome outcome) {
    return new Receipt(REQUEST, 77, kind, AT, by, outcome, 9);
  }

  private static CartMerge.Entry entry(String sku, CartMerge.Fate fate, boolean priceReplaced) {
    return new CartMerge.Entry(new Sku(sku), fate, 1, 2, 3, priceReplaced);
  }

  private static Json.Obj object(Object... members) {
    var object = Json.Obj.empty();
    for (int i = 0; i < members.length; i += 2) {
      object = object.with((String) members[i], (Json) members[i + 1]);
    }
    return object;
  }
}
