package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Command.Action;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Telling that a cart was left: once for each quiet time. */
@Timeout(10)
class AbandonedCartTest {

  private static final Duration QUIET = Duration.ofHours(1);
  private static final Duration TENTH = LiveUser.IDLE.dividedBy(10);
  private static final Duration A_TICK = Duration.ofMillis(1);

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);

  AbandonedCartTest() {
    user.limits = LiveUser.abandoningCarts(user.limits, QUIET.toMillis());
  }

  @Test
  void waitsUntilEveryNodeKnowsWhatItIs() {
    user.opensFor("alice").did(set("tea", 1));
    user.form = 1;
    time.passes(LiveUser.IDLE.plus(QUIET).plus(QUIET));
    user.wakes();
    assertThat(user.lastEvents()).hasOnlyElementsOfType(Event.SessionExpired.class);
    user.wakes();
    assertThat(user.lastEvents()).isEmpty();

    user.form = 2;
    user.wakes();
    assertThat(user.lastEvents()).hasOnlyElementsOfType(Event.CartAbandoned.class).hasSize(1);
  }

  @Test
  void comesWhenTheQuietTimeIsOverAndNotBefore() {
    user.opensFor("alice").did(set("tea", 1));
    long last = time.now();
    time.passes(LiveUser.IDLE.plus(TENTH));
    user.wakes(); // the session is over; the cart is not

    assertThat(user.untilDeadline())
        .isEqualTo(Duration.ofMillis(last).plus(TENTH).plus(QUIET).minusMillis(time.now()));
    time.passes(user.untilDeadline().minus(A_TICK));
    user.wakes();
    assertThat(user.lastEvents()).isEmpty();
    time.passes(A_TICK);
    user.wakes();

    assertThat(user.lastEvents()).containsExactly(new Event.CartAbandoned(last + TENTH.toMillis()));
    assertThat(user.state().cart().lines())
        .as("nothing of the cart")
        .containsExactly(line("tea", 1));
  }

  @Test
  void comesOnceForEachQuietTime() {
    user.opensFor("alice").did(set("tea", 1));
    becomesQuiet();
    assertThat(abandonments()).isEqualTo(1);

    time.passes(Duration.ofDays(1));
    user.wakes();
    user.crashes();
    user.wakes();
    assertThat(abandonments()).isEqualTo(1);

    user.opensFor("alice").looks();
    becomesQuiet();
    assertThat(abandonments()).isEqualTo(2);
  }

  @Test
  void comesOfALateAgendaBeforeTheActivityThatEndsTheQuiet() {
    user.opensFor("alice").did(set("tea", 1));
    time.passes(Duration.ofHours(5));

    user.opensFor("alice");

    assertThat(user.lastEvents().getFirst()).isInstanceOf(Event.CartAbandoned.class);
    assertThat(user.lastEvents().getLast()).isInstanceOf(Event.SessionOpened.class);
  }

  @Test
  void isPutOffByActivityThatTheJournalDoesNotKnow() {
    Device device = user.opens("alice", Duration.ofHours(5), Duration.ofDays(7));
    device.did(set("tea", 1));
    time.passes(Duration.ofMinutes(29));
    assertAlive(device); // less than a tenth: nothing is journaled
    assertThat(user.lastEvents()).isEmpty();
    time.passes(Duration.ofMinutes(45));
    user.wakes();
    assertThat(abandonments()).isZero();

    time.passes(Duration.ofMinutes(46));
    user.wakes();
    assertThat(abandonments()).isEqualTo(1);
  }

  @Test
  void needsSomethingInTheCart() {
    user.opensFor("alice");
    becomesQuiet();
    assertThat(abandonments()).isZero();

    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(checkOut("o-1"));
    becomesQuiet();
    assertThat(abandonments()).isZero();
  }

  @Test
  void changesNoRevisionOfTheCart() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    long revision = user.state().cart().revision();
    becomesQuiet();

    assertThat(abandonments()).isEqualTo(1);
    assertThat(user.state().cart().revision()).isEqualTo(revision);
  }

  @Test
  void isToldOfAVisitorWhoseSessionLivesLonger() {
    Device device = user.opens(null, Duration.ofHours(4), Duration.ofDays(7));
    device.did(set("tea", 1));
    becomesQuiet();

    assertThat(abandonments()).isEqualTo(1);
    assertAlive(device);
  }

  @Test
  void neverComesWhereItIsOff() {
    user.limits = LiveUser.withoutAbandonedCarts(user.limits);
    user.opensFor("alice").did(set("tea", 1));
    becomesQuiet();

    assertThat(abandonments()).isZero();
  }

  @Test
  void waitsWhileTheClockCannotBeTrusted() {
    user.opensFor("alice").did(set("tea", 1));
    user.expiryPaused = true;
    becomesQuiet();
    assertThat(abandonments()).isZero();

    user.expiryPaused = false;
    user.wakes();
    assertThat(abandonments()).isEqualTo(1);
  }

  @Test
  void endsWithTheCart() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(new Action.EmptyCart());
    device.did(new Action.LogOut());

    assertThat(user.untilDeadline()).isGreaterThan(Duration.ofDays(1));
  }

  private void becomesQuiet() {
    time.passes(Duration.ofHours(2));
    user.wakes();
  }

  private long abandonments() {
    return user.journal.stream()
        .filter(entry -> entry.event() instanceof Event.CartAbandoned)
        .count();
  }
}
