package dev.holdfast.command;

import dev.holdfast.app.App;
import dev.holdfast.app.Settings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/**
 * {@code rehearse}: runs a node of its own through a few visits and ends. What the JVM's cache of
 * loaded and linked classes is made from, which halves the time to start.
 */
@Command(
    name = "rehearse",
    hidden = true,
    description = "Runs a node through a few visits and ends, for the JVM's start-up cache.")
final class RehearseCommand implements Callable<Integer> {

  private static final int VISITS = 20;
  private static final String LINE =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"12.30\",\"currency\":\"EUR\"}}";

  @Override
  public Integer call() throws Exception {
    try (var data = TemporaryFolder.create("holdfast-rehearsal")) {
      var settings =
          Settings.load(null, Map.of(), Map.of("port", "0", "data", data.path().toString()));
      try (App app = App.start(settings, () -> Runtime.getRuntime().halt(1));
          HttpClient client = HttpClient.newHttpClient()) {
        for (int visit = 0; visit < VISITS; visit++) {
          visit(client, app.url(), "user-" + visit);
        }
      }
    }
    return 0;
  }

  private static void visit(HttpClient client, URI node, String user) throws Exception {
    String token = call(client, node, "POST", "/v1/sessions", null, "{}");
    call(client, node, "PATCH", "/v1/session/attributes", token, "{\"theme\":\"dark\"}");
    call(client, node, "PUT", "/v1/cart/items/sku-1", token, LINE);
    call(client, node, "GET", "/v1/session", token, null);
    token = call(client, node, "POST", "/v1/session/login", token, "{\"user\":\"" + user + "\"}");
    call(client, node, "GET", "/v1/cart", token, null);
    token = call(client, node, "POST", "/v1/session/rotate", token, null);
    call(client, node, "POST", "/v1/cart/checkout", token, "{}");
    call(client, node, "DELETE", "/v1/session", token, null);
    call(client, node, "GET", "/health/ready", null, null);
    call(client, node, "GET", "/metrics", null, null);
  }

  /** {@return the session token in the answer, or the one that was used} */
  private static String call(
      HttpClient client,
      URI node,
      String method,
      String path,
      @Nullable String token,
      @Nullable String body)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(node.resolve(path))
            .timeout(Duration.ofSeconds(30))
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (body != null) {
      request.header(
          "Content-Type",
          method.equals("PATCH") ? "application/merge-patch+json" : "application/json");
    }
    if (token != null) {
      request.header("Session-Token", token);
    }
    HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
    if (response.statusCode() >= 300) {
      throw new IOException(method + " " + path + " was answered " + response.statusCode());
    }
    return response.headers().firstValue("Session-Token").orElse(token == null ? "" : token);
  }
}
