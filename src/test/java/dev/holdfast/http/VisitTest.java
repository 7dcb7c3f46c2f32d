package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.entity.Answer;
import dev.holdfast.user.Command;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an application does with the API, on a real node. */
@Timeout(60)
class VisitTest {

  private static final AtomicInteger NUMBER = new AtomicInteger();

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client = node.serve();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static String someone() {
    return "user-" + NUMBER.incrementAndGet();
  }

  private static String someKey() {
    return "key-" + NUMBER.incrementAndGet();
  }

  private static String item(int quantity, String amount, String currency) {
    return "{\"quantity\":%d,\"unitPrice\":{\"amount\":\"%s\",\"currency\":\"%s\"}}"
        .formatted(quantity, amount, currency);
  }

  private static String added(String sku, int quantity, String amount) {
    return "{\"sku\":\"%s\",\"quantity\":%d,\"unitPrice\":{\"amount\":\"%s\",\"currency\":\"EUR\"}}"
        .formatted(sku, quantity, amount);
  }

  private static Client.Ask put(String token, String sku, int quantity, String amount) {
    return client.put("/v1/cart/items/" + sku).token(token).json(item(quantity, amount, "EUR"));
  }

  private static JsonNode session(String token) {
    return client.get("/v1/session").token(token).send(200).json();
  }

  private static JsonNode cart(String token) {
    return client.get("/v1/cart").token(token).send(200).json();
  }

  private static Received logIn(String token, String user, String key) {
    return client
        .post("/v1/session/login")
        .token(token)
        .key(key)
        .json("{\"user\":\"%s\"}".formatted(user))
        .send();
  }

  // ---------------------------------------------------------------------------------------------
  // Sessions

  @Test
  void opensASessionForAVisitor() {
    var opened = client.post("/v1/sessions").send(201);
    JsonNode session = opened.json();
    assertThat(session.path("token").asText()).isEqualTo(opened.need("Session-Token"));
    assertThat(session.path("user").isNull()).isTrue();
    assertThat(session.path("idleTimeout").asText()).isEqualTo("PT30M");
    assertThat(opened.need("ETag")).isEqualTo("\"" + session.path("revision") + "\"");
    assertThat(opened.need("Location")).isEqualTo("/v1/session");
    Instant createdAt = Instant.parse(session.path("createdAt").asText());
    assertThat(Instant.parse(session.path("endsAt").asText()))
        .isEqualTo(createdAt.plus(Duration.ofDays(7)));
    assertThat(session(opened.need("Session-Token")).path("id")).isEqualTo(session.path("id"));
  }

  @Test
  void opensASessionForAKnownUserAsTheyWantIt() {
    var opened =
        client
            .post("/v1/sessions")
            .json(
                "{\"user\":\"Zoë 🛒\",\"attributes\":{\"locale\":\"fr\",\"n\":1.50},"
                    + "\"idleTimeout\":\"PT15M\",\"absoluteTimeout\":\"P1DT12H\"}")
            .send(201);
    JsonNode session = opened.json();
    assertThat(session.path("user").asText()).isEqualTo("Zoë 🛒");
    assertThat(session.path("idleTimeout").asText()).isEqualTo("PT15M");
    assertThat(opened.body()).contains("\"attributes\":{\"locale\":\"fr\",\"n\":1.50}");
    Instant createdAt = Instant.parse(session.path("createdAt").asText());
    assertThat(Instant.parse(session.path("expiresAt").asText()))
        .isEqualTo(createdAt.plus(Duration.ofMinutes(15)));
    assertThat(Instant.parse(session.path("endsAt").asText()))
        .isEqualTo(createdAt.plus(Duration.ofHours(36)));
  }

  @Test
  void refusesLifetimesOutOfBounds() {
    for (String timeout : List.of("PT0S", "P31D", "P9999999D", "1h", "PT1.5S", "-PT1M", "P1M")) {
      client.post("/v1/sessions").json("{\"idleTimeout\":\"" + timeout + "\"}").send(422);
    }
  }

  @Test
  void keepsAttributesExactlyAsTheyWereWritten() {
    String token = client.visitor();
    String value = "{\"b\":[1.50,1e999999999,-0.0,12345678901234567890123],\"a\":\"ä\\u0001\\\\\"}";
    var put = client.put("/v1/session/attributes/x%2Fy%20z").token(token).json(value).send(201);
    assertThat(put.body()).isEqualTo(value);
    assertThat(put.need("Location")).isEqualTo("/v1/session/attributes/x%2Fy%20z");
    var got = client.get("/v1/session/attributes/x%2Fy%20z").token(token).send(200);
    assertThat(got.body()).isEqualTo(value);
    assertThat(got.need("ETag")).isEqualTo(put.need("ETag"));
    client.put("/v1/session/attributes/x%2Fy%20z").token(token).json("null").send(200);
    assertThat(session(token).path("attributes").has("x/y z")).isTrue();
    client.delete("/v1/session/attributes/x%2Fy%20z").token(token).send(204);
    client.get("/v1/session/attributes/x%2Fy%20z").token(token).send(404);
  }

  @Test
  void mergesAttributes() {
    String token = client.visitor();
    client
        .patch("/v1/session/attributes")
        .token(token)
        .mergePatch("{\"a\":{\"x\":1,\"y\":2},\"b\":1}")
        .send(200);
    var merged =
        client
            .patch("/v1/session/attributes")
            .token(token)
            .mergePatch("{\"a\":{\"x\":null,\"z\":3},\"b\":null,\"c\":[null]}")
            .send(200);
    assertThat(merged.json().path("attributes"))
        .hasToString("{\"a\":{\"y\":2,\"z\":3},\"c\":[null]}");
  }

  @Test
  void losesNoneOfTheAttributesThatAreSetInParallel() throws Exception {
    String token = client.visitor();
    inParallel(
        IntStream.range(0, 40)
            .<Callable<Received>>mapToObj(i ->
                () -> client.put("/v1/session/attributes/a" + i).token(token).json("1").send(201))
            .toList());
    assertThat(session(token).path("attributes")).hasSize(40);
  }

  @Test
  void rotatesTheToken() {
    String old = client.visitor();
    String fresh = client.post("/v1/session/rotate").token(old).send(200).need("Session-Token");
    assertThat(fresh).isNotEqualTo(old);
    client.get("/v1/session").token(old).send(401);
    client.get("/v1/session").token(fresh).send(200);
  }

  @Test
  void givesTheNewTokenAgainUntilItIsUsed() {
    String old = client.visitor();
    String key = someKey();
    String fresh =
        client.post("/v1/session/rotate").token(old).key(key).send(200).need("Session-Token");
    var again = client.post("/v1/session/rotate").token(old).key(key).send(200);
    assertThat(again.need("Session-Token")).isEqualTo(fresh);
    assertThat(again.need("Idempotent-Replayed")).isEqualTo("true");
    client.post("/v1/session/rotate").token(old).key(someKey()).send(401);
    client.get("/v1/session").token(fresh).send(200);
    client.post("/v1/session/rotate").token(old).key(key).send(401);
  }

  @Test
  void logsOut() {
    String token = client.visitor();
    String key = someKey();
    client.delete("/v1/session").token(token).key(key).send(204);
    client.get("/v1/session").token(token).send(401);
    client.delete("/v1/session").token(token).send(401);
    var again = client.delete("/v1/session").token(token).key(key).send(204);
    assertThat(again.need("Idempotent-Replayed")).isEqualTo("true");
  }

  @Test
  void listsAndEndsTheSessionsOfAUser() {
    String user = someone();
    String first = client.session(user);
    String second = client.session(user);
    String third = client.session(user);
    JsonNode sessions = client.get("/v1/user/sessions").token(second).send(200).json();
    assertThat(sessions.path("sessions").findValuesAsText("current"))
        .containsExactly("false", "true", "false");
    String id = sessions.at("/sessions/0/id").asText();
    client.delete("/v1/user/sessions/" + id).token(second).send(204);
    client.get("/v1/session").token(first).send(401);
    client.delete("/v1/user/sessions/" + id).token(second).send(404);
    var ended = client.post("/v1/user/sessions/end-others").token(third).send(200);
    assertThat(ended.body()).isEqualTo("{\"ended\":1}");
    client.get("/v1/session").token(second).send(401);
    client.get("/v1/session").token(third).send(200);
  }

  @Test
  void endsNoSessionOfAnotherUser() {
    String victim = client.session(someone());
    String id = session(victim).path("id").asText();
    client.delete("/v1/user/sessions/" + id).token(client.session(someone())).send(404);
    client.get("/v1/session").token(victim).send(200);
  }

  // ---------------------------------------------------------------------------------------------
  // Carts

  @Test
  void keepsTheLinesInTheOrderInWhichTheyCame() {
    String token = client.visitor();
    put(token, "tea", 2, "6.9").send(201);
    put(token, "a%2Fb%25", 1, "0.05").send(201);
    client
        .put("/v1/cart/items/yen")
        .token(token)
        .json(item(3, "100", "JPY").replace("}}", "},\"name\":\"Sencha\"}"))
        .send(201);
    put(token, "tea", 3, "7").send(200);
    JsonNode cart = cart(token);
    assertThat(cart.path("items").findValuesAsText("sku")).containsExactly("tea", "a/b%", "yen");
    assertThat(cart.path("itemCount").intValue()).isEqualTo(7);
    assertThat(cart.at("/items/0/unitPrice/amount").asText()).isEqualTo("7.00");
    assertThat(cart.at("/items/0/lineTotal/amount").asText()).isEqualTo("21.00");
    assertThat(cart.at("/items/2/name").asText()).isEqualTo("Sencha");
    assertThat(cart.path("totals"))
        .hasToString(
            "[{\"amount\":\"21.05\",\"currency\":\"EUR\"},{\"amount\":\"300\",\"currency\":\"JPY\"}]");
    client.delete("/v1/cart/items/a%2Fb%25").token(token).send(200);
    assertThat(cart(token).path("items").findValuesAsText("sku")).containsExactly("tea", "yen");
    client.delete("/v1/cart").token(token).send(200);
    assertThat(cart(token).path("items")).isEmpty();
  }

  @Test
  void changesPartsOfALine() {
    String token = client.visitor();
    put(token, "tea", 2, "6.90").send(201);
    JsonNode line =
        client
            .patch("/v1/cart/items/tea")
            .token(token)
            .mergePatch("{\"name\":\"Tea\",\"attributes\":{\"gift\":true,\"note\":\"x\"}}")
            .send(200)
            .json()
            .at("/items/0");
    assertThat(line.path("quantity").intValue()).isEqualTo(2);
    assertThat(line.path("name").asText()).isEqualTo("Tea");
    line =
        client
            .patch("/v1/cart/items/tea")
            .token(token)
            .mergePatch("{\"quantity\":5,\"name\":null,\"attributes\":{\"note\":null}}")
            .send(200)
            .json()
            .at("/items/0");
    assertThat(line.path("quantity").intValue()).isEqualTo(5);
    assertThat(line.path("name").isNull()).isTrue();
    assertThat(line.path("attributes")).hasToString("{\"gift\":true}");
    client.patch("/v1/cart/items/tea").token(token).mergePatch("{\"quantity\":null}").send(422);
    client.patch("/v1/cart/items/tea").token(token).json("{\"quantity\":6}").send(200);
  }

  @Test
  void addsUpWhatIsAddedInParallel() throws Exception {
    String token = client.visitor();
    inParallel(
        IntStream.range(0, 60)
            .<Callable<Received>>mapToObj(i ->
                () ->
                    client
                        .post("/v1/cart/items")
                        .token(token)
                        .json(added("tea", 2, "6.90"))
                        .send(200))
            .toList());
    assertThat(cart(token).path("itemCount").intValue()).isEqualTo(120);
  }

  @Test
  void checksOutExactlyOnce() {
    String token = client.visitor();
    put(token, "tea", 2, "6.90").send(201);
    String key = someKey();
    var ask =
        client.post("/v1/cart/checkout").token(token).key(key).json("{\"reference\":\"web-1\"}");
    JsonNode order = ask.send(200).json();
    assertThat(order.at("/totals/0/amount").asText()).isEqualTo("13.80");
    assertThat(order.path("reference").asText()).isEqualTo("web-1");
    var again = ask.send(200);
    assertThat(again.json()).isEqualTo(order);
    assertThat(again.need("Idempotent-Replayed")).isEqualTo("true");
    client.post("/v1/cart/checkout").token(token).send(409);
    JsonNode cart = cart(token);
    assertThat(cart.path("items")).isEmpty();
    assertThat(cart.at("/lastOrder/orderId")).isEqualTo(order.path("orderId"));
  }

  // ---------------------------------------------------------------------------------------------
  // Log-in

  @Test
  void mergesTheCartsAtLogInAndSaysWhatBecameOfEachLine() {
    String user = someone();
    String device = client.session(user);
    put(device, "both", 1, "6.90").send(201);
    put(device, "users", 1, "1").send(201);
    String visitor = client.visitor();
    client.put("/v1/session/attributes/locale").token(visitor).json("\"de\"").send(201);
    put(visitor, "visitors", 4, "2").send(201);
    put(visitor, "both", 2, "7.20").send(201);

    var loggedIn = logIn(visitor, user, someKey());

    JsonNode session = loggedIn.json();
    assertThat(session.path("user").asText()).isEqualTo(user);
    assertThat(session.at("/attributes/locale").asText()).isEqualTo("de");
    assertThat(session.at("/cart/items").findValuesAsText("quantity"))
        .containsExactly("3", "1", "4");
    assertThat(session.at("/merge/policy").asText()).isEqualTo("sum");
    assertThat(session.at("/merge/lines"))
        .hasToString(
            "["
                + "{\"sku\":\"both\",\"fate\":\"summed\",\"userQuantity\":1,\"visitorQuantity\":2,"
                + "\"quantity\":3,\"priceReplaced\":true},"
                + "{\"sku\":\"users\",\"fate\":\"kept\",\"userQuantity\":1,\"visitorQuantity\":0,"
                + "\"quantity\":1,\"priceReplaced\":false},"
                + "{\"sku\":\"visitors\",\"fate\":\"added\",\"userQuantity\":0,"
                + "\"visitorQuantity\":4,\"quantity\":4,\"priceReplaced\":false}]");
    client.get("/v1/session").token(visitor).send(401);
    String fresh = loggedIn.need("Session-Token");
    assertThat(session(fresh).path("id")).isEqualTo(session.path("id"));
    assertThat(cart(device).path("itemCount").intValue()).isEqualTo(8);
  }

  @Test
  void repeatsALogInUntilTheNewTokenIsUsed() {
    String user = someone();
    String visitor = client.visitor();
    put(visitor, "tea", 2, "6.90").send(201);
    String key = someKey();
    var first = logIn(visitor, user, key);
    var again = logIn(visitor, user, key);
    assertThat(again.need("Session-Token")).isEqualTo(first.need("Session-Token"));
    assertThat(again.need("Idempotent-Replayed")).isEqualTo("true");
    assertThat(again.json().path("merge")).isEqualTo(first.json().path("merge"));
    assertThat(again.json().at("/cart/itemCount").intValue()).isEqualTo(2);
    assertThat(logIn(visitor, someone(), key).status()).isEqualTo(401);
    assertThat(logIn(visitor, user, someKey()).status()).isEqualTo(401);
    client.get("/v1/cart").token(first.need("Session-Token")).send(200);
    assertThat(logIn(visitor, user, key).status()).isEqualTo(401);
  }

  @Test
  void rotatesWhereTheSessionIsTheUsersAlready() {
    String user = someone();
    String token = client.session(user);
    var again = logIn(token, user, someKey());
    assertThat(again.status()).isEqualTo(200);
    assertThat(again.json().path("merge").isNull()).isTrue();
    client.get("/v1/session").token(token).send(401);
    client.get("/v1/session").token(again.need("Session-Token")).send(200);
  }

  @Test
  void neverGivesASessionToAnotherUser() {
    String token = client.session(someone());
    assertThat(logIn(token, someone(), someKey()).problem()).isEqualTo("user-mismatch");
    client.get("/v1/session").token(token).send(200);
  }

  @Test
  void mergesAsThePolicySays() {
    String user = someone();
    put(client.session(user), "tea", 5, "1").send(201);
    String visitor = client.visitor();
    put(visitor, "tea", 2, "1").send(201);
    var loggedIn =
        client
            .post("/v1/session/login")
            .token(visitor)
            .json("{\"user\":\"%s\",\"merge\":\"max\"}".formatted(user))
            .send(200);
    assertThat(loggedIn.json().at("/merge/lines/0/fate").asText()).isEqualTo("greater-kept");
    assertThat(loggedIn.json().at("/cart/itemCount").intValue()).isEqualTo(5);
    client
        .post("/v1/session/login")
        .token(client.visitor())
        .json("{\"user\":\"%s\",\"merge\":\"all\"}".formatted(user))
        .send(422);
  }

  /** The server's own second attempt at a request without a key is nothing to its caller. */
  @Test
  void callsOnlyTheRepeatOfACallersOwnKeyOne() {
    String token = client.visitor();
    Answer repeated =
        new Answer.Answered(new Reply.Done(Outcome.LoggedOut.loggedOut(), true, 1, null), "node-1");
    node.users()
        .with(
            command -> command instanceof Command.Act ? repeated : null,
            () -> {
              Client.Ask logOut = client.delete("/v1/session").token(token);
              assertThat(logOut.send(204).header("Idempotent-Replayed")).isNull();
              assertThat(logOut.key(someKey()).send(204).header("Idempotent-Replayed"))
                  .isEqualTo("true");
              return null;
            });
  }

  /** As after ten thousand log-ins in a week, of which this was the last that had room. */
  @Test
  void repeatsALogInThoughItsUserMayLogInNoMore() {
    String visitor = client.visitor();
    String user = someone();
    String key = someKey();
    Received first = logIn(visitor, user, key);
    Answer tooMany =
        new Answer.Answered(
            new Reply.Refused(new Refusal(Refusal.Reason.TOO_MANY_REQUESTS, "Too often.", 90_000)),
            "node-1");
    node.users()
        .with(
            command -> command instanceof Command.AskEpoch ? tooMany : null,
            () -> {
              Received again = logIn(visitor, user, key);
              assertThat(again.status()).isEqualTo(200);
              assertThat(again.header("Idempotent-Replayed")).isEqualTo("true");
              assertThat(again.json().path("id")).isEqualTo(first.json().path("id"));
              Received other = logIn(client.visitor(), user, someKey());
              assertThat(other.status()).isEqualTo(429);
              assertThat(other.header("Retry-After")).isEqualTo("90");
              return null;
            });
  }

  // ---------------------------------------------------------------------------------------------
  // Safe repetition

  @Test
  void neverUndoesALaterWriteByARepeat() {
    String token = client.visitor();
    var ask = put(token, "tea", 2, "6.90").key(someKey());
    var first = ask.send(201);
    put(token, "tea", 9, "6.90").send(200);
    var again = ask.send(201);
    assertThat(again.need("Idempotent-Replayed")).isEqualTo("true");
    assertThat(again.need("ETag")).isEqualTo(first.need("ETag"));
    assertThat(again.json().path("itemCount").intValue()).isEqualTo(9);
    assertThat(cart(token).path("itemCount").intValue()).isEqualTo(9);
  }

  @Test
  void refusesAKeyThatWasUsedForSomethingElse() {
    String token = client.visitor();
    String key = someKey();
    put(token, "tea", 2, "6.90").key(key).send(201);
    assertThat(put(token, "tea", 3, "6.90").key(key).send(422).problem())
        .isEqualTo("idempotency-key-reused");
    put(token, "coffee", 2, "6.90").key(key).send(422);
    // On another route it is another key.
    client.post("/v1/cart/items").token(token).key(key).json(added("tea", 1, "6.90")).send(200);
    assertThat(cart(token).path("itemCount").intValue()).isEqualTo(3);
  }

  @Test
  void findsTheSameSessionWithTheSameKey() {
    String key = someKey();
    var first = client.post("/v1/sessions").key(key).json("{}").send(201);
    var again = client.post("/v1/sessions").key(key).json("{}").send(201);
    assertThat(again.need("Session-Token")).isEqualTo(first.need("Session-Token"));
    assertThat(again.json().path("id")).isEqualTo(first.json().path("id"));
    assertThat(again.need("Idempotent-Replayed")).isEqualTo("true");
    client.post("/v1/sessions").key(key).json("{\"attributes\":{\"a\":1}}").send(422);
    client.delete("/v1/session").token(first.need("Session-Token")).send(204);
    client.post("/v1/sessions").key(key).json("{}").send(401);
  }

  @Test
  void hasOneEffectHoweverOftenAKeyIsSentAtOnce() throws Exception {
    String token = client.visitor();
    String key = someKey();
    var answers =
        inParallel(
            IntStream.range(0, 20)
                .<Callable<Received>>mapToObj(i ->
                    () ->
                        client
                            .post("/v1/cart/items")
                            .token(token)
                            .key(key)
                            .json(added("tea", 1, "1"))
                            .send(200))
                .toList());
    assertThat(answers.stream().filter(a -> a.header("Idempotent-Replayed") == null)).hasSize(1);
    assertThat(answers.stream().map(a -> a.need("ETag")).distinct()).hasSize(1);
    assertThat(cart(token).path("itemCount").intValue()).isEqualTo(1);
  }

  @Test
  void refusesKeysThatAreNone() {
    for (String key : List.of("", "a b", "x".repeat(129), "k\u00e4")) {
      client.post("/v1/sessions").key(key).send(400);
    }
    client.post("/v1/sessions").key("~".repeat(128)).send(201);
  }

  // ---------------------------------------------------------------------------------------------
  // Concurrency

  @Test
  void saysWhetherAnythingChanged() {
    String token = client.visitor();
    String etag = client.get("/v1/session").token(token).send(200).need("ETag");
    for (String tags : List.of(etag, "W/" + etag, "\"x\", " + etag, "*")) {
      var same = client.get("/v1/session").token(token).header("If-None-Match", tags).send(304);
      assertThat(same.need("ETag")).isEqualTo(etag);
    }
    put(token, "tea", 2, "6.90").send(201);
    var changed = client.get("/v1/session").token(token).header("If-None-Match", etag).send(200);
    assertThat(changed.need("ETag")).isNotEqualTo(etag);
    assertThat(changed.need("ETag"))
        .isEqualTo(client.get("/v1/cart").token(token).send(200).need("ETag"));
  }

  @Test
  void letsNobodyOverwriteWhatTheyHaveNotSeen() {
    String token = client.visitor();
    put(token, "tea", 2, "6.90").send(201);
    String seen = client.get("/v1/cart").token(token).send(200).need("ETag");
    put(token, "tea", 3, "6.90").header("If-Match", seen).send(200);
    for (String tags : List.of(seen, "\"x\"", "W/\"2\"", "\"99999999999999999999\"")) {
      assertThat(put(token, "tea", 4, "6.90").header("If-Match", tags).send(412).problem())
          .isEqualTo("stale-revision");
    }
    assertThat(cart(token).path("itemCount").intValue()).isEqualTo(3);
    String now = client.get("/v1/cart").token(token).send(200).need("ETag");
    put(token, "tea", 4, "6.90").header("If-Match", "\"0\" , " + now).send(200);
    put(token, "tea", 5, "6.90").header("If-Match", "*").send(200);
    // A change of the session is none of the cart.
    now = client.get("/v1/cart").token(token).send(200).need("ETag");
    client.put("/v1/session/attributes/a").token(token).json("1").send(201);
    put(token, "tea", 6, "6.90").header("If-Match", now).send(200);
  }

  @Test
  void ignoresNoPreconditionThatItDoesNotUnderstand() {
    String token = client.visitor();
    for (String tags :
        List.of("", "8", "\"8", "8\"", "\"8\",", "*, \"8\"", "\"a\" \"b\"", "w/\"8\"")) {
      put(token, "tea", 1, "1").header("If-Match", tags).send(400);
      client.get("/v1/cart").token(token).header("If-None-Match", tags).send(400);
    }
    put(token, "tea", 1, "1").header("If-None-Match", "*").send(400);
    client.get("/v1/cart").token(token).header("If-Match", "\"8\"").send(400);
    client.post("/v1/sessions").header("If-Match", "*").send(400);
    assertThat(cart(token).path("items")).isEmpty();
  }

  @Test
  void doesNotTakeActivityForAChange() {
    String token = client.visitor();
    String etag = client.get("/v1/session").token(token).send(200).need("ETag");
    cart(token);
    client.get("/v1/user/sessions").token(token).send(200);
    client.get("/v1/session").token(token).header("If-None-Match", etag).send(304);
  }

  private static List<Received> inParallel(List<Callable<Received>> requests)
      throws InterruptedException, ExecutionException {
    var answers = new ArrayList<Received>();
    try (var threads = Executors.newFixedThreadPool(16)) {
      for (Future<Received> answer : threads.invokeAll(requests)) {
        answers.add(answer.get());
      }
    }
    return answers;
  }
}
