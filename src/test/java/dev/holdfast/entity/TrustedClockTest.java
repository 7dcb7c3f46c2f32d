package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class TrustedClockTest {

  private long wall = 1_700_000_000_000L;
  private long running = 1_000;
  private long boot = 5_000;
  private int asked;
  private final TrustedClock clock =
      new TrustedClock(
          () -> Instant.ofEpochMilli(wall),
          () -> running,
          () -> {
            asked++;
            return boot;
          });

  @Test
  void trustsAClockThatMovesWithTheTimeSinceBoot() {
    pass(Duration.ofDays(30));
    assertThat(clock.read()).isEqualTo(new TrustedClock.Reading(wall, true));
  }

  @Test
  void toleratesAClockThatIsNudged() {
    wall += TrustedClock.TOLERANCE.toMillis();
    assertThat(clock.read().trusted()).isTrue();
  }

  @Test
  void distrustsAClockThatJumpsAheadOrBack() {
    wall += TrustedClock.TOLERANCE.toMillis() + 1;
    assertThat(clock.read().trusted()).isFalse();
    settle();
    wall -= Duration.ofHours(1).toMillis();
    assertThat(clock.read().trusted()).isFalse();
  }

  @Test
  void letsTimeGoOnEvenlyFromWhereItWasWhileTheClockIsWrong() {
    long before = clock.read().millis();
    wall += Duration.ofDays(400).toMillis();
    assertThat(clock.read()).isEqualTo(new TrustedClock.Reading(before, false));
    pass(Duration.ofMinutes(1));
    assertThat(clock.read())
        .isEqualTo(new TrustedClock.Reading(before + Duration.ofMinutes(1).toMillis(), false));
  }

  @Test
  void trustsAClockAtOnceThatIsBackWhereItShouldBe() {
    wall += Duration.ofDays(400).toMillis();
    clock.read();
    pass(Duration.ofMinutes(1));
    wall -= Duration.ofDays(400).toMillis();
    assertThat(clock.read()).isEqualTo(new TrustedClock.Reading(wall, true));
  }

  @Test
  void trustsACorrectedClockOnceItHasMovedEvenlyForAWhile() {
    wall += Duration.ofHours(1).toMillis();
    assertThat(clock.read().trusted()).isFalse();
    pass(TrustedClock.SETTLING.minusMillis(1));
    assertThat(clock.read().trusted()).isFalse();
    pass(Duration.ofMillis(1));
    assertThat(clock.read().trusted()).isTrue();
  }

  @Test
  void beginsToSettleAnewWithEachJump() {
    wall += Duration.ofHours(1).toMillis();
    assertThat(clock.read().trusted()).isFalse();
    pass(TrustedClock.SETTLING.minusMillis(1));
    wall += Duration.ofHours(1).toMillis();
    assertThat(clock.read().trusted()).isFalse();
    pass(Duration.ofMillis(1));
    assertThat(clock.read().trusted()).isFalse();
  }

  @Test
  void takesASuspensionForPassedTime() {
    pass(Duration.ofHours(8));
    running -= Duration.ofHours(8).toMillis(); // this one stood still while the machine slept
    assertThat(clock.read().trusted()).isTrue();
  }

  @Test
  void asksTheTimeSinceBootOnlyWhenTheOthersDisagree() {
    pass(Duration.ofDays(3));
    clock.read();
    assertThat(asked).isOne(); // at the start
    running -= Duration.ofHours(1).toMillis();
    clock.read();
    clock.read();
    assertThat(asked).isEqualTo(2);
  }

  @Test
  void isNotLedAstrayByManySmallNudges() {
    for (int i = 0; i < 3; i++) {
      wall += 2_000;
      clock.read();
    }
    assertThat(clock.read().trusted()).isFalse();
  }

  private void settle() {
    pass(TrustedClock.SETTLING);
    assertThat(clock.read().trusted()).isTrue();
  }

  private void pass(Duration time) {
    wall += time.toMillis();
    running += time.toMillis();
    boot += time.toMillis();
  }
}
