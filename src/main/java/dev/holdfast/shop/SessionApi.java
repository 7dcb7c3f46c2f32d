package dev.holdfast.shop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The API of Holdfast as an application calls it. Where the outcome is not known, or nothing
 * happened, the same request is sent again with the same idempotency key: it takes effect once.
 */
final class SessionApi implements AutoCloseable {

  static final ObjectMapper JSON = new ObjectMapper();

  private static final Duration CONNECTING = Duration.ofSeconds(2);
  private static final Duration ANSWERING = Duration.ofSeconds(20);
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(40);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECTING)
          .build();
  private final URI server;

  SessionApi(URI server) {
    this.server = server;
  }

  /**
   * A request in the making.
   *
   * @param token of the session, or null
   * @param revision that the cart must have, or null if any will do
   */
  record Call(
      String method,
      String path,
      @Nullable String token,
      @Nullable String json,
      @Nullable Long revision) {

    static Call of(String method, String path, @Nullable String token) {
      return new Call(method, path, token, null, null);
    }

    Call with(String body) {
      return new Call(method, path, token, body, revision);
    }

    Call ifRevisionIs(@Nullable Long expected) {
      return new Call(method, path, token, json, expected);
    }
  }

  /**
   * What came of it.
   *
   * @param status 0 if nothing did
   * @param owner the node that holds the user, or null where none had a say
   * @param token of the session from now on, where the answer gives a new one
   * @param sent how often the request was sent
   */
  record Answer(
      int status, JsonNode body, @Nullable String owner, @Nullable String token, int sent) {

    boolean isGood() {
      return status >= 200 && status < 300;
    }
  }

  /** Sends it, again if need be, for 40 s. */
  Answer send(Call call) throws InterruptedException {
    HttpRequest request = request(call);
    long end = System.nanoTime() + PATIENCE_NANOS;
    int sent = 0;
    Answer last;
    do {
      if (sent > 0) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      sent++;
      last = once(request, sent);
    } while (isOpen(last.status()) && System.nanoTime() - end < 0);
    return last;
  }

  /** Whether to ask again: no answer, nothing happened, or not known whether. */
  private static boolean isOpen(int status) {
    return status == 0 || status == 503 || status == 504;
  }

  private Answer once(HttpRequest request, int sent) throws InterruptedException {
    try {
      HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
      return new Answer(
          response.statusCode(),
          response.body().isEmpty() ? MissingNode.getInstance() : JSON.readTree(response.body()),
          response.headers().firstValue("Holdfast-Owner").orElse(null),
          response.headers().firstValue("Session-Token").orElse(null),
          sent);
    } catch (IOException broken) {
      return new Answer(0, MissingNode.getInstance(), null, null, sent);
    }
  }

  private HttpRequest request(Call call) {
    var request =
        HttpRequest.newBuilder(server.resolve(call.path()))
            .timeout(ANSWERING)
            .header("Accept", "application/json");
    String token = call.token();
    if (token != null) {
      request.header("Session-Token", token);
    }
    if (!call.method().equals("GET")) {
      request.header("Idempotency-Key", UUID.randomUUID().toString());
    }
    if (call.revision() != null) {
      request.header("If-Match", "\"" + call.revision() + "\"");
    }
    String json = call.json();
    if (json == null) {
      return request.method(call.method(), BodyPublishers.noBody()).build();
    }
    return request
        .header(
            "Content-Type",
            call.method().equals("PATCH") ? "application/merge-patch+json" : "application/json")
        .method(call.method(), BodyPublishers.ofString(json))
        .build();
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
