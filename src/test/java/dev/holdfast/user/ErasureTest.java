package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertInvalid;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.Cart;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Forgetting a user. */
@Timeout(10)
class ErasureTest {

  private final Time time = new Time();
  private final LiveUser alice = new LiveUser(time);
  private final LiveUser visitor = new LiveUser(time);

  @Test
  void leavesNothingOfTheUser() {
    Device device = alice.opensFor("alice");
    device.did(set("tea", 1));
    device.did(checkOut("o-1"));
    device.did(set("cake", 2));
    long revision = alice.state().revision();

    Reply.Done done = erase(Requests.fresh());

    assertThat(done.replayed()).isFalse();
    assertThat(done.revision()).isEqualTo(revision + 1);
    User left = alice.state();
    assertThat(left.userId()).isNull();
    assertThat(left.sessions()).isEmpty();
    assertThat(left.cart()).isEqualTo(new Cart(List.of(), revision + 1, null));
    assertThat(left.logIn()).isNull();
    assertThat(left.receipts())
        .extracting(Receipt::outcome)
        .containsOnly(new Outcome.Erased(time.now(), 1));
    assertDead(device);
  }

  @Test
  void isAStateThatFollowsFromItsEntryAlone() {
    alice.opensFor("alice").did(set("tea", 1));
    erase(Requests.fresh());

    assertThat(User.nobody().apply(alice.journal.getLast())).isEqualTo(alice.state());
    alice.crashes();
  }

  @Test
  void letsNoKeyOfBeforeBeRepeated() {
    Device device = alice.opensFor("alice");
    device.doesKeyed("key", set("tea", 1));
    device.doesKeyed("out", new Action.LogOut());
    erase(Requests.fresh());

    assertInvalid(device.doesKeyed("out", new Action.LogOut()));
    assertInvalid(device.doesKeyed("key", set("tea", 1)));
  }

  @Test
  void hasOneEffectHoweverOftenItIsAsked() {
    alice.opensFor("alice");
    Request request = Requests.keyed("erase", "alice");
    long revision = erase(request).revision();
    Device again = alice.opensFor("alice");
    again.did(set("tea", 1));

    Reply.Done repeated = erase(request);

    assertThat(repeated.replayed()).isTrue();
    assertThat(repeated.revision()).isEqualTo(revision);
    assertThat(again.cart()).containsExactly(line("tea", 1));
    assertRefused(alice.asks(new Command.Erase(Requests.keyed("erase", "bob"))), Reason.KEY_REUSED);
  }

  @Test
  void ofSomebodyWhoWasNeverThereIsDoneAlready() {
    Reply.Done done = erase(Requests.fresh());

    assertThat(done.outcome()).isEqualTo(new Outcome.Erased(0, 0));
    assertThat(alice.journal).isEmpty();
  }

  @Test
  void letsTheUserComeBackAsSomebodyNewAboveTheOldRevisions() {
    alice.opensFor("alice").did(set("tea", 1));
    long revision = erase(Requests.fresh()).revision();

    Device device = alice.opensFor("alice");

    assertThat(device.cart()).isEmpty();
    assertThat(device.sees().revision()).isGreaterThan(revision);
    assertThat(device.did(set("cake", 1)).revision()).isGreaterThan(revision);
  }

  @Test
  void isTheEndOfAVisitorToo() {
    Device device = visitor.opens();
    device.did(set("tea", 1));

    visitor.asks(new Command.Erase(Requests.fresh()));

    assertDead(device);
    assertThat(visitor.state().cart().lines()).isEmpty();
  }

  @Test
  void isFollowedByTheRemovalWhenItsReceiptAndTheHistoryHaveHadTheirTime() {
    alice.opensFor("alice").did(set("tea", 1));
    erase(Requests.keyed("erase", "alice"));

    assertThat(alice.untilDeadline()).as("not 90 days").isEqualTo(Duration.ofDays(7));
    time.passes(Duration.ofDays(7));
    assertThat(alice.wakes()).isEqualTo(new Reply.NothingLeft());
  }

  // --- against a log-in that is on its way

  @Test
  void winsOverALogInThatHasBegun() {
    alice.opensFor("alice").did(set("tea", 1));
    Device browser = visitor.opens();
    browser.did(set("cake", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();
    logIn.begins();
    erase(Requests.fresh());

    Reply reply = logIn.settles(logIn.asksToBeAdmitted());

    assertRefused(reply, Reason.LOG_IN_OVERTAKEN);
    assertThat(alice.state().sessions()).isEmpty();
    assertThat(alice.state().cart().lines()).isEmpty();
    assertThat(browser.cart()).as("the visitor goes on").containsExactly(line("cake", 2));
  }

  @Test
  void winsOverALogInWhoseAnswerWasLost() {
    Device browser = visitor.opens();
    browser.did(set("cake", 2));
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();
    logIn.begins();
    logIn.asksToBeAdmitted();
    erase(Requests.fresh());

    Reply reply = logIn.settles(logIn.asksToBeAdmitted());

    assertRefused(reply, Reason.LOG_IN_OVERTAKEN);
    assertThat(alice.state().sessions()).isEmpty();
    assertThat(alice.state().cart().lines()).isEmpty();
    assertThat(browser.cart()).containsExactly(line("cake", 2));
  }

  @Test
  void endsTheSessionOfALogInThatIsSettledAfterIt() {
    Device browser = visitor.opens();
    var logIn = new LogInSteps(browser, alice);
    logIn.asksForTheEpoch();
    logIn.begins();
    Reply.Admission admission = logIn.asksToBeAdmitted();
    erase(Requests.fresh());

    logIn.settles(admission);

    assertDead(browser);
    assertDead(logIn.newDevice());
    assertInvalid(logIn.looksAtTheNewSession());
  }

  @Test
  void refusesALogInThatAskedForTheEpochBefore() {
    alice.opensFor("alice");
    var logIn = new LogInSteps(visitor.opens(), alice);
    logIn.asksForTheEpoch();
    erase(Requests.fresh());
    logIn.begins();

    assertRefused(logIn.settles(logIn.asksToBeAdmitted()), Reason.LOG_IN_OVERTAKEN);
  }

  private Reply.Done erase(Request request) {
    return (Reply.Done) alice.asks(new Command.Erase(request));
  }
}
