package dev.holdfast.http;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.entity.Answer;
import dev.holdfast.feed.LogUnavailable;
import dev.holdfast.http.Contract.Promise;
import dev.holdfast.user.Command;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The server and {@code openapi.yaml} agree, both ways: every response that the contract lists is
 * given by the server here, and {@link Client} refuses every answer, in all tests, that the
 * contract does not list.
 */
@Timeout(60)
class ContractTest {

  private static final Contract CONTRACT = new Contract();
  private static final List<String> METHODS =
      List.of("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE");
  private static final AtomicInteger NUMBER = new AtomicInteger();

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;
  private static Client clientWithKey;
  private static Client limited;
  private static String hoarder;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client = node.serve();
    clientWithKey = node.serveWithKey();
    limited = node.serveLimited();
    hoarder = hoarder();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  // ---------------------------------------------------------------------------------------------
  // One good request of each operation

  private static final String ITEM =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}";
  private static final String ADDED =
      "{\"sku\":\"tea\",\"quantity\":2,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}";

  private static final Map<String, Supplier<Client.Ask>> GOOD =
      Map.ofEntries(
          entry("POST /v1/sessions", () -> client.post("/v1/sessions").json("{}")),
          entry("GET /v1/session", () -> client.get("/v1/session").token(prepared())),
          entry("GET /v1/session/events", () -> client.get("/v1/session/events").token(prepared())),
          entry("DELETE /v1/session", () -> client.delete("/v1/session").token(prepared())),
          entry(
              "PATCH /v1/session/attributes",
              () -> client.patch("/v1/session/attributes").token(prepared()).mergePatch("{}")),
          entry(
              "GET /v1/session/attributes/{name}",
              () -> client.get("/v1/session/attributes/locale").token(prepared())),
          entry(
              "PUT /v1/session/attributes/{name}",
              () -> client.put("/v1/session/attributes/locale").token(prepared()).json("[1.50]")),
          entry(
              "DELETE /v1/session/attributes/{name}",
              () -> client.delete("/v1/session/attributes/locale").token(prepared())),
          entry(
              "POST /v1/session/login",
              () ->
                  client
                      .post("/v1/session/login")
                      .token(prepared())
                      .json("{\"user\":\"%s\"}".formatted(someone()))),
          entry(
              "POST /v1/session/rotate", () -> client.post("/v1/session/rotate").token(prepared())),
          entry("GET /v1/user/sessions", () -> client.get("/v1/user/sessions").token(prepared())),
          entry(
              "DELETE /v1/user/sessions/{id}",
              () -> {
                String user = someone();
                String other = client.session(user);
                String id =
                    client.get("/v1/session").token(other).send(200).json().path("id").asText();
                return client.delete("/v1/user/sessions/" + id).token(client.session(user));
              }),
          entry(
              "POST /v1/user/sessions/end-others",
              () -> client.post("/v1/user/sessions/end-others").token(prepared())),
          entry("GET /v1/cart", () -> client.get("/v1/cart").token(prepared())),
          entry("DELETE /v1/cart", () -> client.delete("/v1/cart").token(prepared())),
          entry(
              "POST /v1/cart/items",
              () -> client.post("/v1/cart/items").token(prepared()).json(ADDED)),
          entry(
              "PUT /v1/cart/items/{sku}",
              () -> client.put("/v1/cart/items/tea").token(prepared()).json(ITEM)),
          entry(
              "PATCH /v1/cart/items/{sku}",
              () ->
                  client
                      .patch("/v1/cart/items/tea")
                      .token(prepared())
                      .mergePatch("{\"quantity\":3}")),
          entry(
              "DELETE /v1/cart/items/{sku}",
              () -> client.delete("/v1/cart/items/tea").token(prepared())),
          entry(
              "POST /v1/cart/checkout",
              () ->
                  client
                      .post("/v1/cart/checkout")
                      .token(prepared())
                      .json("{\"reference\":\"web-1\"}")),
          entry("GET /v1/admin/users/{user}", () -> client.get(known())),
          entry("DELETE /v1/admin/users/{user}", () -> client.delete(known())),
          entry("GET /v1/admin/users/{user}/history", () -> client.get(known() + "/history")),
          entry("GET /v1/admin/users/{user}/sessions", () -> client.get(known() + "/sessions")),
          entry(
              "DELETE /v1/admin/users/{user}/sessions", () -> client.delete(known() + "/sessions")),
          entry(
              "GET /v1/admin/users/{user}/sessions/{id}",
              () -> client.get(knownSession(someone()))),
          entry(
              "DELETE /v1/admin/users/{user}/sessions/{id}",
              () -> client.delete(knownSession(someone()))),
          entry(
              "GET /v1/admin/sessions/{id}",
              () -> client.get("/v1/admin/sessions/" + idOf(client.visitor()))),
          entry("GET /v1/admin/feed", () -> client.get("/v1/admin/feed?limit=3")),
          entry("GET /v1/admin/feed/consumers", () -> client.get("/v1/admin/feed/consumers")),
          entry(
              "DELETE /v1/admin/feed/consumers/{name}",
              () -> {
                client.get("/v1/admin/feed?limit=1&consumer=test").send(200);
                return client.delete("/v1/admin/feed/consumers/test");
              }),
          entry("GET /v1/admin/metrics", () -> client.get("/v1/admin/metrics")),
          entry("GET /v1/admin/cluster", () -> client.get("/v1/admin/cluster")),
          entry(
              "POST /v1/admin/cluster/nodes/{name}/drain",
              () -> client.post("/v1/admin/cluster/nodes/node-2/drain")),
          entry("GET /health/live", () -> client.get("/health/live")),
          entry("GET /health/ready", () -> client.get("/health/ready")),
          entry("GET /metrics", () -> client.get("/metrics")),
          entry("GET /console", () -> client.get("/console")),
          entry("GET /console/{file}", () -> client.get("/console/main.js")),
          entry("GET /openapi.yaml", () -> client.get("/openapi.yaml")));

  private static Client.Ask good(String operation) {
    Supplier<Client.Ask> good = GOOD.get(operation);
    if (good == null) {
      throw new AssertionError("no request is known for " + operation);
    }
    return good.get();
  }

  /** A visitor with an attribute and a line. */
  private static String prepared() {
    String token = client.visitor();
    client.put("/v1/session/attributes/locale").token(token).json("\"de\"").send(201);
    client.put("/v1/cart/items/tea").token(token).json(ITEM).send(201);
    return token;
  }

  /** The path of a user with a session. */
  private static String known() {
    String user = someone();
    client.session(user);
    return "/v1/admin/users/" + user;
  }

  private static String knownSession(String user) {
    return "/v1/admin/users/" + user + "/sessions/" + idOf(client.session(user));
  }

  private static String idOf(String token) {
    return client.get("/v1/session").token(token).send(200).json().path("id").asText();
  }

  private static String someone() {
    return "user-" + NUMBER.incrementAndGet();
  }

  private static String someKey() {
    return "key-" + NUMBER.incrementAndGet();
  }

  /** A user who has used as many idempotency keys as are kept. */
  private static String hoarder() {
    String token = client.session("hoarder");
    for (int i = 0; i < 1_000; i++) {
      client.put("/v1/session/attributes/hoard").token(token).key("hoard-" + i).json("1").send();
    }
    return token;
  }

  // ---------------------------------------------------------------------------------------------
  // Every promise is kept

  static List<Promise> promises() {
    return CONTRACT.promises();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("promises")
  void keeps(Promise promise) {
    Received received =
        promise.operation() == null
            ? outside(promise.status())
            : provoke(promise.operation(), promise.status());
    assertThat(received.status()).as(received.toString()).isEqualTo(promise.status());
    assertThat(client.kept().contains(promise)).as("kept %s", promise).isTrue();
  }

  private static Received provoke(String operation, int status) {
    return switch (status) {
      case 200, 202, 204 -> good(operation).send();
      case 201 -> created(operation).send();
      case 304 -> {
        var ask = good(operation);
        yield ask.header("If-None-Match", ask.send().need("ETag")).send();
      }
      case 400 -> {
        var ask = good(operation);
        String target = ask.target();
        yield ask.target(target + (target.contains("?") ? "&" : "?") + "colour=red").send();
      }
      case 401 -> unauthorized(operation);
      case 403 -> good(operation).header("Host", "shop.example").send();
      case 404 -> missing(operation).send();
      case 406 -> good(operation).header("Accept", "image/png").send();
      case 409 -> conflict(operation);
      case 410 -> gone(operation);
      case 412 -> good(operation).header("If-Match", "\"999999\"").send();
      case 413 ->
          good(operation).body(contentType(operation), "\"" + "x".repeat(128 * 1024) + "\"").send();
      case 415 -> good(operation).body("text/plain", "{}").send();
      case 422 -> invalid(operation);
      case 429 -> tooMany(operation).key(someKey()).send();
      case 500 -> {
        if (operation.contains(" /v1/admin/cluster") || operation.endsWith(" /v1/admin/metrics")) {
          yield node.cluster().failing(() -> good(operation).send());
        }
        if (isOfTheLog(operation)) {
          var ask = good(operation);
          yield node.log().failing(new IllegalStateException("a secret of the log's"), ask::send);
        }
        Received unreadable = faulty(operation, _ -> new Answer.Unreadable());
        assertThat(unreadable.problem()).isEqualTo("user-unreadable");
        assertThat(unreadable.header("Retry-After")).isNull();
        yield faulty(
            operation,
            _ -> {
              throw new IllegalArgumentException("a secret of the server's");
            });
      }
      case 503 ->
          operation.startsWith("GET /health/")
              ? unhealthy(operation)
              : isOfTheLog(operation)
                  ? unreadable(operation)
                  : faulty(operation, _ -> new Answer.Unavailable(Answer.Cause.JOURNAL, 1_500));
      case 504 ->
          faulty(
              operation,
              command ->
                  command instanceof Command.Act
                          || command instanceof Command.Open
                          || command instanceof Command.Erase
                          || command instanceof Command.EndAll
                          || command instanceof Command.EndOne
                      ? new Answer.Unknown()
                      : null);
      default -> throw new AssertionError("nothing is known to provoke " + status);
    };
  }

  private static Client.Ask created(String operation) {
    return switch (operation) {
      case "PUT /v1/session/attributes/{name}" ->
          good(operation).target("/v1/session/attributes/a%20new%2Fname");
      case "PUT /v1/cart/items/{sku}" -> good(operation).target("/v1/cart/items/a%2Fnew%2Fsku");
      default -> good(operation);
    };
  }

  private static Received unauthorized(String operation) {
    if (operation.equals("POST /v1/sessions") || isForAdministrators(operation)) {
      int space = operation.indexOf(' ');
      Received received =
          clientWithKey.ask(operation.substring(0, space), good(operation).target()).send();
      assertThat(clientWithKey.kept()).contains(new Promise(operation, 401));
      assertThat(received.problem()).isEqualTo("api-key-invalid");
      client.kept().add(new Promise(operation, 401));
      return received;
    }
    return good(operation).without("Session-Token").send();
  }

  private static boolean isForAdministrators(String operation) {
    return operation.contains(" /v1/admin/");
  }

  private static boolean isOfTheLog(String operation) {
    return operation.contains("/history") || operation.contains("/v1/admin/feed");
  }

  private static Received unreadable(String operation) {
    var ask = good(operation);
    return node.log()
        .failing(new LogUnavailable(new IllegalStateException("a secret of the log's")), ask::send);
  }

  private static Received gone(String operation) {
    return switch (operation) {
      case "GET /v1/admin/feed" ->
          good(operation).target("/v1/admin/feed?after=" + "A".repeat(32)).send();
      case "GET /v1/admin/users/{user}" -> {
        String erased = erased();
        yield good(operation).target(erased + "?at=2026-01-01T00:00:00Z").send();
      }
      default -> good(operation).target(erased() + "/history?after=0").send();
    };
  }

  private static String erased() {
    String user = known();
    client.delete(user).send(200);
    return user;
  }

  private static Client.Ask missing(String operation) {
    return switch (operation) {
      case "GET /v1/admin/users/{user}", "DELETE /v1/admin/users/{user}" ->
          good(operation).target("/v1/admin/users/nobody");
      case "GET /v1/admin/users/{user}/history" ->
          good(operation).target("/v1/admin/users/nobody/history");
      case "GET /v1/admin/users/{user}/sessions" ->
          good(operation).target("/v1/admin/users/nobody/sessions");
      case "GET /v1/admin/users/{user}/sessions/{id}",
          "DELETE /v1/admin/users/{user}/sessions/{id}" ->
          good(operation).target("/v1/admin/users/nobody/sessions/" + "A".repeat(32));
      case "GET /v1/admin/sessions/{id}" ->
          good(operation).target("/v1/admin/sessions/" + "A".repeat(32));
      case "DELETE /v1/admin/feed/consumers/{name}" ->
          good(operation).target("/v1/admin/feed/consumers/nobody");
      case "POST /v1/admin/cluster/nodes/{name}/drain" ->
          good(operation).target("/v1/admin/cluster/nodes/nobody/drain");
      case "GET /console/{file}" -> good(operation).target("/console/nothing");
      case "DELETE /v1/user/sessions/{id}" ->
          good(operation).target("/v1/user/sessions/" + "A".repeat(32));
      case "PATCH /v1/cart/items/{sku}", "DELETE /v1/cart/items/{sku}" ->
          good(operation).target("/v1/cart/items/nothing");
      default -> good(operation).target("/v1/session/attributes/nothing");
    };
  }

  private static Received conflict(String operation) {
    return switch (operation) {
      case "POST /v1/session/login" -> good(operation).token(client.session(someone())).send();
      case "POST /v1/cart/checkout" -> good(operation).token(client.visitor()).send();
      case "PUT /v1/cart/items/{sku}" -> good(operation).token(full()).send();
      default -> {
        var received = good(operation).token(full()).send();
        assertThat(received.problem()).isEqualTo("cart-full");
        received = good(operation).json(ADDED.replace("EUR", "CHF")).send();
        assertThat(received.problem()).isEqualTo("currency-mismatch");
        received =
            good(operation).json(ADDED.replace("\"quantity\":2", "\"quantity\":9998")).send();
        assertThat(received.problem()).isEqualTo("quantity-exceeded");
        yield received;
      }
    };
  }

  /** A visitor with as many lines as a cart may have, none of them of the SKU of the others. */
  private static String full() {
    String token = client.visitor();
    for (int i = 0; i < 200; i++) {
      client.put("/v1/cart/items/sku-" + i).token(token).json(ITEM).send(201);
    }
    return token;
  }

  private static String contentType(String operation) {
    return operation.startsWith("PATCH") ? "application/merge-patch+json" : "application/json";
  }

  private static Received invalid(String operation) {
    String key = someKey();
    if (operation.contains("/v1/admin/users/")) {
      return good(operation)
          .target(
              good(operation).target().replaceFirst("/users/[^/]+", "/users/" + "u".repeat(257)))
          .send();
    }
    return switch (operation) {
      case "GET /v1/admin/feed" -> good(operation).target("/v1/admin/feed?limit=0").send();
      case "PUT /v1/session/attributes/{name}" ->
          good(operation).target("/v1/session/attributes/" + "n".repeat(129)).send();
      case "PATCH /v1/session/attributes" ->
          good(operation).mergePatch("{\"" + "n".repeat(129) + "\":1}").send();
      case "DELETE /v1/session", "POST /v1/session/rotate", "POST /v1/user/sessions/end-others" -> {
        // The same key for another session of the same user.
        String user = someone();
        String other = client.session(user);
        good(operation).token(client.session(user)).key(key).send();
        yield good(operation)
            .token(operation.endsWith("end-others") ? client.session(user) : other)
            .key(key)
            .send();
      }
      case "DELETE /v1/session/attributes/{name}",
          "DELETE /v1/user/sessions/{id}",
          "DELETE /v1/cart/items/{sku}" -> {
        var ask = good(operation).key(key);
        ask.send();
        yield ask.target(ask.target().replaceFirst("[^/]+$", "another")).send();
      }
      default -> good(operation).body(contentType(operation), "{\"colour\":\"red\"}").send();
    };
  }

  private static Client.Ask tooMany(String operation) {
    return switch (operation) {
      case "POST /v1/sessions" -> client.post("/v1/sessions").json("{\"user\":\"hoarder\"}");
      case "POST /v1/session/login" ->
          good(operation).token(hoarder).json("{\"user\":\"hoarder\"}");
      default -> good(operation).token(hoarder);
    };
  }

  private static Received faulty(String operation, Function<Command, @Nullable Answer> fault) {
    var ask = good(operation);
    return node.users().with(fault, ask::send);
  }

  private static Received unhealthy(String operation) {
    node.unhealthy("The journal takes no writes.");
    try {
      return good(operation).send();
    } finally {
      node.unhealthy(null);
    }
  }

  private static Received outside(int status) {
    Received received =
        switch (status) {
          case 400 -> client.raw("GET /nothing HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n");
          case 403 -> client.get("/nothing").header("Host", "shop.example").send();
          case 404 -> client.get("/nothing").send();
          case 405 -> client.ask("TRACE", "/v1/cart").send();
          case 413 -> client.delete("/v1/cart").json("x".repeat(200_000)).send();
          case 414 -> client.raw("GET /" + "x".repeat(5_000) + " HTTP/1.1\r\nHost: localhost\r\n");
          case 429 -> {
            Received last = limited.get("/v1/cart").send(401);
            for (int i = 0; i < 3 && last.status() == 401; i++) {
              last = limited.get("/v1/cart").send();
            }
            client.kept().addAll(limited.kept());
            yield last;
          }
          case 431 ->
              client.raw(
                  "GET /nothing HTTP/1.1\r\nHost: localhost\r\nX: "
                      + "x".repeat(20_000)
                      + "\r\n\r\n");
          default -> throw new AssertionError("nothing is known to provoke " + status);
        };
    if (received == null) {
      throw new AssertionError("the connection was closed instead of " + status);
    }
    return received;
  }

  // ---------------------------------------------------------------------------------------------
  // The rest of the contract

  @Test
  void hasARouteForEveryOperationAndNoOther() {
    var routes =
        ApiServer.routes(
            new TestCluster(),
            new FaultyLog(node.log()),
            new Streams(
                node.users(),
                node.changes(),
                node.log(),
                HttpSettings.Bounds.defaults(),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT)),
            new Health() {
              @Override
              public @Nullable String whyNotLive() {
                return null;
              }

              @Override
              public @Nullable String whyNotReady() {
                return null;
              }
            },
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    assertThat(routes.stream().map(Route::name))
        .containsExactlyInAnyOrderElementsOf(CONTRACT.operations());
  }

  @Test
  void refusesEveryOtherMethodAndNamesTheRightOnes() {
    for (var path : CONTRACT.document().path("paths").properties()) {
      String target = path.getKey().replaceAll("\\{[a-z]+}", "x");
      var allowed = new TreeSet<String>();
      for (String operation : CONTRACT.operations()) {
        if (operation.endsWith(" " + path.getKey())) {
          allowed.add(operation.substring(0, operation.indexOf(' ')));
        }
      }
      if (allowed.contains("GET")) {
        allowed.add("HEAD");
      }
      for (String method : METHODS) {
        if (!allowed.contains(method)) {
          assertThat(client.ask(method, target).send(405).need("Allow"))
              .isEqualTo(String.join(", ", allowed));
        }
      }
    }
  }

  @Test
  void answersHeadLikeGetButWithoutTheBody() {
    for (String operation : CONTRACT.operations()) {
      if (operation.startsWith("GET ")) {
        var ask = good(operation);
        Received get = ask.send(200);
        Received head = ask.method("HEAD").send(200);
        assertThat(head.need("Content-Type")).isEqualTo(get.need("Content-Type"));
        assertThat(head.header("ETag")).isEqualTo(get.header("ETag"));
        if (operation.equals("GET /v1/session/events")) {
          assertThat(get.header("Content-Length")).as("it has no end").isNull();
        } else if (!operation.equals("GET /metrics")) {
          assertThat(head.need("Content-Length"))
              .as(operation)
              .isEqualTo(get.need("Content-Length"));
        }
      }
    }
  }

  @Test
  void listsEveryTypeOfProblem() {
    var listed = new ArrayList<String>();
    CONTRACT
        .document()
        .at("/components/schemas/ProblemType/enum")
        .forEach(type -> listed.add(type.asText()));
    assertThat(Arrays.stream(ProblemType.values()).map(ProblemType::uri))
        .containsExactlyInAnyOrderElementsOf(listed);
  }

  @Test
  void givesExamplesThatAreValid() {
    var checked = new AtomicInteger();
    examples(CONTRACT.document(), checked);
    assertThat(checked.get()).isGreaterThan(40);
  }

  /** Media types and parameters have a schema beside their example, or beside several. */
  private static void examples(JsonNode node, AtomicInteger checked) {
    if (node.has("schema")) {
      var examples = new ArrayList<JsonNode>();
      if (node.has("example")) {
        examples.add(node.path("example"));
      }
      node.path("examples").forEach(example -> examples.add(example.path("value")));
      for (JsonNode example : examples) {
        assertThat(CONTRACT.errors(node.path("schema"), example)).as(example.toString()).isEmpty();
        checked.incrementAndGet();
      }
    }
    node.forEach(child -> examples(child, checked));
  }

  @Test
  void servesItself() {
    assertThat(client.get("/openapi.yaml").send(200).body()).startsWith("openapi: 3.1.0");
  }
}
