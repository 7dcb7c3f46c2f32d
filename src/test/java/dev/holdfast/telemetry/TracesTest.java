package dev.holdfast.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With the SDK in the agent's place. */
@Timeout(60)
class TracesTest {

  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String FROM = "b7ad6b7169203331";
  private static final String CALLER = "00-" + TRACE + "-" + FROM + "-01";
  private static final String OTHER = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01";

  private final InMemorySpanExporter told = InMemorySpanExporter.create();

  @BeforeEach
  void begin() {
    GlobalOpenTelemetry.resetForTest();
  }

  @AfterEach
  void end() {
    GlobalOpenTelemetry.resetForTest();
  }

  private void record(Sampler sampler) {
    GlobalOpenTelemetry.set(
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .setSampler(sampler)
                    .addSpanProcessor(SimpleSpanProcessor.create(told))
                    .build())
            .build());
  }

  @Test
  void goOnWhereTheyCameFrom() {
    record(Sampler.parentBased(Sampler.alwaysOn()));
    String inside;
    try (var _ = Traces.begin("user SetLine", CALLER)) {
      inside = Traces.current();
    }
    Traces.past("journal write", inside, System.nanoTime() - TimeUnit.SECONDS.toNanos(1), null);

    List<SpanData> spans = told.getFinishedSpanItems();
    assertThat(spans)
        .extracting(SpanData::getName, SpanData::getTraceId)
        .containsExactly(tuple("user SetLine", TRACE), tuple("journal write", TRACE));
    assertThat(spans.getFirst().getParentSpanId()).isEqualTo(FROM);
    assertThat(spans.getLast().getParentSpanId()).isEqualTo(spans.getFirst().getSpanId());
    assertThat(spans.getLast().getEndEpochNanos() - spans.getLast().getStartEpochNanos())
        .isBetween(TimeUnit.SECONDS.toNanos(1), TimeUnit.SECONDS.toNanos(20));
    assertThat(Traces.current()).isNull();
  }

  @Test
  void areLinkedWithWhatWasDoneForAllOfThem() {
    record(Sampler.alwaysOn());
    try (var batch = Traces.beginForAll("journal batch", List.of(CALLER, OTHER))) {
      var failure = new IllegalStateException("the disk is full");
      batch.failed(failure);
      Traces.past("journal write", CALLER, System.nanoTime(), failure);
    }
    SpanData write = told.getFinishedSpanItems().getFirst();
    SpanData batch = told.getFinishedSpanItems().getLast();
    assertThat(batch.getTraceId()).isNotEqualTo(TRACE);
    assertThat(batch.getLinks())
        .extracting(link -> link.getSpanContext().getSpanId())
        .containsExactly(FROM, "c7ad6b7169203331");
    assertThat(write.getTraceId()).isEqualTo(TRACE);
    assertThat(write.getLinks())
        .extracting(link -> link.getSpanContext().getSpanId())
        .containsExactly(batch.getSpanId());
    assertThat(List.of(write, batch))
        .allSatisfy(span -> {
          assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
          assertThat(span.getStatus().getDescription()).isEqualTo("the disk is full");
        });
  }

  @Test
  void haveTheNameOfTheRoute() {
    record(Sampler.alwaysOn());
    Span span = GlobalOpenTelemetry.getTracer("test").spanBuilder("PUT").startSpan();
    try (var _ = span.makeCurrent()) {
      Traces.name("PUT", "/v1/cart/items/{sku}");
    }
    span.end();
    assertThat(told.getFinishedSpanItems())
        .extracting(SpanData::getName)
        .containsExactly("PUT /v1/cart/items/{sku}");
  }

  @Test
  void areNotBegunForWhatNobodyTraces() {
    record(Sampler.parentBased(Sampler.alwaysOff()));
    assertThat(Traces.current()).isNull();
    Span unsampled = GlobalOpenTelemetry.getTracer("test").spanBuilder("PUT").startSpan();
    try (var _ = unsampled.makeCurrent()) {
      assertThat(Traces.current()).isNull();
    }
    try (var _ = Traces.begin("user Look", null);
        var _ = Traces.beginForAll("journal batch", List.of())) {
      Traces.past("journal write", null, System.nanoTime(), null);
      assertThat(Traces.current()).isNull();
    }
    assertThat(told.getFinishedSpanItems()).isEmpty();
  }

  @Test
  void recordNothingWithoutAnAgent() {
    assertThat(Traces.current()).isNull();
    try (var _ = Traces.begin("user Look", CALLER)) {
      Traces.past("journal write", CALLER, System.nanoTime(), null);
    }
    assertThat(told.getFinishedSpanItems()).isEmpty();
  }
}
