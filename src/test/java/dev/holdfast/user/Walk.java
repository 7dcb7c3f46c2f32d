package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.holdfast.cart.MergePolicy;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.PlainUser.Sitting;
import dev.holdfast.user.PlainUser.Verdict;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** Makes the same steps with a real user and with a plain one, and compares what they say. */
final class Walk {

  private static final Limits LIMITS =
      new Limits(
          40,
          1_000,
          3,
          12,
          3,
          6,
          25,
          Duration.ofHours(3).toMillis(),
          User.NEVER,
          Duration.ofDays(7).toMillis());

  /** One step. Numbers choose among what there is at that moment. */
  sealed interface Step {
    /** Opens a session. */
    record Open(boolean keyed, Duration idle, Duration absolute) implements Step {}

    /** Reads with a token. */
    record Look(int session, int generationsBack, boolean list) implements Step {}

    /** Changes something with a token. */
    record Change(int session, int generationsBack, boolean keyed, Condition condition, Deed deed)
        implements Step {}

    /** Sends an earlier request again, as it was. */
    record Repeat(int request) implements Step {}

    /** Uses the key of an earlier request for something else. */
    record Reuse(int request, int session, Deed deed) implements Step {}

    /** Lets time pass, or go back. */
    record Wait(Duration duration) implements Step {}

    /** Lets time pass until the agenda calls, and calls. */
    record WaitForTheAgenda() implements Step {}

    /** Kills the process. */
    record Crash() implements Step {}

    /** Takes the journal away, or gives it back. */
    record Journal(boolean up) implements Step {}

    /** Tells that the clock cannot be trusted, or can. */
    record Clock(boolean trusted) implements Step {}
  }

  /** What a change requires. */
  enum Condition {
    NONE,
    CURRENT,
    STALE
  }

  /** What is changed. */
  enum Deed {
    PUT,
    PUT_LONG,
    REMOVE,
    MERGE,
    ROTATE,
    LOG_IN_AGAIN,
    LOG_IN_AS_ANOTHER,
    LOG_OUT,
    END_ONE,
    END_OTHERS,
    SET_TEA,
    SET_CAKE,
    SET_JAM,
    SET_MILK,
    ADD_TEA,
    ADD_TEA_IN_DOLLARS,
    ADD_MILK,
    PATCH_TEA,
    REMOVE_TEA,
    EMPTY,
    CHECK_OUT
  }

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final PlainUser plain;
  private final List<SessionId> everOpened = new ArrayList<>();
  private final Set<SessionId> over = new HashSet<>();
  private final List<Command> sent = new ArrayList<>();
  private long highestRevision;
  private boolean clockWentBack;
  private int next;

  Walk(@Nullable String userId) {
    user.limits = LIMITS;
    plain = new PlainUser(userId, LIMITS);
    open(request(true, "first"), Duration.ofMinutes(30), Duration.ofDays(2));
  }

  List<Entry> journal() {
    return user.journal;
  }

  static Arbitrary<Step> steps() {
    Arbitrary<Integer> any = Arbitraries.integers().between(0, 20);
    Arbitrary<Integer> back =
        Arbitraries.frequencyOf(
            Tuple.of(8, Arbitraries.just(0)),
            Tuple.of(2, Arbitraries.just(1)),
            Tuple.of(1, Arbitraries.of(-1, 2)));
    Arbitrary<Boolean> rarely = Arbitraries.frequency(Tuple.of(5, false), Tuple.of(1, true));
    Arbitrary<Step> open =
        Combinators.combine(
                Arbitraries.of(true, false),
                Arbitraries.of(Duration.ofSeconds(10), Duration.ofMinutes(30), Duration.ofHours(5)),
                Arbitraries.of(Duration.ofHours(1), Duration.ofDays(2)))
            .as(Step.Open::new);
    Arbitrary<Step> look = Combinators.combine(any, back, rarely).as(Step.Look::new);
    Arbitrary<Step> change =
        Combinators.combine(
                any,
                back,
                Arbitraries.of(true, false),
                Arbitraries.frequency(
                    Tuple.of(6, Condition.NONE),
                    Tuple.of(2, Condition.CURRENT),
                    Tuple.of(1, Condition.STALE)),
                Arbitraries.of(Deed.class))
            .as(Step.Change::new);
    Arbitrary<Step> repeat = any.map(Step.Repeat::new);
    Arbitrary<Step> reuse =
        Combinators.combine(any, any, Arbitraries.of(Deed.class)).as(Step.Reuse::new);
    Arbitrary<Step> wait =
        Arbitraries.of(
                Duration.ofMillis(1),
                Duration.ofSeconds(2),
                Duration.ofSeconds(59),
                Duration.ofMinutes(3),
                Duration.ofMinutes(3).plusMillis(1),
                Duration.ofMinutes(29),
                Duration.ofMinutes(31),
                Duration.ofHours(3),
                Duration.ofHours(24),
                Duration.ofDays(3),
                Duration.ofMillis(-1),
                Duration.ofMinutes(-2),
                Duration.ofHours(-2),
                Duration.ofDays(-2))
            .map(Step.Wait::new);
    return Arbitraries.frequencyOf(
        Tuple.of(3, open),
        Tuple.of(6, look),
        Tuple.of(16, change),
        Tuple.of(5, repeat),
        Tuple.of(2, reuse),
        Tuple.of(9, wait),
        Tuple.of(2, Arbitraries.of(new Step.WaitForTheAgenda(), new Step.Crash())),
        Tuple.of(
            1,
            Arbitraries.of(
                new Step.Journal(false),
                new Step.Journal(true),
                new Step.Journal(true),
                new Step.Clock(false),
                new Step.Clock(true),
                new Step.Clock(true))));
  }

  // --- the steps

  void make(Step step) {
    switch (step) {
      case Step.Open s -> {
        // A visitor has one session: the key of another opening leads to another owner.
        if (plain.userId != null || plain.sittings.isEmpty()) {
          open(request(s.keyed(), "open"), s.idle(), s.absolute());
        }
      }
      case Step.Look s -> {
        Access access = access(s.session(), s.generationsBack());
        ask(s.list() ? new Command.ListSessions(access) : new Command.Look(access));
      }
      case Step.Change s -> {
        Access access = access(s.session(), s.generationsBack());
        Action action = action(s.deed(), s.session());
        send(
            new Command.Act(
                access,
                request(s.keyed(), fingerprinted(access, action)),
                condition(s.condition(), access, action),
                action));
      }
      case Step.Repeat s -> {
        if (!sent.isEmpty()) {
          ask(again(sent.get(s.request() % sent.size())));
        }
      }
      case Step.Reuse s -> {
        if (!sent.isEmpty()) {
          reuse(sent.get(s.request() % sent.size()), s);
        }
      }
      case Step.Wait s -> {
        time.passes(s.duration());
        clockWentBack |= s.duration().isNegative();
      }
      case Step.WaitForTheAgenda _ -> {
        long deadline = user.state().deadline(LIMITS);
        if (deadline != User.NEVER) {
          time.is(Math.max(time.now(), deadline));
        }
        ask(new Command.Wake());
      }
      case Step.Crash _ -> {
        user.crashes();
        plain.crash();
      }
      case Step.Journal s -> user.journalUp = s.up();
      case Step.Clock s -> user.expiryPaused = !s.trusted();
    }
    checkTheAgenda();
  }

  /** Everything comes to an end, and stays there. */
  void ends() {
    user.journalUp = true;
    user.expiryPaused = false;
    user.crashes();
    plain.crash();
    for (SessionId session : everOpened) {
      ask(new Command.Look(new Access(session, generation(session))));
    }
    time.is(user.now() + Duration.ofDays(10).toMillis());
    ask(new Command.Wake());
    assertThat(user.state().sessions()).isEmpty();
    assertThat(user.state().cart().lines()).isEmpty();
    if (user.state().revision() > 0) {
      time.is(user.state().deadline(LIMITS));
      assertThat(user.wakes()).isEqualTo(new Reply.NothingLeft());
    }
    time.passes(Duration.ofDays(-20));
    user.crashes();
    for (SessionId session : everOpened) {
      for (int generation = 1; generation <= generation(session); generation++) {
        Answered.assertInvalid(user.asks(new Command.Look(new Access(session, generation))));
      }
    }
  }

  private void open(Request request, Duration idle, Duration absolute) {
    send(LiveUser.open(request, plain.userId, idle, absolute));
  }

  private void send(Command command) {
    sent.add(command);
    ask(command);
  }

  /** The same request; whoever sends it makes a new id for the session that it may open. */
  private static Command again(Command earlier) {
    return earlier instanceof Command.Open open
        ? new Command.Open(
            open.request(),
            Requests.newSession(),
            open.userId(),
            open.attributes(),
            open.idleMillis(),
            open.absoluteMillis())
        : earlier;
  }

  private void reuse(Command earlier, Step.Reuse reuse) {
    Request request =
        switch (earlier) {
          case Command.Act act -> act.request();
          case Command.Open open -> open.request();
          case Command other -> throw new IllegalStateException(other.toString());
        };
    if (!request.keyed()) {
      return; // nobody else knows its id
    }
    Access access = access(reuse.session(), 0);
    Action action = action(reuse.deed(), reuse.session());
    var other = new Request(request.id(), request.fingerprint() + 1, true);
    ask(new Command.Act(access, other, Precondition.None.none(), action));
  }

  // --- asking, and comparing

  private void ask(Command command) {
    long now = user.now();
    Set<SessionId> expired = new HashSet<>();
    Decision peeked = user.decides(command);
    for (Entry entry : peeked.entries()) {
      if (entry.event() instanceof Event.SessionExpired(var session, var limit)) {
        expired.add(session);
        Sitting sitting = Objects.requireNonNull(plain.sitting(session), "it was over before");
        assertThat(sitting.mayBeOver(now)).as("not before its time: %s", session).isTrue();
        assertThat(user.expiryPaused)
            .as("nothing expires by a clock that is not trusted")
            .isFalse();
        assertThat(limit == Event.Limit.ABSOLUTE)
            .isEqualTo(now >= sitting.createdAt + sitting.absolute);
      }
    }

    Reply reply;
    try {
      reply = user.asks(command);
    } catch (LiveUser.JournalIsDown down) {
      assertThat(mustWrite(command, expired, now)).as("needs the journal: %s", command).isTrue();
      return;
    }
    if (!user.journalUp) {
      assertThat(mustWrite(command, expired, now)).as("needs no journal: %s", command).isFalse();
    }
    for (SessionId session : expired) {
      plain.end(Objects.requireNonNull(plain.sitting(session)));
      over.add(session);
    }
    if (!user.expiryPaused && user.journalUp) {
      assertThat(plain.sittings).as("whoever is over has ended").noneMatch(s -> s.mustBeOver(now));
    }
    learnTheRevisionOfADiscardedCart();
    compare(command, reply, now);
    learnTheRevisionOfADiscardedCart();
    everOpened.stream().filter(id -> plain.sitting(id) == null).forEach(over::add);
    assertThat(user.sessions()).as("what is over stays over").noneMatch(over::contains);
    assertThat(user.sessions()).isEqualTo(plain.sittings.stream().map(s -> s.id).toList());
    assertThat(user.state().cart().lines()).containsExactlyElementsOf(plain.cart.values());
  }

  private void learnTheRevisionOfADiscardedCart() {
    if (plain.cartRevision == PlainUser.HIGHER) {
      plain.cartRevision = user.state().cart().revision();
      assertThat(plain.cartRevision).isGreaterThanOrEqualTo(highestRevision);
    }
  }

  private boolean mustWrite(Command command, Set<SessionId> expired, long now) {
    return switch (command) {
      case Command.Look look -> mustWrite(look.access(), expired);
      case Command.ListSessions list -> mustWrite(list.access(), expired);
      case Command.Open open -> {
        PlainUser.Kept earlier = plain.record(open.request(), now);
        yield earlier == null
            ? plain.open(open.request(), open.session(), now) instanceof Verdict.Yes
            : expired.contains(earlier.opened());
      }
      case Command.Act act ->
          mustWrite(act.access(), expired)
              || plain.act(act.access(), act.request(), act.precondition(), act.action(), now)
                  instanceof Verdict.Yes;
      case Command.Wake _ -> !user.decides(command).entries().isEmpty();
      case Command other -> throw new IllegalStateException(other.toString());
    };
  }

  private boolean mustWrite(Access access, Set<SessionId> expired) {
    Sitting sitting = plain.sitting(access.session());
    return expired.contains(access.session())
        || (sitting != null && plain.holds(access) && !sitting.tokenUsed);
  }

  private void compare(Command command, Reply reply, long now) {
    switch (command) {
      case Command.Look look -> {
        Verdict verdict = plain.look(look.access());
        if (verdict instanceof Verdict.Look) {
          assertActivity(look.access(), now);
          assertShows(look.access().session(), ((Reply.Seen) reply).view());
        } else {
          assertRefused(verdict, reply);
        }
      }
      case Command.ListSessions list -> {
        Verdict verdict = plain.look(list.access());
        if (verdict instanceof Verdict.Look) {
          assertActivity(list.access(), now);
          var listed = ((Reply.Sessions) reply).sessions();
          assertThat(listed).hasSize(plain.sittings.size());
          listed.forEach(view -> assertShows(view.session().id(), view));
        } else {
          assertRefused(verdict, reply);
        }
      }
      case Command.Open open -> compareOpening(open, reply, now);
      case Command.Act act -> compareChange(act, reply, now);
      case Command.Wake _ -> compareWake(now);
      case Command other -> throw new IllegalStateException(other.toString());
    }
  }

  private void compareOpening(Command.Open open, Reply reply, long now) {
    switch (plain.open(open.request(), open.session(), now)) {
      case Verdict.Again(var earlier) -> {
        assertRepeated(earlier, reply);
        var opened = Objects.requireNonNull(earlier.opened());
        assertShows(opened, Objects.requireNonNull(((Reply.Done) reply).view()));
      }
      case Verdict.Yes(var outcome) -> {
        displace();
        var sitting = new Sitting(open.session(), now, open.idleMillis(), open.absoluteMillis());
        plain.sittings.add(sitting);
        plain.greatestTenth = Math.max(plain.greatestTenth, sitting.idle / 10);
        plain.seen(sitting, now);
        everOpened.add(open.session());
        var done = assertDone(outcome, reply);
        sitting.revision = done.revision();
        assertShows(open.session(), Objects.requireNonNull(done.view()));
        plain.records.add(
            new PlainUser.Kept(
                open.request(),
                new Access(open.session(), 1),
                now,
                open.session(),
                outcome,
                done.revision()));
      }
      case Verdict verdict -> assertRefused(verdict, reply);
    }
  }

  /** The longest idle one makes room; who that is, is uncertain by as much as a crash forgot. */
  private void displace() {
    for (Event event : user.lastEvents()) {
      if (event instanceof Event.SessionEnded(var session, var reason)) {
        assertThat(reason).isEqualTo(Event.EndReason.DISPLACED);
        assertThat(plain.sittings.size()).isGreaterThanOrEqualTo(LIMITS.sessions());
        Sitting displaced = Objects.requireNonNull(plain.sitting(session));
        assertThat(plain.sittings).noneMatch(other -> other.seenAtMost < displaced.seenAt);
        plain.end(displaced);
        over.add(session);
      }
    }
    assertThat(plain.sittings).hasSizeLessThan(LIMITS.sessions());
  }

  private void compareChange(Command.Act act, Reply reply, long now) {
    Access access = act.access();
    boolean good = plain.holds(access);
    Verdict verdict = plain.act(access, act.request(), act.precondition(), act.action(), now);
    Sitting sitting = plain.sitting(access.session());
    switch (verdict) {
      case Verdict.Again(var earlier) -> {
        assertRepeated(earlier, reply);
        Reply.View view = ((Reply.Done) reply).view();
        assertThat(view == null).isEqualTo(sitting == null);
        if (good) {
          assertActivity(access, now);
        }
        if (view != null) {
          assertShows(access.session(), view);
        }
      }
      case Verdict.Yes(var outcome) -> {
        var done = assertDone(outcome, reply);
        plain.change(act.action(), Objects.requireNonNull(sitting), done.revision());
        plain.records.add(
            new PlainUser.Kept(act.request(), access, now, null, outcome, done.revision()));
        if (plain.sitting(access.session()) == null) {
          assertThat(done.view()).isNull();
          plain.lastActivity = Math.max(plain.lastActivity, now);
          return;
        }
        boolean rotated = outcome instanceof Outcome.Rotated;
        plain.seen(sitting, now);
        sitting.tokenUsed = !rotated;
        assertShows(access.session(), Objects.requireNonNull(done.view()));
        return;
      }
      case Verdict.No _ -> assertRefused(verdict, reply);
      case Verdict.Look _ -> fail("a change is no look");
    }
    assertNothingHappened();
    if (good) {
      assertActivity(access, now);
    } else {
      assertThat(user.lastSeen()).as("a dead token is no activity").isNull();
    }
  }

  private void compareWake(long now) {
    boolean emptied = user.lastEvents().contains(new Event.CartExpired());
    long retention = LIMITS.cartRetentionMillis();
    if (emptied) {
      assertThat(plain.userId).isNotNull();
      assertThat(plain.cart).isNotEmpty();
      assertThat(user.expiryPaused).isFalse();
      long slack = clockWentBack ? plain.greatestTenth : 0;
      assertThat(now).isGreaterThanOrEqualTo(plain.lastActivity - slack + retention);
      plain.cart.clear();
      plain.cartRevision = user.state().cart().revision();
      assertThat(plain.cartRevision).isGreaterThan(highestRevision);
      highestRevision = user.state().revision();
    } else if (plain.userId != null
        && !plain.cart.isEmpty()
        && !user.expiryPaused
        && user.journalUp) {
      assertThat(now).isLessThan(plain.lastActivity + plain.greatestTenth + retention);
    }
  }

  // --- what is compared

  private void assertActivity(Access access, long now) {
    if (user.journalUp) {
      Sitting sitting = Objects.requireNonNull(plain.sitting(access.session()));
      assertThat(user.lastSeen()).isEqualTo(access.session());
      plain.seen(sitting, now);
      sitting.tokenUsed = true;
    }
  }

  private void assertShows(SessionId session, Reply.View view) {
    Sitting sitting = Objects.requireNonNull(plain.sitting(session), "it is over");
    assertThat(view.session().id()).isEqualTo(session);
    assertThat(view.userId()).isEqualTo(plain.userId);
    assertThat(view.session().generation()).isEqualTo(sitting.generation);
    assertThat(view.session().attributes()).hasToString(PlainUser.text(sitting.attributes));
    assertThat(view.session().revision()).isEqualTo(sitting.revision);
    assertThat(view.cart().revision()).isEqualTo(plain.cartRevision);
    assertThat(view.revision()).isEqualTo(Math.max(sitting.revision, plain.cartRevision));
    assertThat(view.cart().lines()).containsExactlyElementsOf(plain.cart.values());
    var lastOrder = view.cart().lastOrder();
    assertThat(lastOrder == null ? null : lastOrder.orderId()).isEqualTo(plain.lastOrder);
    if (sitting.remembered) {
      assertThat(view.lastSeenAt()).isBetween(sitting.seenAt, sitting.seenAtMost);
      assertThat(view.expiresAt())
          .isEqualTo(
              Math.min(view.lastSeenAt() + sitting.idle, sitting.createdAt + sitting.absolute));
    }
  }

  private Reply.Done assertDone(Outcome outcome, Reply reply) {
    assertThat(reply).isInstanceOf(Reply.Done.class);
    var done = (Reply.Done) reply;
    assertThat(done.outcome()).isEqualTo(outcome);
    assertThat(done.replayed()).isFalse();
    assertThat(done.revision()).as("revisions grow").isGreaterThan(highestRevision);
    highestRevision = done.revision();
    return done;
  }

  private static void assertRepeated(PlainUser.Kept earlier, Reply reply) {
    assertThat(reply).isInstanceOf(Reply.Done.class);
    var done = (Reply.Done) reply;
    assertThat(done.outcome()).isEqualTo(earlier.outcome());
    assertThat(done.replayed()).isTrue();
    assertThat(done.revision()).isEqualTo(earlier.revision());
  }

  private void assertRefused(Verdict verdict, Reply reply) {
    Reason reason = ((Verdict.No) verdict).reason();
    if (reason == Reason.SESSION_INVALID) {
      Answered.assertInvalid(reply);
      assertThat(user.lastSeen()).isNull();
    } else {
      Answered.assertRefused(reply, reason);
    }
    assertNothingHappened();
  }

  private void assertNothingHappened() {
    assertThat(user.lastEvents())
        .allMatch(event ->
            event instanceof Event.SessionExpired || event instanceof Event.SessionTouched);
  }

  /** It calls at the first moment at which there is something to do, not before, and not later. */
  private void checkTheAgenda() {
    long deadline = user.state().deadline(LIMITS);
    if (deadline == User.NEVER) {
      assertThat(user.wouldDoSomethingAt(time.now() + Duration.ofDays(36_500).toMillis()))
          .isFalse();
      return;
    }
    long due = Math.max(deadline, user.state().lastEntryAt());
    assertThat(user.wouldDoSomethingAt(due)).as("something at the deadline").isTrue();
    if (deadline > user.state().lastEntryAt()) {
      assertThat(user.wouldDoSomethingAt(deadline - 1)).as("nothing before it").isFalse();
    }
    if (user.state().sessions().stream().allMatch(Session::confirmed)) {
      assertThat(user.wouldDoSomethingInMemoryAt(due))
          .as("a user in memory does something too, or the agenda would call for ever")
          .isTrue();
    }
  }

  // --- what the numbers stand for

  private Access access(int session, int generationsBack) {
    SessionId id = everOpened.get(session % everOpened.size());
    return new Access(id, generation(id) - generationsBack);
  }

  /** The current generation, or the last one that there was. */
  private int generation(SessionId session) {
    int generation = 1;
    for (Entry entry : user.journal) {
      if (entry.event() instanceof Event.SessionRotated(var rotated, int to)
          && rotated.equals(session)) {
        generation = to;
      }
    }
    return generation;
  }

  private Request request(boolean keyed, Object content) {
    next++;
    return keyed ? Requests.keyed("k" + next, content) : Requests.fresh();
  }

  private static Object fingerprinted(Access access, Action action) {
    return action.onCart() ? action : List.of(access.session(), action);
  }

  private Precondition condition(Condition condition, Access access, Action action) {
    Sitting sitting = plain.sitting(access.session());
    long session = sitting == null ? 0 : sitting.revision;
    long current = action.onCart() ? plain.cartRevision : Math.max(session, plain.cartRevision);
    return switch (condition) {
      case NONE -> Precondition.None.none();
      case CURRENT -> new Precondition.OneOf(Set.of(current));
      case STALE -> new Precondition.OneOf(Set.of(current - 1));
    };
  }

  private Action action(Deed deed, int number) {
    return switch (deed) {
      case PUT -> new Action.PutAttribute("a" + number % 3, new Json.Num("" + number));
      case PUT_LONG -> new Action.PutAttribute("b", new Json.Text("x".repeat(number)));
      case REMOVE -> new Action.RemoveAttribute("a" + number % 3);
      case MERGE ->
          new Action.MergeAttributes(
              Json.Obj.empty()
                  .with("a0", Json.Literal.NULL)
                  .with("a" + (1 + number % 2), new Json.Num("7"))
                  .with("c", number % 2 == 0 ? Json.Literal.TRUE : Json.Literal.NULL));
      case ROTATE -> new Action.Rotate();
      // A visitor's log-in is between two users: see LogInPropertiesTest.
      case LOG_IN_AGAIN -> plain.userId == null ? new Action.Rotate() : logIn("alice");
      case LOG_IN_AS_ANOTHER -> plain.userId == null ? new Action.Rotate() : logIn("bob");
      case LOG_OUT -> new Action.LogOut();
      case END_ONE -> new Action.EndSession(everOpened.get(number % everOpened.size()).tag());
      case END_OTHERS -> new Action.EndOthers();
      case SET_TEA -> Shopping.set("tea", 1 + number % 12);
      case SET_CAKE -> Shopping.set("cake", 1);
      case SET_JAM -> Shopping.set("jam", 1);
      case SET_MILK -> Shopping.set("milk", 1);
      case ADD_TEA -> Shopping.add("tea", 1 + number % 5);
      case ADD_TEA_IN_DOLLARS -> Shopping.add("tea", 1, "1.00", "USD");
      case ADD_MILK -> Shopping.add("milk", 2);
      case PATCH_TEA -> Shopping.setQuantity("tea", 1 + number % 12);
      case REMOVE_TEA -> Shopping.remove("tea");
      case EMPTY -> new Action.EmptyCart();
      case CHECK_OUT -> Shopping.checkOut("o-" + next);
    };
  }

  private static Action logIn(String user) {
    return new Action.StartLogIn(Requests.newSession(), user, 0, MergePolicy.SUM);
  }
}
