package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Command.Action;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When a user of whom nothing is left may be removed. */
@Timeout(10)
class RemovalTest {

  private static final Duration HISTORY = Duration.ofDays(7);
  private static final Duration RETENTION = Duration.ofDays(90);
  private static final Duration A_TICK = Duration.ofMillis(1);
  private static final Reply NOT_YET = new Reply.Nothing();
  private static final Reply NOW = new Reply.NothingLeft();

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);

  @Test
  void ofAVisitorComesWhenTheHistoryHasHadItsTime() {
    Device device = user.opens();
    device.did(set("tea", 1));
    device.did(new Action.LogOut());

    assertThat(user.untilDeadline()).isEqualTo(HISTORY);
    assertThat(user.wakes()).isEqualTo(NOT_YET);
    time.passes(HISTORY.minus(A_TICK));
    assertThat(user.wakes()).isEqualTo(NOT_YET);
    time.passes(A_TICK);
    assertThat(user.wakes()).isEqualTo(NOW);
    assertThat(user.lastEvents()).isEmpty();
    assertDead(device);
  }

  @Test
  void ofAVisitorCountsFromTheExpiry() {
    user.opens();
    time.passes(user.untilDeadline());
    user.wakes();

    assertThat(user.lastEvents()).hasSize(1);
    assertThat(user.untilDeadline()).isEqualTo(HISTORY);
  }

  @Test
  void doesNotComeWhileASessionLives() {
    user.opens(null, RETENTION, RETENTION);
    time.passes(HISTORY.multipliedBy(2));

    assertThat(user.wakes()).isEqualTo(NOT_YET);
  }

  @Test
  void doesNotComeWhileACartIsKept() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(new Action.LogOut());
    time.passes(RETENTION.minus(A_TICK));

    assertThat(user.wakes()).isEqualTo(NOT_YET);
  }

  @Test
  void doesNotComeWhileAReceiptIsLive() {
    user.limits =
        new Limits(9_999, 9_999, 9, 99, 9, 9, 9, 0, User.NEVER, Duration.ofHours(1).toMillis());
    Device device = user.opens();
    device.doesKeyed("key", new Action.LogOut());

    assertThat(user.untilDeadline()).isEqualTo(Duration.ofHours(24));
    time.passes(Duration.ofHours(24).minus(A_TICK));
    assertThat(user.wakes()).isEqualTo(NOT_YET);
    assertThat(device.doesKeyed("key", new Action.LogOut())).isInstanceOf(Reply.Done.class);
    time.passes(A_TICK);
    assertThat(user.wakes()).isEqualTo(NOW);
  }

  @Test
  void doesNotComeDuringALogIn() {
    var logIn = new LogInSteps(user.opens(), new LiveUser(time));
    logIn.asksForTheEpoch();
    logIn.begins();
    time.passes(RETENTION);

    assertThat(user.state().deadline(user.limits)).isLessThan(time.now());
    assertThat(user.wakes()).isEqualTo(NOT_YET);
  }

  @Test
  void ofAKnownUserComesNoSoonerThanACartWouldGo() {
    Device device = user.opensFor("alice");
    device.did(set("tea", 1));
    device.did(checkOut("o-1"));
    device.did(new Action.LogOut());

    time.passes(RETENTION.minus(A_TICK));
    assertThat(user.wakes()).isEqualTo(NOT_YET);
    assertThat(user.state().cart().lastOrder()).isNotNull();
    time.passes(A_TICK);
    assertThat(user.wakes()).isEqualTo(NOW);
  }

  @Test
  void doesNotComeByAClockThatCannotBeTrusted() {
    user.opens().did(new Action.LogOut());
    time.passes(RETENTION);
    user.expiryPaused = true;

    assertThat(user.wakes()).isEqualTo(NOT_YET);
  }

  @Test
  void doesNotComeToSomebodyWhoWasNeverThere() {
    assertThat(user.wakes()).isEqualTo(NOT_YET);
    assertThat(user.state().deadline(user.limits)).isEqualTo(User.NEVER);
  }
}
