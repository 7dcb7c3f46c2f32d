package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.LiveUser.ABSOLUTE;
import static dev.holdfast.user.LiveUser.IDLE;
import static dev.holdfast.user.Shopping.remove;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class ActivityTest {

  private static final Duration TENTH = IDLE.dividedBy(10);
  private static final Duration A_TICK = Duration.ofMillis(1);

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final Device device = user.opensFor("alice");

  @Test
  void extendsTheSessionWithoutAWordInTheJournal() {
    time.passes(TENTH);
    Reply.View view = device.sees();

    assertThat(user.lastEvents()).isEmpty();
    assertThat(user.lastSeen()).isEqualTo(device.session());
    assertThat(view.lastSeenAt()).isEqualTo(time.now());
    time.passes(IDLE.minus(A_TICK));
    assertAlive(device);
  }

  @Test
  void isJournaledWhenMoreThanATenthOfTheIdleTimeoutHasPassed() {
    time.passes(TENTH.plus(A_TICK));
    assertAlive(device);

    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionTouched(device.session(), time.now()));

    time.passes(TENTH);
    assertAlive(device);
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void isJournaledAtMostTenTimesInAnIdleTimeout() {
    for (int i = 0; i < 1_800; i++) {
      time.passes(Duration.ofSeconds(1));
      assertAlive(device);
    }

    assertThat(user.journal).hasSizeLessThanOrEqualTo(1 + 10);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 60_000, 179_999, 180_000, 180_001, 500_000, 1_799_999})
  void thatWasAcknowledgedIsNeverTakenBackByACrash(long lastSeen) {
    time.passes(Duration.ofMillis(lastSeen));
    long acknowledged = device.sees().expiresAt();
    user.crashes();

    time.is(acknowledged - 1);
    assertAlive(device);
  }

  @Test
  void isGrantedForATenthAfterACrashAndNoLonger() {
    user.crashes();
    time.passes(IDLE.plus(TENTH));

    assertDead(device);
  }

  @Test
  void isNotGrantedBeyondTheAbsoluteLimit() {
    Device brief = user.opens("alice", Duration.ofMinutes(60), Duration.ofMinutes(62));
    user.crashes();
    time.passes(Duration.ofMinutes(62).minus(A_TICK));
    assertAlive(brief);
    user.crashes();
    time.passes(A_TICK);

    assertDead(brief);
  }

  @Test
  void isKnownAgainFromTheFirstRequestAfterACrash() {
    user.crashes();
    time.passes(A_TICK);
    assertAlive(device);
    time.passes(IDLE);

    assertDead(device);
  }

  @Test
  void ofOneSessionIsNotThatOfAnother() {
    Device other = user.opensFor("alice");
    for (int i = 0; i < 3; i++) {
      time.passes(IDLE.dividedBy(3));
      assertAlive(other);
    }

    assertDead(device);
  }

  @Test
  void isEveryCallWithAValidTokenEvenIfItIsRefused() {
    time.passes(TENTH.plus(A_TICK));
    assertRefused(device.does(remove("nothing")), Reason.NO_SUCH_LINE);
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionTouched(device.session(), time.now()));

    device.didKeyed("k", set("tea", 1));
    time.passes(TENTH);
    assertRefused(device.doesKeyed("k", set("tea", 2)), Reason.KEY_REUSED);
    assertThat(user.lastSeen()).isEqualTo(device.session());

    time.passes(TENTH);
    device.didKeyed("k", set("tea", 1));
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionTouched(device.session(), time.now()));
  }

  @Test
  void needsNoWordOfItsOwnInTheJournalBesideAChange() {
    time.passes(TENTH.plus(A_TICK));
    device.did(set("tea", 1));
    assertThat(user.lastEvents()).hasSize(1);

    time.passes(TENTH);
    assertAlive(device);
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void doesNotExtendTheSessionWhileTheJournalIsDown() {
    time.passes(Duration.ofMinutes(10));
    user.journalUp = false;

    assertThat(device.sees().expiresAt()).isEqualTo(Time.START + IDLE.toMillis());
    assertRefused(device.does(remove("nothing")), Reason.NO_SUCH_LINE);

    user.journalUp = true;
    time.is(Time.START + IDLE.toMillis());
    assertDead(device);
  }

  @Test
  void ofADeadTokenExtendsNothing() {
    Device fresh = device.rotated();
    assertAlive(fresh);
    time.passes(IDLE.minus(A_TICK));
    assertDead(device);
    assertThat(user.lastSeen()).isNull();
    time.passes(A_TICK);

    assertDead(fresh);
  }

  @Test
  void ofASessionThatNeverIdlesIsStillBounded() {
    Device device = user.opens("alice", ABSOLUTE.multipliedBy(2), ABSOLUTE);
    time.passes(ABSOLUTE);

    assertDead(device);
  }

  @Test
  void thatIsJournaledIsNeverSetBack() {
    Device brief = user.opens("alice", Duration.ofSeconds(20), ABSOLUTE);
    user.notesLate(brief.session(), Duration.ofSeconds(25));
    time.passes(Duration.ofSeconds(22));
    user.wakes();
    assertThat(user.lastEvents())
        .containsExactly(
            new Event.SessionTouched(
                brief.session(), Time.START + Duration.ofSeconds(25).toMillis()));
    time.passes(Duration.ofSeconds(1));
    brief.did(set("tea", 1));
    user.crashes();
    time.is(Time.START + Duration.ofSeconds(25 + 2 + 20).toMillis() - 1);

    assertAlive(brief);
  }

  @Test
  void isNotShortenedByAClockThatGoesBack() {
    time.passes(Duration.ofMinutes(2));
    long acknowledged = device.sees().expiresAt();
    time.passes(Duration.ofMinutes(-1));
    assertAlive(device);

    time.is(acknowledged - 1);
    assertAlive(device);
  }
}
