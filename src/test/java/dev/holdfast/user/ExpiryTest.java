package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertInvalid;
import static dev.holdfast.user.Answered.assertWaitsForTheJournal;
import static dev.holdfast.user.LiveUser.ABSOLUTE;
import static dev.holdfast.user.LiveUser.IDLE;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class ExpiryTest {

  private static final Duration A_TICK = Duration.ofMillis(1);

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final Device device = user.opensFor("alice");

  @Test
  void comesWhenTheIdleTimeoutIsOverAndNotBefore() {
    time.passes(IDLE.minus(A_TICK));
    assertAlive(device);
    time.passes(IDLE);
    assertDead(device);
  }

  @Test
  void comesAtTheAbsoluteLimitWhateverTheActivity() {
    for (int minutes = 20; minutes < ABSOLUTE.toMinutes(); minutes += 20) {
      time.passes(Duration.ofMinutes(20));
      assertAlive(device);
    }
    time.is(Time.START + ABSOLUTE.toMillis() - 1);
    assertAlive(device);
    assertThat(device.sees().expiresAt()).isEqualTo(Time.START + ABSOLUTE.toMillis());

    time.passes(A_TICK);

    assertDead(device);
    assertThat(user.journal.getLast().event())
        .isEqualTo(new Event.SessionExpired(device.session(), Event.Limit.ABSOLUTE));
  }

  @Test
  void isJournaledBeforeItIsTold() {
    time.passes(IDLE);

    assertInvalid(device.looks());
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionExpired(device.session(), Event.Limit.IDLE));

    assertInvalid(device.looks());
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void cannotBeToldWhileTheJournalIsDown() {
    time.passes(IDLE);
    user.journalUp = false;

    assertWaitsForTheJournal(device::looks);
    assertWaitsForTheJournal(() -> device.does(set("tea", 1)));
  }

  @Test
  void ofAnotherSessionStandsInNobodysWayWhileTheJournalIsDown() {
    time.passes(IDLE.minus(A_TICK));
    Device other = user.opensFor("alice");
    time.passes(A_TICK);
    user.journalUp = false;

    assertAlive(other);

    user.journalUp = true;
    assertAlive(other);
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionExpired(device.session(), Event.Limit.IDLE));
  }

  @Test
  void isFinalThoughTheClockGoesBack() {
    time.passes(IDLE);
    assertDead(device);
    time.passes(IDLE.negated());
    user.crashes();

    assertDead(device);
    assertInvalid(device.does(set("tea", 1)));
  }

  @Test
  void isNotJournaledForAsLongAsNobodyWasRefused() {
    time.passes(IDLE);
    time.passes(IDLE.negated());

    assertAlive(device);
  }

  @Test
  void isMeasuredByAClockThatNeverRunsBehindTheLastEntry() {
    Device other = user.opens("alice", Duration.ofHours(9), ABSOLUTE);
    time.passes(IDLE);
    other.did(set("tea", 1));
    time.passes(IDLE.negated());

    assertDead(device);
  }

  @Test
  void endsWhateverIsDueWhenAnybodyAsks() {
    Device second = user.opensFor("alice");
    time.passes(IDLE.minus(A_TICK));
    Device third = user.opensFor("alice");
    time.passes(A_TICK);

    assertThat(third.lists()).containsExactly(third.session());
    assertThat(user.lastEvents())
        .containsExactly(
            new Event.SessionExpired(device.session(), Event.Limit.IDLE),
            new Event.SessionExpired(second.session(), Event.Limit.IDLE));
  }

  @Test
  void endsAVisitorsCart() {
    var visitor = new LiveUser(time);
    Device browser = visitor.opens();
    browser.did(set("tea", 1));
    time.passes(IDLE);
    assertDead(browser);

    assertThat(visitor.state().cart().lines()).isEmpty();
  }

  @Test
  void leavesAKnownUsersCart() {
    device.did(set("tea", 1));
    time.passes(IDLE);
    assertDead(device);

    assertThat(user.opensFor("alice").cart()).containsExactly(line("tea", 1));
  }

  @Test
  void pausesWhileTheClockCannotBeTrusted() {
    user.expiryPaused = true;
    time.passes(ABSOLUTE.multipliedBy(2));

    user.wakes();
    assertThat(user.lastEvents()).isEmpty();
    assertAlive(device);
    assertThat(user.opensFor("alice").lists()).hasSize(2);
  }

  @Test
  void goesOnWhenTheClockIsTrustedAgain() {
    user.expiryPaused = true;
    time.passes(IDLE);
    user.wakes();
    user.expiryPaused = false;

    assertDead(device);
  }

  @Test
  void givesTheSameAnswerWhyeverATokenIsDead() {
    Device expired = device;
    time.passes(IDLE);
    Device loggedOut = user.opensFor("alice");
    loggedOut.did(new Action.LogOut());
    Device rotated = user.opensFor("alice");
    rotated.rotated();
    Device ended = user.opensFor("alice");
    user.opensFor("alice").did(new Action.EndOthers());
    Device unknown = new Device(user, Requests.newSession(), 1);
    Device future = user.opensFor("alice").with(2);

    for (Device dead : new Device[] {expired, loggedOut, rotated, ended, unknown, future}) {
      assertInvalid(dead.looks());
      assertInvalid(dead.does(set("tea", 1)));
      assertInvalid(dead.doesKeyed("k", new Action.LogOut()));
      assertInvalid(user.asks(new Command.ListSessions(dead.access())));
    }
    assertInvalid(new Device(new LiveUser(time), Requests.newSession(), 1).looks());
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE - 1, Long.MAX_VALUE / 10 * 9, 1L << 62})
  void neverComesForDurationsBeyondAllTime(long millis) {
    var forever = new LiveUser(time);
    var opened =
        Device.done(
            forever.asks(
                new Command.Open(
                    Requests.fresh(),
                    Requests.newSession(),
                    null,
                    Json.Obj.empty(),
                    millis,
                    millis)));
    var patient = new Device(forever, ((Outcome.Opened) opened.outcome()).session(), 1);
    time.passes(Duration.ofDays(365_000));

    assertAlive(patient);
    forever.crashes();
    forever.wakes();
    assertAlive(patient);
    assertThat(patient.sees().expiresAt()).isGreaterThan(time.now());
  }

  @Test
  void comesAtOnceForNoTimeAtAll() {
    Device brief = user.opens("alice", Duration.ZERO, ABSOLUTE);
    assertDead(brief);
    assertDead(user.opens("alice", IDLE, Duration.ZERO));
  }
}
