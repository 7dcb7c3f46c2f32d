package dev.holdfast.command;

import dev.holdfast.app.App;
import dev.holdfast.app.Settings;
import dev.holdfast.local.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/**
 * {@code rehearse}: runs a node through some visits, beside another that dies in between, and ends.
 * What the JVM's cache is made from: classes loaded and linked, which halves the time to start, and
 * how often each method was called, which has it compiled sooner. So the rehearsal goes through
 * what a node that has just come must do well at once: requests of its own users and of the
 * other's, and the takeover of these.
 */
@Command(
    name = "rehearse",
    hidden = true,
    description = "Runs a node through some visits and ends, for the JVM's start-up cache.")
final class RehearseCommand implements Callable<Integer> {

  private static final int VISITORS = 8;

  /** Together with the other node. */
  private static final Duration TOGETHER = Duration.ofSeconds(6);

  /** After the other has died. */
  private static final Duration ALONE = Duration.ofSeconds(3);

  private static final String LINE =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"12.30\",\"currency\":\"EUR\"}}";

  @Override
  public Integer call() throws Exception {
    try (var data = TemporaryFolder.create("holdfast-rehearsal")) {
      var shared = Map.of("port", "0", "data", data.path().toString(), "journal.shared", "true");
      var settings = Settings.load(null, Map.of(), shared);
      try (App app = App.start(settings, () -> Runtime.getRuntime().halt(1));
          NodeProcess other =
              NodeProcess.start(
                  data.path(),
                  List.of(),
                  Map.of("HOLDFAST_NODE", "node-2", "HOLDFAST_JOURNAL_SHARED", "true"));
          HttpClient client = HttpClient.newHttpClient()) {
        crowd(client, List.of(app.url(), other.url()), TOGETHER);
        other.kill();
        crowd(client, List.of(app.url()), ALONE);
      }
    }
    return 0;
  }

  /** Visitors come one after the other, some at a time, each to the nodes in turn. */
  private static void crowd(HttpClient client, List<URI> nodes, Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    var ticket = new AtomicInteger();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var all = new ArrayList<Callable<Void>>();
      for (int i = 0; i < VISITORS; i++) {
        all.add(() -> {
          while (System.nanoTime() - end < 0) {
            int number = ticket.getAndIncrement();
            visit(client, nodes, "user-" + nodes.size() + "-" + number);
          }
          return null;
        });
      }
      for (Future<Void> one : threads.invokeAll(all)) {
        one.get();
      }
    }
  }

  private static void visit(HttpClient client, List<URI> nodes, String user) throws Exception {
    int first = user.hashCode() & Integer.MAX_VALUE;
    URI node = nodes.get(first % nodes.size());
    URI next = nodes.get((first + 1) % nodes.size());
    String token = call(client, node, "POST", "/v1/sessions", null, "{}");
    call(client, next, "PATCH", "/v1/session/attributes", token, "{\"theme\":\"dark\"}");
    call(client, node, "PUT", "/v1/cart/items/sku-1", token, LINE);
    call(client, next, "PUT", "/v1/cart/items/sku-2", token, LINE);
    call(client, node, "GET", "/v1/session", token, null);
    call(client, next, "GET", "/v1/session", token, null);
    token = call(client, node, "POST", "/v1/session/login", token, "{\"user\":\"" + user + "\"}");
    call(client, next, "GET", "/v1/cart", token, null);
    token = call(client, node, "POST", "/v1/session/rotate", token, null);
    call(client, next, "POST", "/v1/cart/checkout", token, "{}");
    call(client, node, "DELETE", "/v1/session", token, null);
    call(client, next, "GET", "/health/ready", null, null);
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
