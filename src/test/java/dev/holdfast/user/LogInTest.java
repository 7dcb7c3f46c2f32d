package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertInvalid;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.done;
import static dev.holdfast.user.LiveUser.IDLE;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.CartMerge.Entry;
import dev.holdfast.cart.CartMerge.Fate;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(20)
class LogInTest {

  private static final Action END_OTHERS = new Action.EndOthers();
  private static final Action PUT = new Action.PutAttribute("a", new Json.Num("1"));

  private final Time time = new Time();
  private final LiveUser visitor = new LiveUser(time);
  private final LiveUser alice = new LiveUser(time);
  private final Device browser = visitor.opens();

  // --- what it comes to

  @Test
  void takesTheSessionToTheUserUnderANewToken() {
    browser.did(PUT);
    time.passes(Duration.ofMinutes(3));
    Session before = browser.sees().session();

    var logIn = LogInSteps.complete(browser, alice);

    Reply.View view = logIn.newDevice().sees();
    assertThat(view.userId()).isEqualTo("alice");
    assertThat(view.session().attributes()).isEqualTo(before.attributes());
    assertThat(view.session().createdAt()).isEqualTo(before.createdAt());
    assertThat(view.session().endsAt()).isEqualTo(before.endsAt());
    assertThat(view.session().idleMillis()).isEqualTo(before.idleMillis());
    assertThat(view.lastSeenAt()).isEqualTo(time.now());
    assertThat(view.session().id()).isNotEqualTo(before.id());
    assertThat(view.session().generation()).isEqualTo(1);
  }

  @Test
  void killsTheOldToken() {
    var logIn = LogInSteps.complete(browser, alice);

    assertDead(browser);
    assertInvalid(browser.does(set("tea", 1)));
    assertInvalid(browser.does(logIn.action()));
    assertInvalid(browser.doesKeyed("log-in", new Action.Rotate()));
    assertThat(visitor.sessions()).isEmpty();
  }

  @Test
  void tellsWhatBecameOfEveryLine() {
    alice.opensFor("alice").did(set("tea", 1));
    browser.did(set("cake", 2));
    browser.did(set("tea", 3));

    var done = LogInSteps.complete(browser, alice).isRepeated();

    var outcome = (Outcome.LoggedIn) done.outcome();
    assertThat(outcome.userId()).isEqualTo("alice");
    assertThat(outcome.policy()).isEqualTo(MergePolicy.SUM);
    assertThat(outcome.report())
        .containsExactly(
            new Entry(new Sku("tea"), Fate.SUMMED, 1, 3, 4, false),
            new Entry(new Sku("cake"), Fate.ADDED, 0, 2, 2, false));
  }

  @ParameterizedTest
  @CsvSource({"SUM, 7", "MAX, 4", "USER, 3", "VISITOR, 4"})
  void mergesTheCartsByThePolicy(MergePolicy policy, int quantity) {
    alice.opensFor("alice").did(set("tea", 3));
    browser.did(set("tea", 4));
    browser.did(set("cake", 1));

    var logIn = LogInSteps.complete(browser, alice, policy);

    assertThat(logIn.newDevice().cart()).containsExactly(line("tea", quantity), line("cake", 1));
    assertThat(visitor.state().cart().lines()).as("the visitor's cart is gone").isEmpty();
  }

  @Test
  void opensTheDoorToAUserWhoWasNeverThere() {
    browser.did(set("tea", 2));

    assertThat(LogInSteps.complete(browser, alice).newDevice().cart())
        .containsExactly(line("tea", 2));
    assertThat(alice.state().userId()).isEqualTo("alice");
  }

  @Test
  void goesOnAboveBothHistories() {
    for (int i = 1; i <= 30; i++) {
      browser.did(set("tea", i));
    }
    Device phone = alice.opensFor("alice");
    long visitors = browser.sees().revision();

    var first = LogInSteps.complete(browser, alice).newDevice().sees();
    assertThat(first.revision()).isGreaterThan(visitors);
    assertThat(first.cart().revision()).isGreaterThan(visitors);

    for (int i = 1; i <= 30; i++) {
      phone.did(set("tea", i));
    }
    long known = phone.sees().revision();
    var second = LogInSteps.complete(new LiveUser(time).opens(), alice).newDevice().sees();
    assertThat(second.revision()).isGreaterThan(known);
  }

  @Test
  void endsTheLongestIdleSessionOfAUserWhoHasTooMany() {
    Device first = alice.opensFor("alice");
    for (int i = 1; i < 20; i++) {
      time.passes(Duration.ofMillis(1));
      alice.opensFor("alice");
    }

    var logIn = LogInSteps.complete(browser, alice);

    assertDead(first);
    assertThat(logIn.newDevice().lists()).hasSize(20);
  }

  @Test
  void takesNoOrderOfTheVisitorForTheUsers() {
    browser.did(set("tea", 2));
    browser.did(checkOut("o-1"));

    assertThat(LogInSteps.complete(browser, alice).newDevice().sees().cart().lastOrder()).isNull();
  }

  @Test
  void takesTheCartAwayWhateverOtherSessionTheVisitorHas() {
    browser.did(set("tea", 2));
    Device other = visitor.opens();

    LogInSteps.complete(browser, alice);

    assertThat(other.cart()).isEmpty();
    assertThat(alice.state().cart().itemCount()).isEqualTo(2);
  }

  // --- on the way

  @Test
  void freezesTheVisitorUntilItIsDecided() {
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();

    assertThat(logIn.begins()).as("the answer comes later").isEqualTo(new Reply.Nothing());
    assertThat(visitor.state().frozen()).isTrue();

    logIn.settles(logIn.asksToBeAdmitted());
    assertThat(visitor.state().frozen()).isFalse();
  }

  @Test
  void doesNotExpireWhileItIsUnderWay() {
    browser.did(set("tea", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.begins();
    time.passes(Duration.ofHours(3));
    visitor.wakes();
    assertThat(visitor.lastEvents()).isEmpty();

    logIn.settles(logIn.asksToBeAdmitted());

    assertThat(logIn.newDevice().cart()).containsExactly(line("tea", 2));
  }

  @Test
  void isAdmittedOnceHoweverOftenTheUserIsAsked() {
    alice.opensFor("alice").did(set("tea", 1));
    browser.did(set("tea", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();
    logIn.begins();
    var ask = logIn.admission();
    Reply first = alice.asks(ask);
    alice.crashes();

    for (int i = 0; i < 3; i++) {
      assertThat(alice.asks(ask)).isEqualTo(first);
      assertThat(alice.lastEvents()).isEmpty();
    }
    assertThat(logIn.newDevice().cart()).containsExactly(line("tea", 3));
  }

  @Test
  void isNotAdmittedASecondTimeAfterTheSessionHasEnded() {
    browser.did(set("tea", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.begins();
    var ask = logIn.admission();
    logIn.settles((Reply.Admission) alice.asks(ask));
    logIn.newDevice().did(new Action.LogOut());
    time.passes(Duration.ofDays(2));

    assertThat(alice.asks(ask)).isInstanceOf(Reply.Admitted.class);
    assertThat(alice.lastEvents()).isEmpty();
    assertDead(logIn.newDevice());
    assertThat(alice.opensFor("alice").cart()).containsExactly(line("tea", 2));
  }

  @Test
  void isSettledOnce() {
    var logIn = new LogInSteps(browser, alice);
    logIn.begins();
    var admission = logIn.asksToBeAdmitted();
    logIn.settles(admission);

    assertThat(logIn.settles(admission)).isEqualTo(new Reply.Nothing());
    assertThat(visitor.lastEvents()).isEmpty();
  }

  @Test
  void isNotSettledByTheAnswerToAnother() {
    var bob = new LiveUser(time);
    bob.opensFor("bob");
    var first = new LogInSteps(browser, bob);
    first.begins();
    var refused = first.asksToBeAdmitted();
    first.settles(refused);
    var second = new LogInSteps(browser, alice);
    second.begins();

    assertThat(visitor.asks(new Command.Settle(refused))).isEqualTo(new Reply.Nothing());
    assertThat(visitor.state().frozen()).isTrue();
  }

  // --- the repeat of a log-in whose answer was lost

  @Test
  void mayBeRepeatedWithTheOldTokenUntilTheNewOneIsUsed() {
    var logIn = LogInSteps.complete(browser, alice);
    visitor.crashes();
    alice.crashes();

    for (int i = 0; i < 3; i++) {
      var again = logIn.isRepeated();
      assertThat(again.replayed()).isTrue();
      assertThat(again.view()).isNull();
      assertThat(((Outcome.LoggedIn) again.outcome()).session())
          .isEqualTo(logIn.newDevice().session());
      assertThat(logIn.looksAtTheNewSession()).isInstanceOf(Reply.Seen.class);
      assertThat(alice.lastSeen()).as("a dead token is no activity").isNull();
    }

    assertAlive(logIn.newDevice());
    alice.crashes();
    assertInvalid(logIn.looksAtTheNewSession());
  }

  @Test
  void mayNotBeRepeatedAfterTheNewTokenWasRotated() {
    var logIn = LogInSteps.complete(browser, alice);
    logIn.newDevice().rotated();

    assertInvalid(logIn.looksAtTheNewSession());
  }

  @Test
  void mayNotBeRepeatedAfterTheNewSessionHasEnded() {
    var logIn = LogInSteps.complete(browser, alice);
    alice.opensFor("alice").did(END_OTHERS);

    assertInvalid(logIn.looksAtTheNewSession());
  }

  @Test
  void mayNotBeRepeatedAfterTheNewSessionHasExpired() {
    var logIn = LogInSteps.complete(browser, alice);
    time.passes(IDLE);

    assertInvalid(logIn.looksAtTheNewSession());
    assertThat(alice.lastEvents())
        .containsExactly(new Event.SessionExpired(logIn.newDevice().session(), Event.Limit.IDLE));
    assertDead(logIn.newDevice());
  }

  @Test
  void mayNotBeRepeatedUnderAnotherKeyOrForAnotherUser() {
    LogInSteps.complete(browser, alice);
    var other = new LogInSteps(browser, alice, "bob", MergePolicy.SUM);

    assertInvalid(other.begins());
    assertInvalid(browser.does(Requests.fresh(), other.action()));
  }

  @Test
  void isBegunAnewByARepeatOfOneThatWasRefused() {
    var bob = new LiveUser(time);
    bob.opensFor("bob");
    var wrong = new LogInSteps(browser, bob);
    wrong.begins();
    wrong.settles(wrong.asksToBeAdmitted());

    assertThat(LogInSteps.complete(browser, alice).newDevice().sees().userId()).isEqualTo("alice");
  }

  // --- refused

  @Test
  void leavesTheVisitorAsItWasWhenItIsRefused() {
    browser.did(set("tea", 2));
    var bob = new LiveUser(time);
    bob.opensFor("bob");
    var logIn = new LogInSteps(browser, bob);
    logIn.begins();

    assertRefused(logIn.settles(logIn.asksToBeAdmitted()), Reason.USER_MISMATCH);
    assertThat(browser.cart()).containsExactly(line("tea", 2));
    assertThat(bob.state().cart().lines()).isEmpty();
  }

  @Test
  void ofAUserAsAnotherIsRefused() {
    Device phone = alice.opensFor("alice");

    assertRefused(
        phone.does(new Action.StartLogIn(Requests.newSession(), "bob", 0, MergePolicy.SUM)),
        Reason.USER_MISMATCH);
    assertAlive(phone);
  }

  @Test
  void isOvertakenWhenAllOthersAreEndedBeforeItIsAdmitted() {
    Device phone = alice.opensFor("alice");
    browser.did(set("tea", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();
    phone.did(END_OTHERS);
    logIn.begins();

    assertRefused(logIn.settles(logIn.asksToBeAdmitted()), Reason.LOG_IN_OVERTAKEN);
    assertThat(phone.lists()).containsExactly(phone.session());
    assertThat(browser.cart()).containsExactly(line("tea", 2));
    assertThat(phone.cart()).isEmpty();
    assertAlive(LogInSteps.complete(browser, alice).newDevice());
  }

  @Test
  void isOvertakenWhenAllOthersAreEndedAfterItIsAdmitted() {
    Device phone = alice.opensFor("alice");
    browser.did(set("tea", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.begins();
    var admission = logIn.asksToBeAdmitted();
    phone.did(END_OTHERS);
    logIn.settles(admission);

    assertDead(logIn.newDevice());
    assertInvalid(logIn.looksAtTheNewSession());
    assertDead(browser);
    assertThat(phone.cart()).as("no line is lost").containsExactly(line("tea", 2));
  }

  @Test
  void isTooLateAfterADay() {
    var logIn = new LogInSteps(browser, alice);
    logIn.begins();
    var ask = logIn.admission();
    time.passes(Duration.ofHours(24).minusMillis(1));
    assertThat(alice.decides(ask).reply()).isInstanceOf(Reply.Admitted.class);
    time.passes(Duration.ofMillis(1));

    assertRefused(logIn.settles((Reply.Admission) alice.asks(ask)), Reason.LOG_IN_OVERTAKEN);
    assertThat(alice.state()).isEqualTo(User.nobody());
  }

  @Test
  void thatWasAdmittedIsStillAdmittedDaysLater() {
    browser.did(set("tea", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.begins();
    var first = logIn.asksToBeAdmitted();
    time.passes(Duration.ofDays(6));
    alice.opensFor("alice");

    assertThat(logIn.asksToBeAdmitted()).isEqualTo(first);
    logIn.settles(first);
    assertDead(browser);
    assertThat(alice.state().cart().lines()).containsExactly(line("tea", 2));
  }

  // --- what it leaves behind

  @Test
  void usesUpNoneOfTheUsersKeys() {
    alice.limits =
        new Limits(
            9_999,
            9_999,
            9,
            99,
            9,
            5,
            9_999,
            Long.MAX_VALUE,
            User.NEVER,
            Duration.ofDays(7).toMillis());
    for (int i = 0; i < 10; i++) {
      LogInSteps.complete(new LiveUser(time).opens(), alice);
    }
    time.passes(Duration.ofSeconds(1));
    Device phone = alice.opensFor("alice");

    assertThat(phone.didKeyed("k", set("tea", 1)).replayed()).isFalse();
  }

  @Test
  void isRefusedToAUserWhoLogsInWithoutEndBeforeTheVisitorIsFrozen() {
    LogInSteps.complete(browser, alice);
    User once = alice.state();
    time.passes(Duration.ofDays(1));

    var refusal = ((Reply.Refused) askedForAnotherLogIn(once, User.MAX_LOG_INS)).refusal();

    assertThat(refusal.reason()).isEqualTo(Reason.TOO_MANY_REQUESTS);
    assertThat(refusal.retryAfterMillis()).isEqualTo(Duration.ofDays(6).toMillis());
    assertThat(alice.asks(new Command.AskEpoch())).isEqualTo(new Reply.Epoch(0));
  }

  /** Each report tells of every line, and is kept for a week. */
  @Test
  void isRefusedToAUserWhoseLogInsHadMoreLinesThanAreRemembered() {
    int lines = 20;
    for (int i = 0; i < lines; i++) {
      browser.did(set("sku-" + i, 1));
    }
    LogInSteps.complete(browser, alice);
    User once = alice.state();
    int most = User.MAX_LOG_IN_LINES / lines;
    assertThat(most).isLessThan(User.MAX_LOG_INS);

    assertThat(askedForAnotherLogIn(once, most - 1)).isInstanceOf(Reply.Epoch.class);
    assertThat(((Reply.Refused) askedForAnotherLogIn(once, most)).refusal().reason())
        .isEqualTo(Reason.TOO_MANY_REQUESTS);
  }

  @Test
  void isRepeatedThoughTheUserHasLoggedInTooOftenSince() {
    var first = LogInSteps.complete(browser, alice);
    Action again =
        new Action.StartLogIn(
            new SessionId(9, 9), "alice", Action.StartLogIn.NOT_ADMITTED, MergePolicy.SUM);

    assertThat(done(browser.does(first.request(), again)).outcome())
        .isInstanceOf(Outcome.LoggedIn.class);
    Device other = new LiveUser(time).opens();
    assertThat(((Reply.Refused) other.does(again)).refusal().reason())
        .isEqualTo(Reason.TOO_MANY_REQUESTS);
    assertThat(other.sees().userId()).isNull();
    assertThat(done(alice.opensFor("alice").does(again)).outcome())
        .as("a session that is the user's already is rotated")
        .isInstanceOf(Outcome.Rotated.class);
  }

  /** What the user says to one more, after so many like the one that was. */
  private Reply askedForAnotherLogIn(User once, int times) {
    var often =
        new User(
            once.userId(),
            once.sessions(),
            once.cart(),
            once.revision(),
            once.lastEntryAt(),
            once.activeAt(),
            once.abandonedAt(),
            once.epoch(),
            null,
            Receipts.of(Collections.nCopies(times, once.receipts().getFirst())));
    var context =
        new Context(
            time.now(), false, true, Presence.unknown(), Limits.defaults(), Event.newestForm());
    return often.decide(new Command.AskEpoch(), context).reply();
  }

  // --- killed on the way

  /**
   * Each step may be lost or made twice, and either process may die after it. Whatever happens, the
   * visitor's agenda and the caller's repeat bring it to the one end.
   */
  @Test
  void comesToTheSameEndWhereverItIsKilledAndWhateverIsRepeated() {
    int deaths = 1 << 6; // after each of three steps: the visitor's process, the user's
    int repeats = 1 << 3; // of each of three steps
    for (int death = 0; death < deaths; death++) {
      for (int repeat = 0; repeat < repeats; repeat++) {
        killedAndRepeated(death, repeat);
      }
    }
  }

  private void killedAndRepeated(int deaths, int repeats) {
    var visitor = new LiveUser(time);
    var alice = new LiveUser(time);
    Device browser = visitor.opens();
    browser.did(set("tea", 2));
    browser.did(set("cake", 1));
    alice.opensFor("alice").did(set("tea", 1));
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();

    logIn.begins();
    kill(deaths, visitor, alice);
    if ((repeats & 1) != 0) {
      // The caller's repeat waits for the end, as all commands do; the agenda drives it.
      visitor.wakes();
    }
    var ask = logIn.admission();
    Reply.Admission admission = (Reply.Admission) alice.asks(ask);
    kill(deaths >> 2, visitor, alice);
    if ((repeats & 2) != 0) {
      admission = (Reply.Admission) alice.asks(ask);
    }
    logIn.settles(admission);
    kill(deaths >> 4, visitor, alice);
    if ((repeats & 4) != 0) {
      logIn.settles(admission);
      alice.asks(ask);
    }

    var again = logIn.isRepeated();
    assertThat(((Outcome.LoggedIn) again.outcome()).session())
        .isEqualTo(logIn.newDevice().session());
    assertThat(logIn.looksAtTheNewSession()).isInstanceOf(Reply.Seen.class);
    assertDead(browser);
    assertThat(logIn.newDevice().cart()).containsExactly(line("tea", 3), line("cake", 1));
    assertThat(logIn.newDevice().lists()).hasSize(2);
    assertInvalid(logIn.looksAtTheNewSession());
    assertThat(visitor.state().cart().lines()).isEmpty();
  }

  private static void kill(int which, LiveUser visitor, LiveUser alice) {
    if ((which & 1) != 0) {
      visitor.crashes();
    }
    if ((which & 2) != 0) {
      alice.crashes();
    }
  }
}
