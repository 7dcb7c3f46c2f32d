package dev.holdfast.http;

import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.Histogram;
import dev.holdfast.telemetry.Histogram.Scale;
import io.helidon.http.Method;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * How long requests took from their first line to their answer, by operation and class of status.
 * There are as many histograms as the API has operations with classes, whatever callers send.
 */
final class RequestTimes {

  private static final String NONE = "none";
  private static final int HUNDRED = 100;

  /**
   * What is counted together.
   *
   * @param route null where none was found
   * @param statusClass 2 for 200 to 299
   */
  private record Kind(@Nullable Route route, int statusClass) {

    Labels labels() {
      return Labels.of(
          "method", route == null ? NONE : route.method().text(),
          "route", route == null ? NONE : route.path(),
          "status", statusClass + "xx");
    }

    /** Whether an application sent it, about a session or a cart. */
    boolean isOfApplications() {
      return route != null
          && switch (route.access()) {
            case APPLICATION, SESSION -> true;
            case ANYBODY, ADMINISTRATOR -> false;
          };
    }

    boolean isRead() {
      return route != null && route.method().equals(Method.GET);
    }
  }

  private final Map<Kind, Histogram> times = new ConcurrentHashMap<>();

  /**
   * Counts a request.
   *
   * @param route null if none was found
   */
  void record(@Nullable Route route, int status, long nanos) {
    times
        .computeIfAbsent(new Kind(route, status / HUNDRED), _ -> new Histogram(Scale.NANOS))
        .record(nanos);
  }

  /** {@return all of them, as Prometheus names them} */
  Map<Labels, Distribution> byLabels() {
    var all = new HashMap<Labels, Distribution>();
    times.forEach((kind, histogram) -> all.put(kind.labels(), histogram.read()));
    return all;
  }

  /** {@return those of applications} */
  Figures.Requests ofApplications() {
    Distribution reads = Distribution.none(Scale.NANOS);
    Distribution writes = Distribution.none(Scale.NANOS);
    long refused = 0;
    long failed = 0;
    for (var entry : times.entrySet()) {
      Kind kind = entry.getKey();
      if (kind.isOfApplications()) {
        Distribution values = entry.getValue().read();
        if (kind.isRead()) {
          reads = reads.plus(values);
        } else {
          writes = writes.plus(values);
        }
        refused += kind.statusClass() == 4 ? values.count() : 0;
        failed += kind.statusClass() == 5 ? values.count() : 0;
      }
    }
    return new Figures.Requests(reads, writes, refused, failed);
  }
}
