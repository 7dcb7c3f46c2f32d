package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertInvalid;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.done;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class EndingSessionsTest {

  private static final Action LOG_OUT = new Action.LogOut();
  private static final Action END_OTHERS = new Action.EndOthers();

  private final LiveUser user = new LiveUser(new Time());

  @Test
  void logsOut() {
    Device device = user.opensFor("alice");

    var done = device.did(LOG_OUT);

    assertThat(done.outcome()).isEqualTo(Outcome.LoggedOut.loggedOut());
    assertThat(done.view()).isNull();
    assertDead(device);
    assertThat(user.sessions()).isEmpty();
  }

  @Test
  void leavesNobodyPresentWhoHasLoggedOut() {
    user.opensFor("alice").did(LOG_OUT);

    assertThat(user.lastSeen()).isNull();
  }

  @Test
  void logsOutOnlyTheSessionThatAsks() {
    Device phone = user.opensFor("alice");
    Device laptop = user.opensFor("alice");
    phone.did(LOG_OUT);

    assertAlive(laptop);
    assertThat(laptop.lists()).containsExactly(laptop.session());
  }

  @Test
  void answersTheRepeatOfALogOutAndNothingElse() {
    Device device = user.opensFor("alice");
    device.didKeyed("k", LOG_OUT);
    user.crashes();

    var again = device.didKeyed("k", LOG_OUT);

    assertThat(again.replayed()).isTrue();
    assertThat(again.outcome()).isEqualTo(Outcome.LoggedOut.loggedOut());
    assertInvalid(device.doesKeyed("another", LOG_OUT));
    assertInvalid(device.does(LOG_OUT));
    assertInvalid(device.doesKeyed("k", set("tea", 1)));
    assertDead(device);
  }

  @Test
  void endsAVisitorsCartWithTheSession() {
    Device device = user.opens();
    device.did(set("tea", 1));
    device.did(LOG_OUT);

    assertThat(user.state().cart().lines()).isEmpty();
    assertThat(user.state().cart().revision()).isEqualTo(user.state().revision());
  }

  @Test
  void keepsAKnownUsersCart() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(LOG_OUT);

    assertThat(user.opensFor("alice").cart()).containsExactly(line("tea", 1));
  }

  @Test
  void endsAnotherSessionOfTheUser() {
    Device phone = user.opensFor("alice");
    Device laptop = user.opensFor("alice");

    var done = laptop.did(new Action.EndSession(phone.session().tag()));

    assertThat(done.outcome()).isEqualTo(new Outcome.Ended(1));
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionEnded(phone.session(), Event.EndReason.ENDED_BY_USER));
    assertDead(phone);
    assertAlive(laptop);
  }

  @Test
  void endsTheOwnSessionById() {
    Device device = user.opensFor("alice");
    var end = new Action.EndSession(device.session().tag());

    assertThat(device.didKeyed("k", end).outcome()).isEqualTo(Outcome.LoggedOut.loggedOut());
    assertDead(device);
    assertThat(device.didKeyed("k", end).replayed()).isTrue();
  }

  @Test
  void refusesToEndASessionThatIsNotThere() {
    Device phone = user.opensFor("alice");
    Device laptop = user.opensFor("alice");
    phone.did(LOG_OUT);

    assertRefused(
        laptop.does(new Action.EndSession(phone.session().tag())), Reason.NO_SUCH_SESSION);
    assertRefused(laptop.does(new Action.EndSession(0)), Reason.NO_SUCH_SESSION);
  }

  @Test
  void endsTheOthers() {
    Device first = user.opensFor("alice");
    Device kept = user.opensFor("alice");
    Device third = user.opensFor("alice");

    assertThat(kept.did(END_OTHERS).outcome()).isEqualTo(new Outcome.Ended(2));
    assertDead(first);
    assertDead(third);
    assertAlive(kept);
    assertThat(kept.lists()).containsExactly(kept.session());
  }

  @Test
  void endsTheOthersThatThereWereAndNotLaterOnesWhenRepeated() {
    Device kept = user.opensFor("alice");
    user.opensFor("alice");
    kept.didKeyed("k", END_OTHERS);
    Device later = user.opensFor("alice");

    var again = kept.didKeyed("k", END_OTHERS);

    assertThat(again.outcome()).isEqualTo(new Outcome.Ended(1));
    assertThat(again.replayed()).isTrue();
    assertAlive(later);
  }

  @Test
  void movesTheEpochWhenTheOthersAreEndedThoughThereWereNone() {
    Device only = user.opensFor("alice");

    assertThat(only.did(END_OTHERS).outcome()).isEqualTo(new Outcome.Ended(0));
    assertThat(user.asks(new Command.AskEpoch())).isEqualTo(new Reply.Epoch(1));
  }

  @Test
  void revivesNoEndedSession() {
    Device first = user.opensFor("alice");
    Device second = user.opensFor("alice");
    second.did(new Action.EndSession(first.session().tag()));
    user.time.passes(java.time.Duration.ofDays(-1));
    user.crashes();

    assertDead(first);
    assertInvalid(first.does(set("tea", 1)));
  }

  @Test
  void letsTheServerRepeatItsOwnRequestThatTookEffectBeforeTheSessionEnded() {
    Device phone = user.opensFor("alice");
    Device laptop = user.opensFor("alice");
    Request request = Requests.fresh();
    done(phone.does(request, set("tea", 1)));
    laptop.did(END_OTHERS);

    var again = done(phone.does(request, set("tea", 1)));

    assertThat(again.outcome()).isEqualTo(Outcome.Created.created());
    assertThat(again.view()).as("nothing is shown to a token that is dead").isNull();
    assertThat(user.lastEvents()).isEmpty();
    assertThat(laptop.cart()).containsExactly(line("tea", 1));
  }
}
