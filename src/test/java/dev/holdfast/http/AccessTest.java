package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may call. */
@Timeout(60)
class AccessTest {

  /** In a token: after version, key id and owner. */
  private static final int SESSION_AT = 18;

  private static final int SESSION_BITS = 128;

  @TempDir static Path folder;
  private static TestNode node;
  private static Client open;
  private static Client locked;
  private static Client insecure;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    open = node.serve();
    locked = node.serveWithKey();
    insecure = new Client(node.start(HttpSettings.Bounds.defaults(), List.of(), true).port());
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  // ---------------------------------------------------------------------------------------------
  // With API keys

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Bearer " + TestNode.API_KEY,
        "bearer " + TestNode.API_KEY,
        "Bearer  " + TestNode.API_KEY
      })
  void letsInWhoShowsAKey(String authorization) {
    locked.post("/v1/sessions").header("Authorization", authorization).send(201);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer another",
        "Bearer " + TestNode.API_KEY + "x",
        "Basic " + TestNode.API_KEY,
        TestNode.API_KEY
      })
  void letsInNobodyElse(String authorization) {
    long asked = node.users().asked();
    for (var ask :
        List.of(
            locked.post("/v1/sessions"),
            locked.get("/v1/session").token(open.visitor()),
            locked.delete("/v1/cart"))) {
      var received = ask.header("Authorization", authorization).send(401);
      assertThat(received.problem()).isEqualTo("api-key-invalid");
      assertThat(received.need("WWW-Authenticate")).isEqualTo("Bearer realm=\"holdfast\"");
    }
    assertThat(node.users().asked()).isEqualTo(asked + 1); // the visitor's own opening
  }

  @Test
  void acceptsNoHashOfAKey() {
    locked
        .post("/v1/sessions")
        .header(
            "Authorization", "Bearer " + HexFormat.of().formatHex(TestNode.hash(TestNode.API_KEY)))
        .send(401);
  }

  @Test
  void asksProbesForNoKey() {
    for (String path : List.of("/health/live", "/health/ready", "/metrics", "/openapi.yaml")) {
      locked.get(path).header("Host", "10.1.2.3:8080").send(200);
    }
  }

  @Test
  void doesNotMindTheHostWhereKeysAreNeeded() {
    locked
        .post("/v1/sessions")
        .header("Authorization", "Bearer " + TestNode.API_KEY)
        .header("Host", "sessions.shop.example")
        .header("Origin", "https://shop.example")
        .send(201);
  }

  @Test
  void keepsTheIdempotencyKeysOfCallersApart() {
    var first =
        locked
            .post("/v1/sessions")
            .header("Authorization", "Bearer " + TestNode.API_KEY)
            .key("shared")
            .send(201);
    var second = open.post("/v1/sessions").key("shared").send(201);
    assertThat(second.json().path("id")).isNotEqualTo(first.json().path("id"));
  }

  // ---------------------------------------------------------------------------------------------
  // Without

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.1.2.3:65535",
        "[::1]",
        "[::1]:8080"
      })
  void answersUnderLoopbackNames(String host) {
    open.post("/v1/sessions").header("Host", host).send(201);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "shop.example",
        "localhost.shop.example",
        "localhost.",
        "127.0.0.1.shop.example",
        "127.0.0.1.nip.io:8080",
        "10.0.0.1",
        "0.0.0.0",
        "127.0.0",
        "127.0.0.01",
        "2130706433",
        "[::2]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]"
      })
  void answersUnderNoOtherName(String host) {
    for (var ask : List.of(open.post("/v1/sessions"), open.get("/metrics"), open.get("/nothing"))) {
      assertThat(ask.header("Host", host).send(403).problem()).isEqualTo("forbidden");
    }
    insecure.post("/v1/sessions").header("Host", host).send(201);
  }

  @Test
  void answersNoPageOfAnotherSite() {
    for (Client client : List.of(open, insecure)) {
      for (String site : List.of("cross-site", "same-site", "anything")) {
        client.post("/v1/sessions").header("Sec-Fetch-Site", site).send(403);
      }
      for (String origin : List.of("null", "https://shop.example", "http://localhost:1", "")) {
        client.post("/v1/sessions").header("Origin", origin).send(403);
      }
      for (String site : List.of("none", "same-origin")) {
        client.post("/v1/sessions").header("Sec-Fetch-Site", site).send(201);
      }
      client
          .post("/v1/sessions")
          .header("Host", "localhost:8080")
          .header("Origin", "http://localhost:8080")
          .send(201);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // What is accepted

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*/*",
        "application/*",
        "application/json",
        "text/html, application/json;q=0.1",
        "text/html,*/*;q=0.8",
        "APPLICATION/JSON"
      })
  void answersInJson(String accept) {
    open.post("/v1/sessions").header("Accept", accept).send(201);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/html",
        "text/*",
        "application/json;q=0",
        "*/*;q=0",
        "*/*, application/json;q=0",
        "application/xml",
        "nonsense",
        ""
      })
  void doesNothingForWhoTakesNoJson(String accept) {
    long asked = node.users().asked();
    open.post("/v1/sessions").header("Accept", accept).send(406);
    assertThat(node.users().asked()).isEqualTo(asked);
  }

  @Test
  void tellsMetricsInTheFormatThatIsLikedBetter() {
    assertThat(open.get("/metrics").send(200).need("Content-Type")).startsWith("text/plain");
    var preferred =
        open.get("/metrics")
            .header(
                "Accept",
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
            .send(200);
    assertThat(preferred.need("Content-Type")).startsWith("application/openmetrics-text");
    assertThat(preferred.body())
        .contains("holdfast_http_request_duration_seconds_bucket")
        .endsWith("# EOF\n");
  }

  /** Of what a session's secrecy rests on each bit is as often set as not, and none repeats. */
  @Test
  void givesOutSessionIdsOfRandomBits() {
    int sessions = 600;
    var ids = new HashSet<BigInteger>();
    int[] set = new int[SESSION_BITS];
    for (int i = 0; i < sessions; i++) {
      byte[] token = Base64.getUrlDecoder().decode(open.visitor());
      var id = new BigInteger(1, Arrays.copyOfRange(token, SESSION_AT, SESSION_AT + 16));
      ids.add(id);
      for (int bit = 0; bit < SESSION_BITS; bit++) {
        set[bit] += id.testBit(bit) ? 1 : 0;
      }
    }
    assertThat(ids).hasSize(sessions);
    // Seven times the standard deviation, so this fails of itself once in a thousand million runs.
    double most = 7 * Math.sqrt(sessions / 4.0);
    assertThat(Arrays.stream(set).boxed())
        .allSatisfy(count -> assertThat(Math.abs(count - sessions / 2)).isLessThan((int) most));
  }
}
