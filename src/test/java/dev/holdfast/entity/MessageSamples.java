package dev.holdfast.entity;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.CartMerge;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.Session;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/** One value of everything that is sent from node to node, by the name of its golden bytes. */
final class MessageSamples {

  static final OwnerKey OWNER = new OwnerKey(0x0123456789abcdefL, 0xfedcba9876543210L);
  static final Command.Access ACCESS = new Command.Access(Samples.SESSION, 2);
  static final Request REQUEST = new Request(Samples.REQUEST, -9, true);
  static final Session SESSION = Samples.USER.sessions().getFirst();
  static final Session OTHER_SESSION = Samples.USER.sessions().getLast();
  static final Cart CART = Samples.USER.cart();
  static final Reply.View VIEW = new Reply.View("ada", SESSION, Samples.AT + 7, CART);
  static final Refusal REFUSAL = new Refusal(Refusal.Reason.TOO_MANY_REQUESTS, "Wait.", 60_000);

  private static final Reply.Admission ADMITTED =
      new Reply.Admitted(Samples.OTHER, 17, MergePolicy.USER, Samples.REPORT);

  private MessageSamples() {}

  static Map<String, CrossesNodes> all(ActorRef<Answer> replyTo) {
    var all = new LinkedHashMap<String, CrossesNodes>();
    commands()
        .forEach((name, command) ->
            all.put(name, new Addressed(OWNER, new Message.Ask(command, replyTo))));
    all.putAll(answers());
    all.put("listen", new Addressed(OWNER, new Message.Listen(replyTo.unsafeUpcast().narrow())));
    all.put(
        "told",
        new Told.Happened(
            OWNER,
            16,
            17,
            List.of(
                new Told.Written("cart.emptied.v1", Samples.AT, "{}"),
                new Told.Written("cart.line-removed.v1", Samples.AT, "{\"sku\":\"größe\"}"))));
    all.put("told-nothing", new Told.Happened(OWNER, 16, 17, List.of()));
    all.put("left", new Told.Left(OWNER));
    return all;
  }

  private static Map<String, Command> commands() {
    var all = new LinkedHashMap<String, Command>();
    all.put("look", new Command.Look(ACCESS));
    all.put("list-sessions", new Command.ListSessions(ACCESS));
    all.put(
        "open",
        new Command.Open(REQUEST, Samples.OTHER, "ada", Samples.ATTRIBUTES, 1_800_000, 1L << 40));
    all.put(
        "open-visitor",
        new Command.Open(
            new Request(Samples.REQUEST, 1, false),
            Samples.OTHER,
            null,
            Json.Obj.empty(),
            1_000,
            2_000));
    all.put("ask-epoch", new Command.AskEpoch());
    all.put("admit", new Command.Admit(Samples.LOG_IN, SESSION, CART, 16));
    all.put("settle", new Command.Settle(ADMITTED));
    all.put("settle-refused", new Command.Settle(new Reply.NotAdmitted(Samples.OTHER, REFUSAL)));
    all.put("look-unused", new Command.LookUnused(Samples.OTHER));
    all.put("erase", new Command.Erase(REQUEST));
    all.put("wake", new Command.Wake());
    all.put("watch", new Command.Watch(ACCESS));
    all.put("inspect", new Command.Inspect());
    all.put("end-all", new Command.EndAll(REQUEST));
    all.put("end-one", new Command.EndOne(REQUEST, -77));
    actions().forEach((name, action) -> all.put(name, act(Precondition.None.none(), action)));
    all.put("if-match", act(new Precondition.OneOf(Set.of(300L, 7L, 12L)), new Action.EmptyCart()));
    return all;
  }

  static Command act(Precondition precondition, Action action) {
    return new Command.Act(ACCESS, REQUEST, precondition, action);
  }

  private static Map<String, Action> actions() {
    var all = new LinkedHashMap<String, Action>();
    all.put("merge-attributes", new Action.MergeAttributes(Samples.ATTRIBUTES));
    all.put("put-attribute", new Action.PutAttribute("größe", Json.Literal.NULL));
    all.put("remove-attribute", new Action.RemoveAttribute("size"));
    all.put("rotate", new Action.Rotate());
    all.put("log-out", new Action.LogOut());
    all.put("end-session", new Action.EndSession(-77));
    all.put("end-others", new Action.EndOthers());
    all.put("start-log-in", new Action.StartLogIn(Samples.OTHER, "ada", 5, MergePolicy.MAX));
    all.put("set-line", new Action.SetLine(Samples.LINE));
    all.put("set-plain-line", new Action.SetLine(Samples.PLAIN_LINE));
    all.put(
        "patch-line",
        new Action.PatchLine(
            Samples.LINE.sku(),
            9_999,
            Samples.LINE.unitPrice(),
            new Action.NewName("new"),
            Samples.ATTRIBUTES));
    all.put("patch-nothing-of-line", new Action.PatchLine(new Sku("x"), null, null, null, null));
    all.put(
        "patch-line-bare",
        new Action.PatchLine(
            new Sku("x"), null, null, new Action.NewName(null), Json.Literal.NULL));
    all.put(
        "add-to-line",
        new Action.AddToLine(
            Samples.LINE.sku(), 2, Samples.LINE.unitPrice(), "name", Json.Obj.empty()));
    all.put(
        "add-to-line-bare",
        new Action.AddToLine(new Sku("x"), 1, Samples.PLAIN_LINE.unitPrice(), null, null));
    all.put("remove-line", new Action.RemoveLine(new Sku("x")));
    all.put("empty-cart", new Action.EmptyCart());
    all.put("check-out", new Action.CheckOut("order-1", "ref-7"));
    all.put("check-out-bare", new Action.CheckOut("order-1", null));
    return all;
  }

  private static Map<String, Answer> answers() {
    var all = new LinkedHashMap<String, Answer>();
    outcomes()
        .forEach((name, outcome) ->
            all.put("done-" + name, answered(new Reply.Done(outcome, true, 9, VIEW))));
    all.put(
        "done-without-view",
        answered(new Reply.Done(Outcome.LoggedOut.loggedOut(), false, 9, null)));
    all.put("seen", answered(new Reply.Seen(VIEW)));
    all.put(
        "seen-empty",
        answered(new Reply.Seen(new Reply.View(null, OTHER_SESSION, 0, Cart.empty()))));
    all.put(
        "sessions",
        answered(
            new Reply.Sessions(
                Samples.OTHER, List.of(VIEW, new Reply.View("ada", OTHER_SESSION, 3, CART)))));
    all.put(
        "inspected",
        answered(
            new Reply.Inspected(
                "ada",
                9,
                Samples.AT,
                List.of(VIEW, new Reply.View("ada", OTHER_SESSION, 3, CART)),
                CART)));
    all.put("inspected-nobody", answered(new Reply.Inspected(null, 0, 0, List.of(), Cart.empty())));
    all.put("epoch", answered(new Reply.Epoch(1L << 33)));
    all.put("admitted", answered(ADMITTED));
    all.put("not-admitted", answered(new Reply.NotAdmitted(Samples.OTHER, REFUSAL)));
    for (Refusal.Reason reason : Refusal.Reason.values()) {
      all.put("refused-" + reason, answered(new Reply.Refused(new Refusal(reason, "No.", 0))));
    }
    all.put("refused-for-now", answered(new Reply.Refused(REFUSAL)));
    all.put("nothing-left", answered(new Reply.NothingLeft()));
    all.put("nothing", answered(new Reply.Nothing()));
    for (Answer.Cause cause : Answer.Cause.values()) {
      all.put("unavailable-" + cause, new Answer.Unavailable(cause, 1_000));
    }
    all.put("unreadable", new Answer.Unreadable());
    all.put("unknown", new Answer.Unknown());
    return all;
  }

  private static Map<String, Outcome> outcomes() {
    var all = new LinkedHashMap<String, Outcome>();
    all.put("changed", Outcome.Changed.changed());
    all.put("created", Outcome.Created.created());
    all.put("opened", new Outcome.Opened(Samples.SESSION));
    all.put("rotated", new Outcome.Rotated(Samples.SESSION, 3));
    all.put("logged-out", Outcome.LoggedOut.loggedOut());
    all.put("ended", new Outcome.Ended(4));
    all.put("erased", new Outcome.Erased(0, 0));
    all.put("erased-somebody", new Outcome.Erased(Samples.AT, 2));
    all.put("checked-out", new Outcome.CheckedOut(Samples.ORDER));
    for (MergePolicy policy : MergePolicy.values()) {
      List<CartMerge.Entry> report = policy == MergePolicy.SUM ? Samples.REPORT : List.of();
      all.put("logged-in-" + policy, new Outcome.LoggedIn("ada", Samples.OTHER, policy, report));
    }
    return all;
  }

  private static Answer answered(Reply reply) {
    return new Answer.Answered(reply, "node-1");
  }
}
