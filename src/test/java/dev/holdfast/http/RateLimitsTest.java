package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class RateLimitsTest {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Where the clock of the JVM stands is not ours to say; it may be below zero and wrap. */
  private static final long NOW = Long.MAX_VALUE - SECOND;

  private final RateLimits limits = new RateLimits(10);

  @Test
  void letsComeAtOnceWhatMayComeInTwoSecondsAndThenOneAfterTheOther() {
    for (int i = 0; i < 20; i++) {
      assertThat(limits.take("shop", NOW)).isZero();
    }
    long wait = limits.take("shop", NOW);
    assertThat(wait).isEqualTo(SECOND / 10);
    assertThat(limits.take("shop", NOW + wait - 1)).isEqualTo(1);
    assertThat(limits.take("shop", NOW + wait)).isZero();
    assertThat(limits.take("shop", NOW + wait)).isPositive();
  }

  @Test
  void savesNothingUpBeyondThat() {
    assertThat(limits.take("shop", NOW)).isZero();
    long muchLater = NOW + 3_600 * SECOND;
    int taken = 0;
    while (limits.take("shop", muchLater) == 0) {
      taken++;
    }
    assertThat(taken).isEqualTo(20);
  }

  @Test
  void keepsCallersApart() {
    while (limits.take("shop", NOW) == 0) {}
    assertThat(limits.take("other", NOW)).isZero();
  }

  @Test
  void limitsNobodyWhereThereIsNoLimit() {
    var none = new RateLimits(0);
    for (int i = 0; i < 1_000; i++) {
      assertThat(none.take("shop", NOW)).isZero();
    }
  }

  @Test
  void letsNoMoreThroughWhereManyComeAtOnce() {
    var taken = new AtomicInteger();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 500; i++) {
        threads.execute(() -> {
          if (limits.take("shop", NOW) == 0) {
            taken.incrementAndGet();
          }
        });
      }
    }
    assertThat(taken.get()).isEqualTo(20);
  }
}
