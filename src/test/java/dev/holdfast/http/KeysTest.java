package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.http.ApiKey.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each key is good for, how one replaces another, and how much may be done with one. */
@Timeout(60)
class KeysTest {

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client =
        new Client(
            node.start(
                    new ApiKeys(
                        List.of(
                            key(Kind.APPLICATION, "reading", "the-read-key", "read"),
                            key(Kind.APPLICATION, "shop", "the-write-key", "write"),
                            key(Kind.APPLICATION, "shop", "the-next-write-key", "read+write")),
                        List.of(
                            key(Kind.ADMINISTRATOR, "warehouse", "the-feed-key", "feed"),
                            key(Kind.ADMINISTRATOR, "monitor", "the-cluster-key", "cluster"),
                            key(Kind.ADMINISTRATOR, "support", "the-users-key", "users"),
                            key(Kind.ADMINISTRATOR, "operator", "the-admin-key", "admin"))),
                    0,
                    null)
                .port());
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static ApiKey key(Kind kind, String name, String secret, String scopes) {
    return ApiKey.parse(kind, name + ":" + hash(secret) + ":" + scopes);
  }

  private static String hash(String secret) {
    return HexFormat.of().formatHex(TestNode.hash(secret));
  }

  // ---------------------------------------------------------------------------------------------
  // Scopes

  /** Everything that the contract has, tried with a key of each scope. */
  @ParameterizedTest
  @EnumSource
  void letsEachScopeDoWhatItIsForAndNothingElse(Scope scope) {
    String secret = "Bearer the-" + scope.text() + "-key";
    for (String operation : new Contract().operations()) {
      int space = operation.indexOf(' ');
      String path = operation.substring(space + 1).replaceAll("\\{[a-z]+}", "none");
      var ask = client.ask(operation.substring(0, space), path).header("Authorization", secret);
      Received received = ask.send();
      if (allowed(operation, scope)) {
        assertThat(received.status()).as("%s with %s", operation, scope).isNotEqualTo(403);
      } else {
        assertThat(received.status()).as("%s with %s", operation, scope).isEqualTo(403);
        assertThat(received.problem()).isEqualTo("forbidden");
        assertThat(received.body()).doesNotContain("the-" + scope.text() + "-key");
      }
    }
  }

  private static boolean allowed(String operation, Scope scope) {
    boolean looks = operation.startsWith("GET ");
    String path = operation.substring(operation.indexOf(' ') + 1);
    if (!path.startsWith("/v1/")) {
      return true;
    }
    if (!path.startsWith("/v1/admin/")) {
      return scope == Scope.WRITE || (scope == Scope.READ && looks);
    }
    return scope == Scope.ADMIN
        || (looks
            && switch (scope) {
              case FEED -> path.startsWith("/v1/admin/feed");
              case CLUSTER -> path.matches("/v1/admin/(cluster|metrics)");
              case USERS -> path.matches("/v1/admin/(users|sessions)/.*");
              case READ, WRITE, ADMIN -> false;
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "secret",
        "name:secret",
        "%s:",
        "%s:admin",
        "%s:feed",
        "%s:write+",
        "%s:WRITE",
        "a b:%s",
        ":%s",
        "name:%s:write:more",
        "%sab"
      })
  void readsNoOtherFormAndRepeatsNothingOfIt(String form) {
    String text = form.formatted(hash("any"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ApiKey.parse(Kind.APPLICATION, text))
        .withMessageNotContaining(hash("any"))
        .withMessageNotContaining("secret");
  }

  @Test
  void readsWhatItWrites() {
    for (String text :
        List.of(
            hash("a") + ":write",
            "shop:" + hash("a") + ":read+write",
            "x:" + hash("b") + ":read")) {
      assertThat(ApiKey.parse(Kind.APPLICATION, text).text()).isEqualTo(text);
    }
    assertThat(ApiKey.parse(Kind.ADMINISTRATOR, hash("a")).scopes()).isEqualTo(Set.of(Scope.ADMIN));
  }

  @Test
  void makesAKeyOfBothListsGoodForBoth() {
    byte[] hash = TestNode.hash("both");
    var keys =
        new ApiKeys(
            List.of(ApiKey.of(Kind.APPLICATION, hash)),
            List.of(ApiKey.of(Kind.ADMINISTRATOR, hash)));
    assertThat(keys.caller("Bearer both", Scope.WRITE))
        .isEqualTo(keys.caller("Bearer both", Scope.ADMIN));
  }

  // ---------------------------------------------------------------------------------------------
  // One after the other

  @Test
  void takesTheKeysOfOneNameForOneCaller() {
    Received first = post("the-write-key").key("order-1").send(201);
    Received repeat = post("the-next-write-key").key("order-1").send(201);
    assertThat(repeat.header("Idempotent-Replayed")).isEqualTo("true");
    assertThat(repeat.json().path("id")).isEqualTo(first.json().path("id"));
  }

  private static Client.Ask post(String secret) {
    return client.post("/v1/sessions").header("Authorization", "Bearer " + secret);
  }

  @Test
  void replacesAKeyWhileRequestsGoOn() throws Exception {
    ApiServer server =
        node.start(
            new ApiKeys(List.of(key(Kind.APPLICATION, "shop", "old", "write")), List.of()),
            0,
            null);
    var callers = new Client(server.port());
    Client.Ask old = callers.post("/v1/sessions").header("Authorization", "Bearer old");
    Client.Ask next = callers.post("/v1/sessions").header("Authorization", "Bearer next");
    old.send(201);
    next.send(401);

    server.accept(
        Kind.APPLICATION,
        List.of(
            key(Kind.APPLICATION, "shop", "old", "write"),
            key(Kind.APPLICATION, "shop", "next", "write")));
    old.send(201);
    next.send(201);

    server.accept(Kind.APPLICATION, List.of(key(Kind.APPLICATION, "shop", "next", "write")));
    old.send(401);
    next.send(201);
  }

  /** Whoever has lost a key to a thief takes it back, and the thief sees no more. */
  @Test
  void endsTheStreamsOfAKeyThatIsTakenBack() throws Exception {
    ApiKey shop = key(Kind.APPLICATION, "shop", "the-shop's", "write");
    ApiKey other = key(Kind.APPLICATION, "other", "the-other's", "write");
    ApiServer server = node.start(new ApiKeys(List.of(shop, other), List.of()), 0, null);
    var callers = new Client(server.port());
    String token =
        callers
            .post("/v1/sessions")
            .header("Authorization", "Bearer the-shop's")
            .send(201)
            .need("Session-Token");
    try (EventReader taken = watch(callers, token, "the-other's");
        EventReader kept = watch(callers, token, "the-shop's")) {
      taken.next();
      kept.next();

      server.accept(Kind.APPLICATION, List.of(shop));

      assertThat(taken.nextOrEnd()).isNull();
      callers
          .put("/v1/session/attributes/n")
          .header("Authorization", "Bearer the-shop's")
          .token(token)
          .json("1")
          .send();
      assertThat(kept.next().type()).isEqualTo("session.attributes-changed");
    }
  }

  private static EventReader watch(Client callers, String token, String key) throws IOException {
    return callers
        .get("/v1/session/events")
        .header("Authorization", "Bearer " + key)
        .token(token)
        .stream();
  }

  @Test
  void neverOpensToEverybodyWhenTheLastKeyGoes() throws Exception {
    ApiServer server =
        node.start(
            new ApiKeys(
                List.of(key(Kind.APPLICATION, "shop", "old", "write")),
                List.of(key(Kind.ADMINISTRATOR, "operator", "root", "admin"))),
            0,
            null);
    for (Kind kind : Kind.values()) {
      assertThatExceptionOfType(IOException.class).isThrownBy(() -> server.accept(kind, List.of()));
    }
    var callers = new Client(server.port());
    callers.post("/v1/sessions").send(401);
    callers.get("/v1/admin/cluster").send(401);
    callers.post("/v1/sessions").header("Authorization", "Bearer old").send(201);
  }

  @Test
  void closesAnOpenServerWithItsFirstKey() throws Exception {
    ApiServer server = node.start(ApiKeys.NONE, 0, null);
    var callers = new Client(server.port());
    callers.post("/v1/sessions").send(201);

    server.accept(Kind.APPLICATION, List.of(key(Kind.APPLICATION, "shop", "first", "write")));

    callers.post("/v1/sessions").send(401);
    callers.get("/v1/admin/cluster").send(401);
    callers
        .post("/v1/sessions")
        .header("Authorization", "Bearer first")
        .header("Host", "sessions.shop.example")
        .send(201);
  }

  // ---------------------------------------------------------------------------------------------
  // How much

  @Test
  void limitsEachCallerAndTellsWhenToComeAgain() throws Exception {
    var limited =
        new Client(
            node.start(
                    new ApiKeys(
                        List.of(
                            key(Kind.APPLICATION, "busy", "one", "write"),
                            key(Kind.APPLICATION, "busy", "two", "write"),
                            key(Kind.APPLICATION, "calm", "other", "write")),
                        List.of()),
                    3,
                    null)
                .port());
    long asked = node.users().asked();
    int answered = 0;
    Received last;
    do {
      last =
          limited
              .post("/v1/sessions")
              .header("Authorization", "Bearer " + (answered % 2 == 0 ? "one" : "two"))
              .send();
      answered += last.status() == 201 ? 1 : 0;
    } while (last.status() == 201 && answered < 100);

    assertThat(answered).isBetween(6, 99);
    assertThat(last.status()).isEqualTo(429);
    assertThat(last.problem()).isEqualTo("rate-exceeded");
    assertThat(last.need("Retry-After")).isEqualTo("1");
    assertThat(node.users().asked() - asked).isEqualTo(answered);
    limited.post("/v1/sessions").header("Authorization", "Bearer other").send(201);
    limited.get("/health/ready").send(200);
    assertThat(limited.metric("holdfast_http_requests_limited_total")).isEqualTo(1);
  }
}
