package dev.holdfast.drill;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests, each exactly once (the JDK's client sends only GET again by itself), to wherever
 * the service is now.
 */
public final class ApiClient implements Api {

  static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .executor(Executors.newVirtualThreadPerTaskExecutor())
          .build();

  private volatile Supplier<URI> base;

  private final LongAccumulator slowest = new LongAccumulator(Math::max, 0);
  private final LongAdder sent = new LongAdder();
  private final ConcurrentLinkedQueue<String> failed = new ConcurrentLinkedQueue<>();

  public ApiClient(URI base) {
    this(() -> base);
  }

  /**
   * @param base where to send the next request
   */
  public ApiClient(Supplier<URI> base) {
    this.base = base;
  }

  /** What became of the requests since the last time this was asked. */
  public record Tally(long sent, List<String> failed, Duration slowest) {}

  public Tally tally() {
    var failures = new ArrayList<String>();
    String one = failed.poll();
    while (one != null) {
      failures.add(one);
      one = failed.poll();
    }
    return new Tally(sent.sumThenReset(), failures, Duration.ofNanos(slowest.getThenReset()));
  }

  /** The service is at another address from now on. */
  public void moveTo(URI other) {
    base = () -> other;
  }

  /** What to send. */
  public record Call(String method, String path, Map<String, String> headers, String body) {

    public static Call of(String method, String path) {
      return new Call(method, path, Map.of(), "");
    }

    public static Call get(String path) {
      return of("GET", path);
    }

    public Call json(String text) {
      return new Call(method, path, headers, text).with("Content-Type", "application/json");
    }

    public Call mergePatch(String text) {
      return new Call(method, path, headers, text)
          .with("Content-Type", "application/merge-patch+json");
    }

    /** With a header, unless its value is null. */
    public Call with(String name, @Nullable String value) {
      if (value == null) {
        return this;
      }
      var all = new LinkedHashMap<>(headers);
      all.put(name, value);
      return new Call(method, path, Map.copyOf(all), body);
    }

    public Call token(String token) {
      return with("Session-Token", token);
    }

    public Call key(@Nullable String key) {
      return with("Idempotency-Key", key);
    }
  }

  /** What came of sending it, and when, by {@link System#nanoTime}. */
  public sealed interface Sent {
    long begun();

    long ended();
  }

  /**
   * An answer came.
   *
   * @param body as text where it is not JSON
   */
  public record Answer(int status, HttpHeaders headers, JsonNode body, long begun, long ended)
      implements Sent {

    /** {@return the value of a header, empty if there is none} */
    public String header(String name) {
      return headers.firstValue(name).orElse("");
    }

    public boolean ok() {
      return status / 100 == 2;
    }

    public boolean replayed() {
      return header("Idempotent-Replayed").equals("true");
    }

    /** {@return the number in the ETag, or -1 without one} */
    public long revision() {
      String tag = header("ETag");
      return tag.isEmpty() ? -1 : Long.parseLong(tag.substring(1, tag.length() - 1));
    }

    /** {@return the last part of the problem's type, empty where there is none} */
    public String problem() {
      String type = body.path("type").asText();
      return type.substring(type.lastIndexOf(':') + 1);
    }
  }

  /** No answer came: whether the request took effect is unknown. */
  public record NoAnswer(IOException why, long begun, long ended) implements Sent {}

  @Override
  public Sent send(Call call) {
    URI to = base.get();
    Sent came = sendTo(to, call, PATIENCE);
    sent.increment();
    slowest.accumulate(came.ended() - came.begun());
    if (came instanceof NoAnswer(IOException why, long _, long _)) {
      failed.add(call.method() + " " + call.path() + " at " + to + ": " + why);
    } else if (came instanceof Answer answer && answer.status() >= 500) {
      failed.add(call.method() + " " + call.path() + " at " + to + ": " + answer.body());
    }
    return came;
  }

  /** Sends it once, to one address. */
  static Sent sendTo(URI to, Call call, Duration patience) {
    var request =
        HttpRequest.newBuilder(to.resolve(call.path()))
            .timeout(patience)
            .method(
                call.method(),
                call.body().isEmpty()
                    ? BodyPublishers.noBody()
                    : BodyPublishers.ofString(call.body(), UTF_8));
    call.headers().forEach(request::header);
    long begun = System.nanoTime();
    try {
      HttpResponse<byte[]> response = HTTP.send(request.build(), BodyHandlers.ofByteArray());
      long ended = System.nanoTime();
      boolean json = response.headers().firstValue("Content-Type").orElse("").contains("json");
      JsonNode body =
          json
              ? JSON.readTree(response.body())
              : TextNode.valueOf(new String(response.body(), UTF_8));
      return new Answer(response.statusCode(), response.headers(), body, begun, ended);
    } catch (IOException e) {
      return new NoAnswer(e, begun, System.nanoTime());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for an answer", e);
    }
  }
}
