package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ReadLeaseTest {

  private static final Duration SILENCE = Duration.ofSeconds(5);
  private static final Duration SHORT = Duration.ofMillis(100);

  private long running = 1_000;
  private long wall = 1_700_000_000_000L;
  private final ReadLease lease = new ReadLease(() -> running, () -> wall, SILENCE);

  @Test
  void isNotHeldBeforeAnybodyHasGrantedIt() {
    lease.held(lease.now());
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void isHeldFromTheMomentTheMajorityWasAsked() {
    lease.held(lease.now());
    ReadLease.Moment asked = lease.now();
    pass(SHORT);
    lease.granted(asked);
    assertThat(lease.isHeld()).isTrue();
    pass(ReadLease.LENGTH.minus(SHORT).minusMillis(1));
    assertThat(lease.isHeld()).isTrue();
    pass(Duration.ofMillis(1));
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void isNotRenewedByAnAnswerThatWaitedInABufferWhileTheProcessWasStopped() {
    hold();
    ReadLease.Moment asked = lease.now();
    pass(Duration.ofSeconds(20));
    lease.granted(asked);
    lease.shown(asked);
    lease.held(asked);
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void endsInASuspensionThatOnlyTheWallClockHasSeen() {
    hold();
    wall += 20_000;
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void isNotProlongedByAWallClockThatIsSetBack() {
    hold();
    wall -= 60_000;
    running += ReadLease.LENGTH.toNanos();
    assertThat(lease.isHeld()).isFalse();
  }

  /** Others may have fenced it, and whoever is left here with it could not know. */
  @Test
  void waitsForTheJournalOnceThoseWhoAreLeftAreNoMajorityOfThoseWhoWere() {
    hold();
    ReadLease.Moment before = lease.now();
    pass(SHORT);
    lease.asksJournal();
    lease.doubt();
    lease.granted(lease.now());
    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.isUnclaimed()).as("though the journal does not answer").isFalse();
    lease.held(before);
    assertThat(lease.isHeld()).as("what it said before").isFalse();

    pass(SHORT);
    ReadLease.Moment asked = lease.now();
    lease.held(asked);
    assertThat(lease.isHeldSince(before)).isTrue();
    assertThat(lease.isHeld()).isTrue();
  }

  @Test
  void goesByNoEarlierGrantThatComesLater() {
    lease.held(lease.now());
    ReadLease.Moment first = lease.now();
    pass(SHORT);
    lease.granted(lease.now());
    lease.granted(first);
    pass(ReadLease.LENGTH.minusMillis(1));
    assertThat(lease.isHeld()).isTrue();
  }

  @Test
  void isNotHeldByAMajorityAloneOnceAnotherClusterMayHaveClaimedTheJournal() {
    hold();
    keepGranting(Duration.ofMillis(2_400));
    assertThat(lease.isHeld()).isTrue();
    keepGranting(SHORT);
    assertThat(lease.isHeld()).isFalse();
    lease.held(lease.now());
    assertThat(lease.isHeld()).isTrue();
  }

  @Test
  void goesOnWhileTheJournalDoesNotAnswerAndTheProcessRuns() {
    hold();
    lease.asksJournal();
    keepGranting(Duration.ofSeconds(60));
    assertThat(lease.isHeld()).isTrue();
  }

  @Test
  void isNotHeldAfterAStopUntilTheJournalHasAnswered() {
    hold();
    lease.asksJournal();
    pass(Duration.ofSeconds(3));
    lease.granted(lease.now());
    assertThat(lease.isHeld()).as("before the stop is noticed").isFalse();
    assertThat(lease.tick()).isTrue();
    lease.granted(lease.now());
    assertThat(lease.isHeld()).as("after it was noticed").isFalse();
    keepGranting(SHORT);
    lease.held(lease.now());
    assertThat(lease.isHeld()).isTrue();
  }

  @Test
  void isHeldByTheRowInTheJournalAlone() {
    lease.shown(lease.now());
    assertThat(lease.isHeld()).isTrue();
    pass(ReadLease.LENGTH);
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void isGivenUpByWhoLeaves() {
    hold();
    lease.resign();
    assertThat(lease.isHeld()).isFalse();
  }

  private void hold() {
    lease.tick();
    lease.held(lease.now());
    lease.granted(lease.now());
    assertThat(lease.isHeld()).isTrue();
  }

  private void keepGranting(Duration time) {
    for (Duration left = time; left.isPositive(); left = left.minus(SHORT)) {
      pass(SHORT);
      lease.tick();
      lease.granted(lease.now());
    }
  }

  private void pass(Duration time) {
    running += time.toNanos();
    wall += time.toMillis();
  }
}
