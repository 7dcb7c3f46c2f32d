package dev.holdfast.kubernetes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP server that plays the API server: it keeps one annotation of one pod, and asks for a
 * token.
 */
final class PlayedApiServer implements AutoCloseable {

  static final String POD = "holdfast-5d9c7b-x2x4z";
  static final String NAMESPACE = "shop";

  private static final String PATH = "/api/v1/namespaces/" + NAMESPACE + "/pods/" + POD;

  /** What was asked for, as one line, and when. */
  record Call(String line, String body, long nanos) {}

  /** What it answers to whoever shows the right token. */
  interface Mood {
    void answer(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final boolean secure;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final List<String> accepted = new CopyOnWriteArrayList<>();
  private volatile String token = "first";
  private volatile Mood mood = exchange -> reply(exchange, 200, null);

  PlayedApiServer() throws IOException {
    this(HttpServer.create(), false);
  }

  /** Serves by TLS, with a key of its own. */
  PlayedApiServer(SSLContext context) throws IOException {
    this(secured(context), true);
  }

  private PlayedApiServer(HttpServer server, boolean secure) throws IOException {
    this.server = server;
    this.secure = secure;
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  private static HttpsServer secured(SSLContext context) throws IOException {
    HttpsServer server = HttpsServer.create();
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    return server;
  }

  private void handle(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String type = exchange.getRequestHeaders().getFirst("Content-Type");
    calls.add(
        new Call(
            exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + type,
            body,
            System.nanoTime()));
    if (!("Bearer " + token).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      reply(exchange, 401, null);
    } else if (!exchange.getRequestURI().toString().equals(PATH)) {
      reply(exchange, 404, null);
    } else {
      mood.answer(exchange);
      if (exchange.getResponseCode() == 200) {
        accepted.add(body);
      }
    }
  }

  static void reply(HttpExchange exchange, int status, @Nullable String retryAfter)
      throws IOException {
    if (retryAfter != null) {
      exchange.getResponseHeaders().set("Retry-After", retryAfter);
    }
    byte[] body = "{\"kind\":\"Status\",\"code\":%d}".formatted(status).getBytes(UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  /** From now on it takes only this token. */
  void takes(String token) {
    this.token = token;
  }

  void is(Mood mood) {
    this.mood = mood;
  }

  List<Call> calls() {
    return calls;
  }

  /** {@return the bodies of the calls that it has answered with 200} */
  List<String> accepted() {
    return accepted;
  }

  /** {@return the settings of a pod whose service account's files are in {@code folder}} */
  PodSettings pod(Path folder) throws IOException {
    give(folder, "first");
    Files.writeString(folder.resolve("namespace"), NAMESPACE);
    return new PodSettings(
        POD,
        URI.create((secure ? "https" : "http") + "://127.0.0.1:" + server.getAddress().getPort()),
        folder);
  }

  /** As the kubelet does when it renews the token: nobody ever reads half of it. */
  static void give(Path folder, String token) throws IOException {
    Path next = Files.writeString(folder.resolve("token-next"), token + "\n");
    Files.move(next, folder.resolve("token"), StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
