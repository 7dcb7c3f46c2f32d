package dev.holdfast.telemetry;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a trace that an agent does not see by itself: a question on its way to a user's
 * actor, which may be on another node, what the actor makes of it, and its time in the journal.
 *
 * <p>A trace is carried as text, the {@code traceparent} of W3C's Trace Context, so that it crosses
 * nodes as it is. Where no OpenTelemetry agent runs, or it does not sample a trace, there is no
 * such text, nothing is recorded, and what it costs is a look at a thread-local.
 */
public final class Traces {

  private static final String SCOPE = "dev.holdfast";
  private static final String TRACEPARENT = "traceparent";

  private static final TextMapGetter<Map<String, String>> IN_A_MAP =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, String> carrier, String key) {
          return carrier == null ? null : carrier.get(key);
        }
      };

  private Traces() {}

  /** A part of a trace that lasts until it is closed, on the thread that began it. */
  public static final class Part implements AutoCloseable {

    private static final Part NONE = new Part(null, null);

    private final @Nullable Span span;
    private final @Nullable Scope scope;

    private Part(@Nullable Span span, @Nullable Scope scope) {
      this.span = span;
      this.scope = scope;
    }

    /** What it is about has failed. */
    public void failed(Throwable why) {
      if (span != null) {
        span.setStatus(StatusCode.ERROR, String.valueOf(why.getMessage()));
      }
    }

    @Override
    public void close() {
      if (scope != null) {
        scope.close();
      }
      if (span != null) {
        span.end();
      }
    }
  }

  /** {@return the trace in which the present thread is, and where in it; null if in none} */
  public static @Nullable String current() {
    SpanContext here = Span.current().getSpanContext();
    if (!here.isValid() || !here.isSampled()) {
      return null;
    }
    var carrier = new HashMap<String, String>();
    W3CTraceContextPropagator.getInstance()
        .inject(
            Context.current(),
            carrier,
            (to, name, value) -> {
              if (to != null) {
                to.put(name, value);
              }
            });
    return carrier.get(TRACEPARENT);
  }

  /**
   * Gives the request of the present thread, which an agent has begun to trace, the name of its
   * route.
   *
   * @param route a template, such as {@code /v1/cart/items/{sku}}
   */
  public static void name(String method, String route) {
    Span here = Span.current();
    if (here.isRecording()) {
      here.updateName(method + " " + route);
      here.setAttribute("http.route", route);
    }
  }

  /**
   * Begins a part on the present thread.
   *
   * @param trace that it belongs to, as {@link #current} gave it, perhaps on another node; nothing
   *     is recorded if it is null
   */
  public static Part begin(String name, @Nullable String trace) {
    return trace == null ? Part.NONE : begun(tracer().spanBuilder(name).setParent(context(trace)));
  }

  /**
   * Begins a time in which the present thread is in no trace, though it was in one before: what it
   * does is for others.
   */
  @SuppressWarnings("MustBeClosedChecker") // the part closes it
  public static Part beginOutside() {
    return Span.current().getSpanContext().isValid()
        ? new Part(null, Context.root().makeCurrent())
        : Part.NONE;
  }

  /**
   * Begins what is done for several traces at once: a trace of its own that is linked with theirs.
   *
   * @param traces of those for whom it is done; nothing is recorded if there are none
   */
  public static Part beginForAll(String name, List<String> traces) {
    if (traces.isEmpty()) {
      return Part.NONE;
    }
    SpanBuilder builder = tracer().spanBuilder(name).setNoParent();
    for (String trace : traces) {
      builder.addLink(Span.fromContext(context(trace)).getSpanContext());
    }
    return begun(builder);
  }

  /**
   * Records a part that is over now.
   *
   * @param trace that it belongs to; nothing is recorded if it is null
   * @param began by {@link System#nanoTime}
   * @param failure null if it went well
   */
  public static void past(
      String name, @Nullable String trace, long began, @Nullable Throwable failure) {
    if (trace == null) {
      return;
    }
    long now = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    Span span =
        tracer()
            .spanBuilder(name)
            .setParent(context(trace))
            .addLink(Span.current().getSpanContext())
            .setStartTimestamp(now - (System.nanoTime() - began), TimeUnit.NANOSECONDS)
            .startSpan();
    if (failure != null) {
      span.setStatus(StatusCode.ERROR, String.valueOf(failure.getMessage()));
    }
    span.end(now, TimeUnit.NANOSECONDS);
  }

  @SuppressWarnings("MustBeClosedChecker") // the part closes it
  private static Part begun(SpanBuilder builder) {
    Span span = builder.setSpanKind(SpanKind.INTERNAL).startSpan();
    return new Part(span, span.makeCurrent());
  }

  private static Context context(String trace) {
    return W3CTraceContextPropagator.getInstance()
        .extract(Context.root(), Map.of(TRACEPARENT, trace), IN_A_MAP);
  }

  private static Tracer tracer() {
    return GlobalOpenTelemetry.getTracer(SCOPE);
  }
}
