package dev.holdfast.http;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Health, metrics and the contract itself: for probes and tools, without a key. */
final class OperationsRoutes {

  private static final String TEXT = "text/plain";
  private static final String OPEN_METRICS = "application/openmetrics-text";
  private static final String YAML = "application/yaml";

  private OperationsRoutes() {}

  static List<Route> all(Health health, PrometheusMeterRegistry metrics) {
    byte[] contract = contract();
    List<String> json = List.of(Response.JSON);
    return List.of(
        Route.anybody("/health/live", json, _ -> health(health.whyNotLive())),
        Route.anybody("/health/ready", json, _ -> health(health.whyNotReady())),
        Route.anybody("/metrics", List.of(TEXT, OPEN_METRICS), call -> metrics(call, metrics)),
        Route.anybody("/openapi.yaml", List.of(YAML), _ -> Response.of(200, YAML, contract)));
  }

  private static Response health(@Nullable String whyNot) {
    return whyNot == null
        ? Response.json(200, WireJson.healthy())
        : Response.of(
            Problem.of(ProblemType.NOT_HEALTHY, whyNot)
                .retryAfterMillis(TimeUnit.SECONDS.toMillis(1)));
  }

  private static Response metrics(Call call, PrometheusMeterRegistry metrics) {
    String contentType =
        switch (call.accepted()) {
          case OPEN_METRICS -> OPEN_METRICS + "; version=1.0.0; charset=utf-8";
          default -> TEXT + "; version=0.0.4; charset=utf-8";
        };
    return Response.of(
        200, contentType, metrics.scrape(contentType).getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] contract() {
    try (InputStream in = OperationsRoutes.class.getResourceAsStream("/openapi.yaml")) {
      if (in == null) {
        throw new IllegalStateException("openapi.yaml is not in the program");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("reading openapi.yaml from the program", e);
    }
  }
}
