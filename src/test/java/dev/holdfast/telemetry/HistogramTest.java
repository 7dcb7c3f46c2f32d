package dev.holdfast.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.telemetry.Histogram.Scale;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class HistogramTest {

  private final Histogram sizes = new Histogram(Scale.COUNT);

  @Test
  void putsAValueIntoTheFirstBucketThatHoldsIt() {
    for (int value : new int[] {0, 1, 2, 3, 5, 1_000, 1_001, 1_000_000}) {
      sizes.record(value);
    }
    Distribution read = sizes.read();
    assertThat(IntStream.rangeClosed(0, Scale.COUNT.size()).mapToLong(read::count))
        .containsExactly(2L, 1L, 2L, 0L, 0L, 0L, 0L, 0L, 0L, 1L, 2L);
    assertThat(read.count()).isEqualTo(8);
    assertThat(read.sum()).isEqualTo(1_002_012);
  }

  @Test
  void losesNothingOfManyThreads() {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 100; i++) {
        var _ = threads.submit(() -> IntStream.range(0, 1_000).forEach(sizes::record));
      }
    }
    assertThat(sizes.read().count()).isEqualTo(100_000);
    assertThat(sizes.read().sum()).isEqualTo(49_950_000);
  }

  @Test
  void findsQuantilesWithinABucket() {
    var times = new Histogram(Scale.NANOS);
    for (int i = 1; i <= 100; i++) {
      times.record(i * 1_000_000L); // 1 to 100 ms
    }
    Distribution read = times.read();
    assertThat(read.quantile(0.5)).isCloseTo(50e6, within(1e6));
    assertThat(read.quantile(0.99)).isCloseTo(99e6, within(1e6));
    assertThat(read.quantile(1)).isEqualTo(100e6);
  }

  @Test
  void knowsNoQuantileAboveTheLastBound() {
    sizes.record(70_000);
    assertThat(sizes.read().quantile(0.5)).isEqualTo(1_000);
    assertThat(Distribution.none(Scale.COUNT).quantile(0.5)).isZero();
  }

  @Test
  void tellsWhatCameBetweenTwoReadings() {
    sizes.record(3);
    Distribution first = sizes.read();
    sizes.record(3);
    sizes.record(40);
    Distribution since = sizes.read().minus(first);
    assertThat(since.count()).isEqualTo(2);
    assertThat(since.sum()).isEqualTo(43);
    assertThat(since.plus(first)).isEqualTo(sizes.read());
  }

  @Test
  void addsNothingOfAnotherScale() {
    Distribution times = Distribution.none(Scale.NANOS);
    assertThatThrownBy(() -> times.plus(sizes.read())).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Distribution(Scale.COUNT, new long[3], 0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
