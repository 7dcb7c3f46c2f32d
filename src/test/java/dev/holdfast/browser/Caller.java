package dev.holdfast.browser;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** An application that does what it says, so many times. */
final class Caller {

  /** Of a visit. */
  static final int READS = 4;

  /** Of a visit: a session is opened, and two attributes are set. */
  static final int WRITES = 3;

  private final HttpClient client = HttpClient.newHttpClient();
  private final URI server;

  private Caller(URI server) {
    this.server = server;
  }

  static Caller at(URI server) {
    return new Caller(server);
  }

  void visits(int howMany) throws IOException, InterruptedException {
    for (int visit = 0; visit < howMany; visit++) {
      String token = open("{}");
      for (int i = 1; i < WRITES; i++) {
        send("PUT", "/v1/session/attributes/a" + i, token, Integer.toString(i));
      }
      for (int i = 0; i < READS; i++) {
        send("GET", "/v1/session", token, null);
      }
    }
  }

  /** Has a user put two things into the cart, one after the other. */
  void shopsAs(String user) throws IOException, InterruptedException {
    String token = open("{\"user\":\"" + user + "\"}");
    for (String sku : List.of("first", "second")) {
      send(
          "PUT",
          "/v1/cart/items/" + sku,
          token,
          """
          {"quantity":1,"unitPrice":{"amount":"2.50","currency":"EUR"}}
          """);
    }
  }

  /** Reads and writes so many times a second in all until it is closed, whatever is answered. */
  AutoCloseable steadily(int perSecond) throws IOException, InterruptedException {
    String token = open("{}");
    var turn = new AtomicInteger();
    var clock = Executors.newScheduledThreadPool(2);
    var _ =
        clock.scheduleAtFixedRate(
            () -> {
              try {
                if (turn.incrementAndGet() % 4 == 0) {
                  send("PUT", "/v1/session/attributes/turn", token, turn.toString());
                } else {
                  send("GET", "/v1/session", token, null);
                }
              } catch (IOException broken) {
                // The node that was asked is killed.
              } catch (InterruptedException closed) {
                Thread.currentThread().interrupt();
              }
            },
            0,
            TimeUnit.SECONDS.toNanos(1) / perSecond,
            TimeUnit.NANOSECONDS);
    return clock::shutdownNow;
  }

  private String open(String wanted) throws IOException, InterruptedException {
    return send("POST", "/v1/sessions", null, wanted)
        .headers()
        .firstValue("Session-Token")
        .orElseThrow();
  }

  private HttpResponse<String> send(
      String method, String path, @Nullable String token, @Nullable String json)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(server.resolve(path))
            .method(method, json == null ? BodyPublishers.noBody() : BodyPublishers.ofString(json));
    if (json != null) {
      request.header("Content-Type", "application/json");
    }
    if (token != null) {
      request.header("Session-Token", token);
    }
    HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
    if (response.statusCode() >= 300) {
      throw new IOException(method + " " + path + " was answered " + response.statusCode());
    }
    return response;
  }
}
