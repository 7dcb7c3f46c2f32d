package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.LiveUser.ABSOLUTE;
import static dev.holdfast.user.LiveUser.IDLE;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Command.Action;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class AgendaTest {

  private static final Duration TENTH = IDLE.dividedBy(10);
  private static final Duration A_TICK = Duration.ofMillis(1);
  private static final Duration RETENTION = Duration.ofDays(90);
  private static final Duration NEVER = Duration.ofMillis(User.NEVER);

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);

  @Test
  void hasNothingOnItForNobody() {
    assertThat(user.untilDeadline()).isEqualTo(NEVER);
    user.wakes();
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void namesTheMomentAtWhichASessionEndsForSure() {
    user.opensFor("alice");

    assertThat(user.untilDeadline()).isEqualTo(IDLE.plus(TENTH));
  }

  @Test
  void namesTheAbsoluteLimitIfThatComesFirst() {
    user.opens("alice", IDLE, IDLE);

    assertThat(user.untilDeadline()).isEqualTo(IDLE);
  }

  @Test
  void namesTheFirstOfSeveralMoments() {
    user.opensFor("alice");
    user.opens("alice", Duration.ofMinutes(10), ABSOLUTE);
    user.opensFor("alice");

    assertThat(user.untilDeadline()).isEqualTo(Duration.ofMinutes(11));
  }

  @Test
  void hasNothingOnItOnceTheSessionsHaveEnded() {
    user.opensFor("alice").did(new Action.LogOut());

    assertThat(user.untilDeadline()).as("to be removed one day").isEqualTo(RETENTION);
    assertThat(user.wakes()).isEqualTo(new Reply.Nothing());
  }

  @Test
  void endsASessionWithoutAnybodyAsking() {
    Device device = user.opensFor("alice");
    time.passes(user.untilDeadline());
    user.crashes();

    user.wakes();

    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionExpired(device.session(), Event.Limit.IDLE));
    assertThat(user.untilDeadline()).isGreaterThan(Duration.ofDays(80));
  }

  @Test
  void isInNoHurry() {
    user.opensFor("alice");
    long deadline = time.now() + user.untilDeadline().toMillis();

    assertThat(user.wouldDoSomethingAt(deadline - 1)).isFalse();
    assertThat(user.wouldDoSomethingAt(deadline)).isTrue();
  }

  @Test
  void isPutOffByActivityThatTheJournalDoesNotKnow() {
    Device device = user.opensFor("alice");
    time.passes(TENTH);
    assertAlive(device);
    assertThat(user.lastEvents()).isEmpty();
    long seen = time.now();
    time.is(Time.START + IDLE.plus(TENTH).toMillis() - 1);
    user.wakes();
    assertThat(user.lastEvents()).isEmpty();
    assertAlive(device);
    assertThat(device.sees().lastSeenAt()).isGreaterThan(seen);
  }

  @Test
  void notesActivityThatTheJournalDoesNotKnowSoThatItIsNotAskedAgainAtOnce() {
    Device device = user.opensFor("alice");
    time.passes(TENTH);
    assertAlive(device);
    time.passes(IDLE.minus(A_TICK));
    user.wakes();
    assertThat(user.lastEvents()).as("not due yet").isEmpty();
    // The clock goes on to the deadline, at which this session would have ended.
    time.passes(A_TICK);
    user.wakes();

    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionExpired(device.session(), Event.Limit.IDLE));
  }

  @Test
  void doesNothingWhileTheClockCannotBeTrusted() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    user.expiryPaused = true;
    time.passes(RETENTION.multipliedBy(2));
    user.wakes();

    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void callsForAVisitorsUnfinishedLogInAndForNothingElse() {
    Device device = user.opens(null, Duration.ofMillis(100), Duration.ofMillis(300));
    device.does(
        new Action.StartLogIn(
            Requests.newSession(), "alice", 0, dev.holdfast.cart.MergePolicy.SUM));

    assertThat(user.untilDeadline()).isEqualTo(Duration.ofSeconds(2));
    time.passes(Duration.ofSeconds(2));
    user.wakes();
    assertThat(user.lastEvents()).as("frozen").isEmpty();
    assertThat(user.sessions()).containsExactly(device.session());
  }

  // --- the cart of a known user

  @Test
  void keepsTheCartOfAKnownUserFor90Days() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(new Action.LogOut());
    user.crashes();

    assertThat(user.untilDeadline()).isEqualTo(RETENTION);
    time.passes(RETENTION.minus(A_TICK));
    user.wakes();
    assertThat(user.lastEvents()).isEmpty();
    time.passes(A_TICK);
    user.wakes();

    assertThat(user.lastEvents()).containsExactly(new Event.CartExpired());
    assertThat(user.untilDeadline()).as("to be removed").isEqualTo(Duration.ofDays(7));
    assertThat(user.opensFor("alice").cart()).isEmpty();
  }

  @Test
  void keepsTheCartLongerWhenTheUserComesBack() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(new Action.LogOut());
    time.passes(RETENTION.minus(A_TICK));
    Device again = user.opensFor("alice");
    time.passes(A_TICK);
    user.wakes();

    assertThat(again.cart()).containsExactly(line("tea", 1));
    time.passes(Duration.ofDays(1));
    user.wakes();
    assertThat(user.untilDeadline()).isGreaterThan(RETENTION.minus(Duration.ofDays(2)));
  }

  @Test
  void keepsTheCart90DaysFromActivityThatTheJournalDoesNotKnow() {
    Device device = user.opens("alice", Duration.ofDays(20), Duration.ofDays(365));
    device.did(set("tea", 1));
    time.passes(Duration.ofDays(2));
    assertAlive(device);
    assertThat(user.lastEvents()).as("a tenth has not passed").isEmpty();
    long lastActivity = time.now();
    user.crashes();

    time.passes(Duration.ofDays(20));
    user.wakes();
    assertDead(device);
    time.is(lastActivity + RETENTION.toMillis() - 1);
    user.wakes();
    assertThat(user.state().cart().lines()).containsExactly(line("tea", 1));
    time.passes(A_TICK);
    user.wakes();
    assertThat(user.state().cart().lines()).isEmpty();
  }

  @Test
  void keepsTheCartThatALiveSessionReads() {
    user.limits =
        new Limits(
            9_999,
            9_999,
            9,
            99,
            9,
            9,
            9,
            Duration.ofDays(10).toMillis(),
            User.NEVER,
            Duration.ofDays(7).toMillis());
    Device device = user.opens("alice", Duration.ofDays(30), Duration.ofDays(365));
    device.did(set("tea", 1));
    time.passes(Duration.ofDays(3));
    assertAlive(device);
    assertThat(user.lastEvents()).as("a tenth has not passed").isEmpty();
    time.passes(Duration.ofDays(10).minus(A_TICK));
    user.wakes();
    assertThat(device.user().state().cart().lines()).hasSize(1);
    time.passes(A_TICK);
    user.wakes();
    assertThat(device.cart()).isEmpty();
  }

  @Test
  void keepsNoEmptyCart() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(checkOut("o-1"));
    device.did(new Action.LogOut());
    time.passes(RETENTION.minus(A_TICK));
    user.wakes();

    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void leavesAVisitorsCartToTheSession() {
    Device device = user.opens(null, Duration.ofDays(200), Duration.ofDays(400));
    device.did(set("tea", 1));
    time.passes(RETENTION);
    user.wakes();

    assertThat(device.cart()).containsExactly(line("tea", 1));
  }

  @Test
  void keepsTheLastOrderInSightWhenTheCartGoes() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(checkOut("o-1"));
    device.did(set("tea", 1));
    time.passes(RETENTION);
    user.wakes();

    assertThat(user.opensFor("alice").sees().cart().lastOrder()).isNotNull();
  }

  @Test
  void neverComesForARetentionBeyondAllTime() {
    user.limits =
        new Limits(
            9_999,
            9_999,
            9,
            99,
            9,
            9,
            9,
            Long.MAX_VALUE,
            User.NEVER,
            Duration.ofDays(7).toMillis());
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(new Action.LogOut());
    user.wakes();

    assertThat(user.lastEvents()).isEmpty();
    assertThat(user.state().deadline(user.limits)).isEqualTo(User.NEVER);
  }
}
