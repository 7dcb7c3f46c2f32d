package dev.holdfast.app;

import dev.holdfast.feed.ConsumerWatch.Lag;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How far behind each named consumer of the feed is, as meters; consumers come and go. */
final class ConsumerMeters {

  private final MultiGauge behind;
  private final MultiGauge lapsed;

  ConsumerMeters(MeterRegistry registry) {
    behind =
        MultiGauge.builder("holdfast.feed.consumer.behind.seconds")
            .description("Time since the first event that the consumer has not read")
            .register(registry);
    lapsed =
        MultiGauge.builder("holdfast.feed.consumer.lapsed")
            .description("1 if the consumer was behind for so long that nothing is kept for it")
            .register(registry);
  }

  void update(List<Lag> lags) {
    behind.register(
        lags.stream()
            .map(lag ->
                MultiGauge.Row.of(
                    Tags.of("consumer", lag.consumer()),
                    (double) lag.millis() / TimeUnit.SECONDS.toMillis(1)))
            .toList(),
        true);
    lapsed.register(
        lags.stream()
            .map(lag ->
                MultiGauge.Row.of(
                    Tags.of("consumer", lag.consumer()), (Number) (lag.lapsed() ? 1 : 0)))
            .toList(),
        true);
  }
}
