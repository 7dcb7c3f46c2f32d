package dev.holdfast.shop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.shop.SessionApi.Answer;
import dev.holdfast.shop.SessionApi.Call;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shop's pages and their backend. The browser holds the session's token in a cookie that
 * scripts cannot read, one for each of its two devices, and never talks to Holdfast itself.
 *
 * <p>For this machine only: whoever reaches it may kill nodes. It answers on the loopback
 * interface, to loopback names, and to no other site's page.
 */
public final class Shop implements AutoCloseable {

  /** Where it is served. */
  public static final String PATH = "/shop";

  private static final Logger LOG = LoggerFactory.getLogger(Shop.class);
  private static final String API = PATH + "/api/";
  private static final int BODY_BYTES = 4_096;
  private static final int MOST_OF_ONE = 99;
  private static final Pattern LOOPBACK =
      Pattern.compile("(?i)(?:localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1])(?::[0-9]{1,5})?");
  private static final Pattern USER = Pattern.compile("[\\p{L}\\p{N} ._@-]{1,64}");
  private static final List<String> DEVICES = List.of("laptop", "phone");
  private static final Map<String, String> TYPES =
      Map.of("html", "text/html", "css", "text/css", "js", "text/javascript");
  private static final List<String> FILES = List.of("shop.css", "shop.js", "pictures.js");
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final SessionApi api;
  private final Nodes nodes;

  /** An answer of the shop's own. */
  private static final class Said {
    final int status;
    final String type;
    final byte[] body;

    Said(int status, String type, byte[] body) {
      this.status = status;
      this.type = type;
      this.body = body;
    }

    static Said json(int status, JsonNode body) {
      return new Said(status, "application/json", body.toString().getBytes(StandardCharsets.UTF_8));
    }

    static Said no(int status, String why) {
      return json(status, SessionApi.JSON.createObjectNode().put("problem", why));
    }
  }

  private Shop(HttpServer server, SessionApi api, Nodes nodes) {
    this.server = server;
    this.api = api;
    this.nodes = nodes;
  }

  /**
   * Opens the shop on a port of its own.
   *
   * @param holdfast where the API is
   * @param nodes those that can be killed
   */
  public static Shop open(URI holdfast, Nodes nodes) throws IOException {
    // Read once, before the JDK's first server. Without it what is longer than a packet waits for
    // the other side's delayed acknowledgement, 40 ms.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    var shop = new Shop(server, new SessionApi(holdfast), nodes);
    server.setExecutor(shop.threads);
    server.createContext("/", shop::handle);
    server.start();
    return shop;
  }

  /** {@return where it listens} */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  // ---------------------------------------------------------------------------------------------
  // Requests

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Said said;
      try {
        said = answer(exchange);
      } catch (InterruptedException closing) {
        Thread.currentThread().interrupt();
        said = Said.no(503, "The shop is closing.");
      } catch (RuntimeException fault) {
        LOG.error("the shop failed", fault);
        said = Said.no(500, "The shop has a fault; its log says more.");
      }
      var headers = exchange.getResponseHeaders();
      headers.set("Content-Type", said.type + "; charset=utf-8");
      headers.set("Cache-Control", "no-store");
      headers.set("Content-Security-Policy", POLICY);
      headers.set("X-Content-Type-Options", "nosniff");
      boolean bodiless = exchange.getRequestMethod().equals("HEAD") || said.body.length == 0;
      exchange.sendResponseHeaders(said.status, bodiless ? -1 : said.body.length);
      if (!bodiless) {
        exchange.getResponseBody().write(said.body);
      }
    }
  }

  private Said answer(HttpExchange exchange) throws IOException, InterruptedException {
    String path = exchange.getRequestURI().getRawPath();
    String method = exchange.getRequestMethod();
    if (isForeign(exchange)) {
      return Said.no(403, "Only pages of the shop on this machine may ask.");
    }
    if (path.startsWith(API)) {
      return backend(exchange, method, path.substring(API.length()));
    }
    if (!method.equals("GET") && !method.equals("HEAD")) {
      return Said.no(405, "Pages are only read.");
    }
    if (path.equals(PATH)) {
      return file("index.html");
    }
    String name = path.substring(path.lastIndexOf('/') + 1);
    return path.equals(PATH + "/" + name) && FILES.contains(name)
        ? file(name)
        : Said.no(404, "The shop has no such page.");
  }

  /** A page that is none of ours could otherwise kill nodes by way of a browser on this machine. */
  private static boolean isForeign(HttpExchange exchange) {
    var headers = exchange.getRequestHeaders();
    String host = headers.getFirst("Host");
    String origin = headers.getFirst("Origin");
    String site = headers.getFirst("Sec-Fetch-Site");
    return host == null
        || !LOOPBACK.matcher(host).matches()
        || (origin != null && !origin.equalsIgnoreCase("http://" + host))
        || (site != null && !site.equals("same-origin") && !site.equals("none"));
  }

  private static Said file(String name) throws IOException {
    try (InputStream in = Shop.class.getResourceAsStream("/shop/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not in the program");
      }
      String type = TYPES.getOrDefault(name.substring(name.lastIndexOf('.') + 1), "text/plain");
      return new Said(200, type, in.readAllBytes());
    }
  }

  // ---------------------------------------------------------------------------------------------
  // The backend

  private Said backend(HttpExchange exchange, String method, String path)
      throws IOException, InterruptedException {
    String[] parts = path.split("/", -1);
    if (path.equals("products") && method.equals("GET")) {
      return products();
    }
    if (path.equals("nodes") && method.equals("GET")) {
      return nodes();
    }
    if (parts.length == 2 && parts[0].equals("kill") && method.equals("POST")) {
      return nodes.kill(parts[1]) ? nodes() : Said.no(409, parts[1] + " does not run.");
    }
    if (!DEVICES.contains(parts[0])) {
      return Said.no(404, "The shop knows no such device.");
    }
    var visit = new Visit(exchange, parts[0]);
    return switch (method + " " + String.join("/", Arrays.copyOfRange(parts, 1, parts.length))) {
      case "GET session" -> visit.session();
      case "POST login" -> visit.logIn(body(exchange));
      case "POST logout" -> visit.logOut();
      case "POST order" -> visit.order();
      case "POST beat" -> visit.beat(body(exchange));
      case "PUT item" -> visit.set(body(exchange));
      default -> Said.no(404, "The shop has no such call.");
    };
  }

  private static Said products() {
    ArrayNode list = SessionApi.JSON.createArrayNode();
    for (Product product : Product.all()) {
      list.addObject()
          .put("sku", product.sku())
          .put("name", product.name())
          .put("about", product.about())
          .put("price", product.price());
    }
    return Said.json(200, list);
  }

  private Said nodes() {
    ArrayNode list = SessionApi.JSON.createArrayNode();
    for (Nodes.Node node : nodes.all()) {
      list.addObject().put("name", node.name()).put("pid", node.pid()).put("ready", node.ready());
    }
    return Said.json(200, list);
  }

  private static JsonNode body(HttpExchange exchange) throws IOException {
    byte[] bytes = exchange.getRequestBody().readNBytes(BODY_BYTES);
    try {
      JsonNode body = SessionApi.JSON.readTree(bytes);
      return body == null ? SessionApi.JSON.createObjectNode() : body;
    } catch (IOException nonsense) {
      return SessionApi.JSON.createObjectNode();
    }
  }

  /** One request of one device. */
  private final class Visit {
    private final HttpExchange exchange;
    private final String cookie;
    private final long began = System.nanoTime();
    private @Nullable String token;

    Visit(HttpExchange exchange, String device) {
      this.exchange = exchange;
      this.cookie = "shop-" + device;
      this.token = cookie();
    }

    private @Nullable String cookie() {
      for (String header : exchange.getRequestHeaders().getOrDefault("Cookie", List.of())) {
        for (String pair : header.split(";", -1)) {
          if (pair.strip().startsWith(cookie + "=")) {
            return pair.strip().substring(cookie.length() + 1);
          }
        }
      }
      return null;
    }

    /** Scripts cannot read it, other sites cannot send it. With TLS it would be `__Host-…`. */
    private void keep(@Nullable String next) {
      token = next;
      exchange
          .getResponseHeaders()
          .add(
              "Set-Cookie",
              cookie
                  + "="
                  + (next == null ? "; Max-Age=0" : next)
                  + "; Path=/shop; HttpOnly; SameSite=Strict");
    }

    Said session() throws InterruptedException {
      if (token != null) {
        Answer answer = api.send(Call.of("GET", "/v1/session", token));
        if (answer.status() != 401) {
          return tell(answer);
        }
      }
      return tell(kept(api.send(Call.of("POST", "/v1/sessions", null))));
    }

    Said logIn(JsonNode body) throws InterruptedException {
      String user = body.path("user").asText().strip();
      if (!USER.matcher(user).matches()) {
        return Said.no(422, "A name has 1 to 64 letters, digits, spaces, dots or hyphens.");
      }
      ObjectNode wanted = SessionApi.JSON.createObjectNode().put("user", user);
      return tell(
          kept(api.send(Call.of("POST", "/v1/session/login", token).with(wanted.toString()))));
    }

    Said logOut() throws InterruptedException {
      if (token != null) {
        Answer answer = api.send(Call.of("DELETE", "/v1/session", token));
        if (!answer.isGood() && answer.status() != 401) {
          return tell(answer);
        }
      }
      keep(null);
      return session();
    }

    Said order() throws InterruptedException {
      return changed(api.send(Call.of("POST", "/v1/cart/checkout", token).with("{}")));
    }

    /** A small change, for the page to see how long changes take. */
    Said beat(JsonNode body) throws InterruptedException {
      String patch =
          SessionApi.JSON.createObjectNode().put("beat", body.path("beat").asLong()).toString();
      return tell(api.send(Call.of("PATCH", "/v1/session/attributes", token).with(patch)));
    }

    Said set(JsonNode body) throws InterruptedException {
      Product product = Product.of(body.path("sku").asText());
      int quantity = body.path("quantity").asInt(-1);
      if (product == null || quantity < 0 || quantity > MOST_OF_ONE) {
        return Said.no(422, "There is no such product, or not so many of it.");
      }
      Long revision = body.has("revision") ? (Long) body.path("revision").asLong() : null;
      String item = "/v1/cart/items/" + product.sku();
      if (quantity == 0) {
        return changed(api.send(Call.of("DELETE", item, token).ifRevisionIs(revision)));
      }
      ObjectNode line =
          SessionApi.JSON.createObjectNode().put("quantity", quantity).put("name", product.name());
      line.putObject("unitPrice").put("amount", product.price()).put("currency", Product.CURRENCY);
      return changed(
          api.send(Call.of("PUT", item, token).with(line.toString()).ifRevisionIs(revision)));
    }

    private Answer kept(Answer answer) {
      if (answer.token() != null) {
        keep(answer.token());
      }
      return answer;
    }

    /**
     * After a change of the cart the page is told the whole session, and which revision the change
     * itself has made: another device may have changed the cart once more since.
     */
    private Said changed(Answer answer) throws InterruptedException {
      if (!answer.isGood()) {
        return tell(answer);
      }
      JsonNode made = answer.body().path("revision");
      Answer now = api.send(Call.of("GET", "/v1/session", token));
      return made.isNumber()
          ? tell(now, SessionApi.JSON.createObjectNode().put("revision", made.asLong()))
          : tell(now);
    }

    private Said tell(Answer answer) {
      return tell(answer, SessionApi.JSON.createObjectNode());
    }

    private Said tell(Answer answer, ObjectNode told) {
      told.put("millis", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
      told.put("sent", answer.sent());
      told.put("owner", answer.owner());
      if (answer.isGood()) {
        ObjectNode session = answer.body().deepCopy();
        session.remove("token"); // the browser has it in the cookie
        told.set("session", session);
        return Said.json(200, told);
      }
      told.put("problem", answer.body().path("detail").asText("The shop gets no answer now."));
      return Said.json(answer.status() == 0 ? 504 : answer.status(), told);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    api.close();
  }
}
