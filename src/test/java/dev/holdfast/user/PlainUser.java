package dev.holdfast.user;

import dev.holdfast.cart.Line;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rules of a user, written as plainly as they are told: one mutable object, no events, no
 * journal. It says what must be answered; what it cannot know after a crash (the last read of a
 * session) it holds as a span.
 */
final class PlainUser {

  static final long DAY = 24 * 3_600_000L;
  static final long MINUTE = 60_000;

  /** A revision above all before it; which one, no answer tells. */
  static final long HIGHER = -1;

  /** A session, alive. */
  static final class Sitting {
    final SessionId id;
    final long createdAt;
    final long idle;
    final long absolute;
    final Map<String, String> attributes = new LinkedHashMap<>();
    int generation = 1;
    boolean tokenUsed = true;
    long revision;

    /** The last activity that was acknowledged, and the latest that may have to be granted. */
    long seenAt;

    long seenAtMost;

    /** Whether the process that saw it is still there. */
    boolean remembered = true;

    Sitting(SessionId id, long createdAt, long idle, long absolute) {
      this.id = id;
      this.createdAt = createdAt;
      this.idle = idle;
      this.absolute = absolute;
      this.seenAt = createdAt;
      this.seenAtMost = createdAt;
    }

    boolean mayBeOver(long now) {
      return now >= Math.min(seenAt + idle, createdAt + absolute);
    }

    boolean mustBeOver(long now) {
      return now >= Math.min(seenAtMost + idle, createdAt + absolute);
    }

    void isSeen(long now) {
      if (remembered) {
        seenAt = Math.max(seenAt, now);
        seenAtMost = seenAt;
      } else {
        // What was seen before the crash is lost; only a clock that went back shows the difference.
        seenAtMost = Math.max(now, seenAt);
        seenAt = now;
      }
      remembered = true;
    }

    void isForgotten() {
      seenAtMost = Math.max(seenAtMost, seenAt + idle / 10);
      remembered = false;
    }
  }

  /** What came of a request that took effect. */
  record Kept(
      Request request,
      Access by,
      long at,
      @Nullable SessionId opened,
      Outcome outcome,
      long revision) {}

  /** What must be answered. */
  sealed interface Verdict {
    record No(Reason reason) implements Verdict {}

    record Again(Kept earlier) implements Verdict {}

    record Yes(Outcome outcome) implements Verdict {}

    record Look() implements Verdict {}
  }

  final @Nullable String userId;
  final Limits limits;
  final List<Sitting> sittings = new ArrayList<>();
  final Map<String, Line> cart = new LinkedHashMap<>();
  final List<Kept> records = new ArrayList<>();
  long cartRevision;
  @Nullable String lastOrder;
  long lastActivity;
  long greatestTenth;

  PlainUser(@Nullable String userId, Limits limits) {
    this.userId = userId;
    this.limits = limits;
  }

  @Nullable Sitting sitting(SessionId id) {
    return sittings.stream().filter(each -> each.id.equals(id)).findFirst().orElse(null);
  }

  // --- what must be answered

  Verdict look(Access access) {
    return holds(access) ? new Verdict.Look() : new Verdict.No(Reason.SESSION_INVALID);
  }

  Verdict open(Request request, SessionId session, long now) {
    Kept earlier = record(request, now);
    if (earlier != null) {
      if (earlier.request.fingerprint() != request.fingerprint()) {
        return new Verdict.No(Reason.KEY_REUSED);
      }
      return earlier.opened != null && sitting(earlier.opened) != null
          ? new Verdict.Again(earlier)
          : new Verdict.No(Reason.SESSION_INVALID);
    }
    return hasRoom(request, now)
        ? new Verdict.Yes(new Outcome.Opened(session))
        : new Verdict.No(Reason.TOO_MANY_REQUESTS);
  }

  Verdict act(Access access, Request request, Precondition precondition, Action action, long now) {
    Kept earlier = record(request, now);
    if (!holds(access)) {
      return earlier != null && mayRepeatWithADeadToken(earlier, access, request)
          ? new Verdict.Again(earlier)
          : new Verdict.No(Reason.SESSION_INVALID);
    }
    if (earlier != null) {
      return earlier.request.fingerprint() == request.fingerprint()
          ? new Verdict.Again(earlier)
          : new Verdict.No(Reason.KEY_REUSED);
    }
    if (!hasRoom(request, now)) {
      return new Verdict.No(Reason.TOO_MANY_REQUESTS);
    }
    Sitting sitting = Objects.requireNonNull(sitting(access.session()));
    long revision = action.onCart() ? cartRevision : Math.max(cartRevision, sitting.revision);
    if (precondition instanceof Precondition.OneOf(var revisions)
        && !revisions.contains(revision)) {
      return new Verdict.No(Reason.STALE_REVISION);
    }
    return decide(action, sitting, now);
  }

  private Verdict decide(Action action, Sitting sitting, long now) {
    return switch (action) {
      case Action.MergeAttributes a -> {
        var after = new LinkedHashMap<>(sitting.attributes);
        patch(after, a.patch());
        yield size(after) > limits.attributesBytes()
            ? new Verdict.No(Reason.TOO_LARGE)
            : new Verdict.Yes(Outcome.Changed.changed());
      }
      case Action.PutAttribute a -> {
        var after = new LinkedHashMap<>(sitting.attributes);
        boolean known = after.put(a.name(), a.value().toString()) != null;
        yield size(after) > limits.attributesBytes()
            ? new Verdict.No(Reason.TOO_LARGE)
            : known
                ? new Verdict.Yes(Outcome.Changed.changed())
                : new Verdict.Yes(Outcome.Created.created());
      }
      case Action.RemoveAttribute a ->
          sitting.attributes.containsKey(a.name())
              ? new Verdict.Yes(Outcome.Changed.changed())
              : new Verdict.No(Reason.NO_SUCH_ATTRIBUTE);
      case Action.Rotate _ ->
          new Verdict.Yes(new Outcome.Rotated(sitting.id, sitting.generation + 1));
      case Action.LogOut _ -> new Verdict.Yes(Outcome.LoggedOut.loggedOut());
      case Action.EndSession a ->
          sittings.stream()
              .filter(each -> each.id.tag() == a.tag())
              .findFirst()
              .<Verdict>map(each ->
                  new Verdict.Yes(
                      each == sitting ? Outcome.LoggedOut.loggedOut() : new Outcome.Ended(1)))
              .orElse(new Verdict.No(Reason.NO_SUCH_SESSION));
      case Action.EndOthers _ -> new Verdict.Yes(new Outcome.Ended(sittings.size() - 1));
      case Action.StartLogIn a ->
          a.userId().equals(userId)
              ? new Verdict.Yes(new Outcome.Rotated(sitting.id, sitting.generation + 1))
              : new Verdict.No(Reason.USER_MISMATCH);
      case Action.SetLine a -> set(a.line());
      case Action.PatchLine a ->
          cart.containsKey(a.sku().value())
              ? new Verdict.Yes(Outcome.Changed.changed())
              : new Verdict.No(Reason.NO_SUCH_LINE);
      case Action.AddToLine a -> add(a);
      case Action.RemoveLine a ->
          cart.containsKey(a.sku().value())
              ? new Verdict.Yes(Outcome.Changed.changed())
              : new Verdict.No(Reason.NO_SUCH_LINE);
      case Action.EmptyCart _ -> new Verdict.Yes(Outcome.Changed.changed());
      case Action.CheckOut a ->
          cart.isEmpty()
              ? new Verdict.No(Reason.CART_EMPTY)
              : new Verdict.Yes(
                  new Outcome.CheckedOut(
                      new Order(a.orderId(), a.reference(), List.copyOf(cart.values()), now)));
    };
  }

  private Verdict set(Line line) {
    if (cart.containsKey(line.sku().value())) {
      return new Verdict.Yes(Outcome.Changed.changed());
    }
    return cart.size() < limits.cartLines()
        ? new Verdict.Yes(Outcome.Created.created())
        : new Verdict.No(Reason.CART_FULL);
  }

  private Verdict add(Action.AddToLine add) {
    Line old = cart.get(add.sku().value());
    if (old == null) {
      return cart.size() < limits.cartLines()
          ? new Verdict.Yes(Outcome.Changed.changed())
          : new Verdict.No(Reason.CART_FULL);
    }
    if (!old.unitPrice().currency().equals(add.unitPrice().currency())) {
      return new Verdict.No(Reason.CURRENCY_MISMATCH);
    }
    return old.quantity() + add.quantity() <= limits.quantity()
        ? new Verdict.Yes(Outcome.Changed.changed())
        : new Verdict.No(Reason.QUANTITY_EXCEEDED);
  }

  // --- what changes when it is answered with yes

  void change(Action action, Sitting sitting, long revision) {
    switch (action) {
      case Action.MergeAttributes a -> patch(sitting.attributes, a.patch());
      case Action.PutAttribute a -> sitting.attributes.put(a.name(), a.value().toString());
      case Action.RemoveAttribute a -> sitting.attributes.remove(a.name());
      case Action.Rotate _ -> rotate(sitting);
      case Action.StartLogIn _ -> rotate(sitting);
      case Action.LogOut _ -> end(sitting);
      case Action.EndSession a ->
          List.copyOf(sittings).stream().filter(s -> s.id.tag() == a.tag()).forEach(this::end);
      case Action.EndOthers _ ->
          List.copyOf(sittings).stream().filter(s -> s != sitting).forEach(this::end);
      case Action.SetLine a -> cart.put(a.line().sku().value(), a.line());
      case Action.PatchLine a -> put(a.sku(), a.quantity() == null ? 1 : a.quantity());
      case Action.AddToLine a -> {
        Line old = cart.get(a.sku().value());
        int before = old == null ? 0 : old.quantity();
        cart.put(
            a.sku().value(),
            new Line(a.sku(), before + a.quantity(), a.unitPrice(), null, Json.Obj.empty()));
      }
      case Action.RemoveLine a -> cart.remove(a.sku().value());
      case Action.EmptyCart _ -> cart.clear();
      case Action.CheckOut a -> {
        cart.clear();
        lastOrder = a.orderId();
      }
    }
    if (action.onCart()) {
      cartRevision = revision;
    } else if (!(action instanceof Action.EndSession) && !(action instanceof Action.EndOthers)) {
      sitting.revision = revision;
    }
  }

  private void put(Sku sku, int quantity) {
    Line old = Objects.requireNonNull(cart.get(sku.value()));
    cart.put(sku.value(), new Line(sku, quantity, old.unitPrice(), old.name(), old.attributes()));
  }

  private static void rotate(Sitting sitting) {
    sitting.generation++;
    sitting.tokenUsed = false;
  }

  void end(Sitting sitting) {
    sittings.remove(sitting);
    if (userId == null && sittings.isEmpty() && (!cart.isEmpty() || lastOrder != null)) {
      cart.clear();
      lastOrder = null;
      cartRevision = HIGHER;
    }
  }

  void crash() {
    sittings.forEach(Sitting::isForgotten);
  }

  void seen(Sitting sitting, long now) {
    sitting.isSeen(now);
    lastActivity = Math.max(lastActivity, now);
  }

  // --- small things

  boolean holds(Access access) {
    Sitting sitting = sitting(access.session());
    return sitting != null && sitting.generation == access.generation();
  }

  @Nullable Kept record(Request request, long now) {
    return records.stream()
        .filter(each -> each.request.id().equals(request.id()) && isKept(each, now))
        .findFirst()
        .orElse(null);
  }

  private boolean isKept(Kept record, long now) {
    SessionId opened = record.opened;
    boolean young = now - record.at < (record.request.keyed() ? DAY : MINUTE);
    // The key that opened a visitor's session names the visitor.
    return young
        || (userId == null && record.request.keyed() && opened != null && sitting(opened) != null);
  }

  private boolean hasRoom(Request request, long now) {
    long kept =
        records.stream()
            .filter(each -> each.request.keyed() == request.keyed() && isKept(each, now))
            .count();
    return kept < (request.keyed() ? limits.callerKeys() : limits.serverRequests());
  }

  private boolean mayRepeatWithADeadToken(Kept earlier, Access access, Request request) {
    if (!earlier.by.session().equals(access.session())
        || earlier.request.fingerprint() != request.fingerprint()) {
      return false;
    }
    Sitting sitting = sitting(access.session());
    return switch (earlier.outcome) {
      case Outcome.LoggedOut _ -> sitting == null;
      case Outcome.Rotated rotated ->
          sitting != null
              && !sitting.tokenUsed
              && sitting.generation == rotated.generation()
              && access.generation() == rotated.generation() - 1;
      case Outcome.Opened _ -> false;
      case Outcome _ -> !request.keyed();
    };
  }

  private static void patch(Map<String, String> attributes, Json.Obj patch) {
    patch
        .members()
        .forEach((name, value) -> {
          if (value == Json.Literal.NULL) {
            attributes.remove(name);
          } else {
            attributes.put(name, value.toString());
          }
        });
  }

  static String text(Map<String, String> attributes) {
    var members = new ArrayList<String>();
    attributes.forEach((name, value) -> members.add("\"" + name + "\":" + value));
    return "{" + String.join(",", members) + "}";
  }

  private static int size(Map<String, String> attributes) {
    return text(attributes).length(); // ASCII, in these tests
  }
}
