package dev.holdfast.telemetry;

import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Shows distributions to Prometheus as one histogram; nanoseconds become seconds. */
public final class HistogramCollector implements Collector {

  private static final double NANOS_A_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final String name;
  private final String help;
  private final Supplier<Map<Labels, Distribution>> series;

  /**
   * A histogram.
   *
   * @param name with its unit at the end
   * @param series asked at each scrape
   */
  public HistogramCollector(String name, String help, Supplier<Map<Labels, Distribution>> series) {
    this.name = name;
    this.help = help;
    this.series = series;
  }

  /** {@return a histogram without labels} */
  public static HistogramCollector of(String name, String help, Supplier<Distribution> values) {
    return new HistogramCollector(name, help, () -> Map.of(Labels.EMPTY, values.get()));
  }

  @Override
  public HistogramSnapshot collect() {
    var snapshot = HistogramSnapshot.builder().name(name).help(help);
    series.get().forEach((labels, values) -> snapshot.dataPoint(point(labels, values)));
    return snapshot.build();
  }

  private static HistogramDataPointSnapshot point(Labels labels, Distribution values) {
    Histogram.Scale scale = values.scale();
    double unit =
        switch (scale) {
          case NANOS -> NANOS_A_SECOND;
          case COUNT -> 1;
        };
    var buckets = ClassicHistogramBuckets.builder();
    for (int i = 0; i < scale.size(); i++) {
      buckets.bucket(scale.bound(i) / unit, values.count(i));
    }
    buckets.bucket(Double.POSITIVE_INFINITY, values.count(scale.size()));
    return HistogramDataPointSnapshot.builder()
        .labels(labels)
        .classicHistogramBuckets(buckets.build())
        .sum(values.sum() / unit)
        .build();
  }
}
