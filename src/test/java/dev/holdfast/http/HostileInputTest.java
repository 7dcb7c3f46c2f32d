package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.SessionId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Strangers who send whatever they like: each gets its 4xx or a closed connection, nothing changes,
 * nothing of the server's inside is told, and neither memory nor connections are used up.
 */
@Timeout(60)
class HostileInputTest {

  private static final String ITEM =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}";

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;
  private String token = "";
  private String before = "";

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client = node.serve();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void open() {
    token = client.visitor();
    client.put("/v1/cart/items/tea").token(token).json(ITEM).send(201);
    client.put("/v1/session/attributes/locale").token(token).json("\"de\"").send(201);
    before = revision();
  }

  /** Whatever was sent, the victim's session and cart are as they were. */
  @AfterEach
  void nothingHasChanged() {
    assertThat(revision()).isEqualTo(before);
  }

  private String revision() {
    return client.get("/v1/session").token(token).send(200).need("ETag");
  }

  private static Received tellsNothing(Received received) {
    assertThat(received.body())
        .doesNotContain("Exception")
        .doesNotContain("dev.holdfast")
        .doesNotContain("io.helidon")
        .doesNotContain("com.fasterxml")
        .doesNotContain("java.");
    return received;
  }

  // ---------------------------------------------------------------------------------------------
  // Bodies

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "}",
        "[1,",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "[1 2]",
        "[,1]",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "0x10",
        "tru",
        "TRUE",
        "nul",
        "\"\\x\"",
        "\"\\u12\"",
        "\"unended",
        "\"a\tb\"",
        "// comment\n{}",
        "/* comment */{}",
        "# comment\n{}",
        "{}{}",
        "{} x",
        "1 2",
        "\ufeff{}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "{\"a\":1,\"\\u0061\":2}",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "{\"\\udfff\":1}",
        "\u0000",
        "{\"a\":1}\u0000"
      })
  void refusesWhatIsNotJson(String body) {
    for (var ask :
        List.of(
            client.put("/v1/session/attributes/locale").json(body),
            client.put("/v1/cart/items/tea").json(body),
            client.patch("/v1/cart/items/tea").mergePatch(body))) {
      assertThat(tellsNothing(ask.token(token).send(400)).problem()).isEqualTo("malformed-request");
    }
  }

  static List<byte[]> notUtf8() {
    return List.of(
        bytes('"', 0xff, '"'),
        bytes('"', 0xc0, 0x80, '"'),
        bytes('"', 0xc1, 0xbf, '"'),
        bytes('"', 0xe0, 0x80, 0xaf, '"'),
        bytes('"', 0xed, 0xa0, 0x80, '"'),
        bytes('"', 0xf4, 0x90, 0x80, 0x80, '"'),
        bytes('"', 0xe2, 0x82, '"'),
        bytes('"', 0x80, '"'),
        "\"ä\"".getBytes(StandardCharsets.ISO_8859_1),
        "{\"a\":1}".getBytes(StandardCharsets.UTF_16),
        "{\"a\":1}".getBytes(StandardCharsets.UTF_16LE),
        "{\"a\":1}".getBytes(Charset.forName("UTF-32")));
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("notUtf8")
  void refusesWhatIsNotUtf8(byte[] body) {
    var ask = client.put("/v1/session/attributes/locale").token(token);
    tellsNothing(ask.body("application/json", body).send(400));
  }

  @Test
  void refusesDeepNestingHoweverDeep() {
    for (int depth : List.of(65, 1_000, 60_000)) {
      for (String body :
          List.of(
              "[".repeat(depth),
              "[".repeat(depth) + "]".repeat(depth),
              "{\"a\":".repeat(depth / 2 + 33) + "1")) {
        if (body.length() <= 128 * 1024) {
          var ask = client.put("/v1/session/attributes/locale").token(token);
          tellsNothing(ask.json(body).send(400));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "\"x\"",
        "null",
        "{\"quantity\":\"2\",\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2.0,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2e0,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":0,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":-1,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":10000,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":4294967297,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":1e400,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":1e999999999,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":true,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":[2],\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":null,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":6.90}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":6.90,\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"-1\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1e3\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1.001\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1000000000000\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"\\u0661\",\"currency\":\"EUR\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"XXX\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"eur\"}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\",\"colour\":1}}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"},\"name\":\"\"}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"},\"name\":null}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"},\"attributes\":[]}",
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"},\"sku\":\"tea\"}"
      })
  void refusesFieldsThatAreWrong(String body) {
    var received = client.put("/v1/cart/items/tea").token(token).json(body).send(422);
    assertThat(tellsNothing(received).problem()).isEqualTo("invalid-fields");
  }

  /** What was let in and has no path could not be changed, ended or erased by anybody. */
  @Test
  void refusesNamesThatNoPathCanSay() {
    for (String name : List.of(".", "..", "a\\tb", "\\u0085")) {
      client.post("/v1/sessions").json("{\"user\":\"%s\"}".formatted(name)).send(422);
      client
          .patch("/v1/session/attributes")
          .token(token)
          .json("{\"%s\":1}".formatted(name))
          .send(422);
      client
          .post("/v1/cart/items")
          .token(token)
          .json(
              "{\"sku\":\"%s\",\"quantity\":1,\"unitPrice\":{\"amount\":\"1\",\"currency\":\"EUR\"}}"
                  .formatted(name))
          .send(422);
    }
  }

  /** Longer in bytes, by which the journal's reader counts, than in characters. */
  @Test
  void readsBackFromTheJournalWhateverNameItTakes() {
    String name = "\u00e9".repeat(30_000);
    String user = client.session("longest");
    client.put("/v1/session/attributes/a").token(user).json("{\"" + name + "\":1}").send(201);
    assertThat(client.get("/v1/admin/users/longest/history").send(200).body()).contains("\u00e9");
  }

  @Test
  void refusesNumbersOfEndlessLength() {
    client.put("/v1/session/attributes/locale").token(token).json("9".repeat(1_001)).send(400);
    client
        .put("/v1/session/attributes/locale")
        .token(token)
        .json("0." + "9".repeat(100_000))
        .send(400);
  }

  @Test
  void namesEveryFieldThatIsWrongAtOnce() {
    var received =
        client
            .post("/v1/cart/items")
            .token(token)
            .json(
                "{\"sku\":\"a b\",\"quantity\":0,\"unitPrice\":{\"amount\":1,\"currency\":\"X\"},"
                    + "\"colour\":1,\""
                    + "n".repeat(1_000)
                    + "\":1}")
            .send(422);
    assertThat(received.json().path("errors").findValuesAsText("field"))
        .containsExactly(
            "sku",
            "quantity",
            "unitPrice.amount",
            "unitPrice.currency",
            "colour",
            "n".repeat(128) + "…");
  }

  @Test
  void tellsAtMostAHundredErrors() {
    var body = new StringBuilder("{");
    for (int i = 0; i < 5_000; i++) {
      body.append("\"f").append(i).append("\":1,");
    }
    var received =
        client.post("/v1/sessions").json(body.append("\"last\":1}").toString()).send(422);
    assertThat(received.json().path("errors")).hasSize(100);
  }

  @Test
  void refusesABodyThatIsTooLargeWithoutReadingIt() {
    var ask = client.put("/v1/session/attributes/locale").token(token);
    assertThat(ask.json("\"" + "x".repeat(128 * 1024) + "\"").send(413).problem())
        .isEqualTo("too-large");
    // A length alone is enough.
    var received =
        client.raw(
            "PUT /v1/session/attributes/locale HTTP/1.1\r\nHost: localhost\r\nSession-Token: "
                + token
                + "\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n");
    assertThat(received).extracting(Received::status).isEqualTo(413);
  }

  @Test
  void refusesAChunkedBodyOnceItIsTooLarge() {
    var request = new StringBuilder(head("PUT", "/v1/session/attributes/locale"));
    request.append("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    request.append("1\r\n\"\r\n");
    for (int i = 0; i < 40; i++) {
      request.append("1000\r\n").append("x".repeat(4096)).append("\r\n");
    }
    assertThat(client.raw(request.toString())).extracting(Received::status).isEqualTo(413);
  }

  @Test
  void refusesAttributesThatAreTooLarge() {
    client
        .put("/v1/session/attributes/locale")
        .token(token)
        .json("\"" + "x".repeat(65_536) + "\"")
        .send(413);
    client
        .post("/v1/sessions")
        .json("{\"attributes\":{\"a\":\"" + "x".repeat(65_536) + "\"}}")
        .send(413);
    client
        .patch("/v1/cart/items/tea")
        .token(token)
        .mergePatch("{\"attributes\":{\"a\":\"" + "x".repeat(4_096) + "\"}}")
        .send(413);
  }

  @Test
  void refusesBodiesWhereThereAreNone() {
    client.delete("/v1/cart").token(token).json("{}").send(400);
    client.delete("/v1/session").token(token).json("{}").send(400);
    client.get("/v1/cart").token(token).json("{}").send(400);
  }

  @Test
  void takesAnEmptyObjectForNoBody() {
    client.post("/v1/session/rotate").token(client.visitor()).json("{}").send(200);
    client.post("/v1/session/rotate").token(token).json("{\"colour\":\"red\"}").send(422);
    client.post("/v1/session/rotate").token(token).json("[]").send(422);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/jsonp",
        "application/merge-patch+json",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded"
      })
  void refusesOtherMediaTypes(String contentType) {
    var ask = client.put("/v1/session/attributes/locale").token(token);
    assertThat(ask.body(contentType, "1").send(415).need("Accept")).isEqualTo("application/json");
  }

  // ---------------------------------------------------------------------------------------------
  // Paths

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/v1",
        "/v1/",
        "/v1/cart/",
        "//v1/cart",
        "/v1//cart",
        "/v1/cart//items/tea",
        "/v1/./cart",
        "/v1/x/../cart",
        "/../v1/cart",
        "/v1/cart/items/../../session",
        "/v1/%2e%2e/v1/cart",
        "/v1/c%61rt",
        "/v1%2Fcart",
        "/v1%2fcart%2fitems%2ftea",
        "/v1/cart;jsessionid=1",
        "/v1;x/cart",
        "/v1/cart%00",
        "/v1/cart%00.json",
        "/v1/cart%20",
        "/v1/cart.json",
        "/V1/cart",
        "/v1/CART",
        "/v1/cart/items/tea/",
        "/v1/cart/items/tea/x",
        "/v1/cart/items/",
        "/v1/cart/items/%00",
        "/v1/cart/items/tea%00",
        "/v1/cart/items/%0d%0aSet-Cookie:x",
        "/v1/cart/items/.",
        "/v1/cart/items/..",
        "/v1/cart/items/%2e",
        "/v1/cart/items/%2E%2e",
        "/v1/cart/items/%",
        "/v1/cart/items/%2",
        "/v1/cart/items/%zz",
        "/v1/cart/items/%ff",
        "/v1/cart/items/%c0%ae",
        "/v1/cart/items/%ed%a0%80",
        "/v1/cart/items/te\"a",
        "/v1/cart/items/te<a",
        "/v1/cart/items/te\\a",
        "/v1/cart/items/te|a",
        "/v1/cart/items/te\u00e4a",
        "/v1/cart/items/..%2F..%2Fsession",
        "/v1/cart/items/tea?x",
        "/v1/cart?token=1",
        "/v1/cart#x",
        "*",
        "v1/cart",
        "http://localhost/v1/cart",
        "\\v1\\cart",
        "/etc/passwd",
        "/console/../openapi.yaml",
        "/openapi.yaml/",
        "/health",
        "/health/live/x",
        "/metrics%2f"
      })
  void refusesPathTricks(String path) {
    for (String method : List.of("GET", "DELETE", "PATCH")) {
      var received = client.raw(head(method, path) + "\r\n");
      assertThat(received).as(method).isNotNull();
      if (received != null) {
        assertThat(tellsNothing(received).status()).as(received.toString()).isBetween(400, 422);
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Tokens

  @Test
  void wakesNoActorForATokenThatIsForged() throws IOException {
    long asked = node.users().asked();
    long started = node.actorsStarted();
    double refused = client.metric("holdfast_http_tokens_refused_total");
    int tried = 0;
    byte[] genuine = Base64.getUrlDecoder().decode(token);
    for (int bit = 0; bit < genuine.length * 8; bit++) {
      byte[] forged = genuine.clone();
      forged[bit / 8] ^= (byte) (1 << (bit % 8));
      refusesToken(Base64.getUrlEncoder().encodeToString(forged));
      tried++;
    }
    var random = new Random(1);
    for (int i = 0; i < 100; i++) {
      byte[] forged = new byte[54];
      random.nextBytes(forged);
      refusesToken(Base64.getUrlEncoder().encodeToString(forged));
      tried++;
    }
    var others =
        new SessionTokens(
            List.of(
                SessionTokens.Key.of(
                    7, "another secret".repeat(3).getBytes(StandardCharsets.UTF_8))));
    refusesToken(others.write(new SessionTokens.Token(new OwnerKey(1, 2), new SessionId(3, 4), 1)));
    for (String nonsense :
        List.of(
            "x", token + "A", token.substring(1), "A".repeat(72), "!".repeat(72), token + "=")) {
      refusesToken(nonsense);
      tried++;
    }
    assertThat(node.users().asked()).isEqualTo(asked);
    assertThat(node.actorsStarted()).isEqualTo(started);
    assertThat(client.metric("holdfast_http_tokens_refused_total")).isEqualTo(refused + tried + 1);
  }

  private static void refusesToken(String forged) {
    assertThat(client.get("/v1/session").token(forged).send(401).problem())
        .isEqualTo("session-invalid");
  }

  @Test
  void answersAlikeToEveryTokenThatIsNotValid() {
    String ended = client.visitor();
    client.delete("/v1/session").token(ended).send(204);
    String rotated = client.visitor();
    client.post("/v1/session/rotate").token(rotated).send(200);
    String unknown =
        TestNode.TOKENS.write(new SessionTokens.Token(new OwnerKey(5, 6), new SessionId(7, 8), 1));
    String none = client.get("/v1/session").send(401).body();
    for (String invalid : List.of(ended, rotated, unknown, "forged")) {
      assertThat(client.get("/v1/session").token(invalid).send(401).body()).isEqualTo(none);
    }
  }

  @Test
  void refusesTwoTokens() {
    var received =
        client.raw(head("GET", "/v1/session") + "Session-Token: " + client.visitor() + "\r\n\r\n");
    assertThat(received).extracting(Received::status).isEqualTo(400);
  }

  // ---------------------------------------------------------------------------------------------
  // The protocol

  private String head(String method, String path) {
    return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nSession-Token: " + token + "\r\n";
  }

  /** What a smuggler hides behind the first request: if it is ever handled, the cart is empty. */
  private String smuggled() {
    return head("DELETE", "/v1/cart") + "\r\n";
  }

  static List<String> framings() {
    return List.of(
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n12",
        "Content-Length: 1, 2\r\n\r\n12",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: +1\r\n\r\n1",
        "Content-Length: 0x1\r\n\r\n1",
        "Content-Length: 1 1\r\n\r\n1",
        "Content-Length:\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n1",
        "Content-Length : 1\r\n\r\n1",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding\r\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "X: 1\r\n folded\r\n\r\n",
        "X: 1\nY: 2\r\n\r\n",
        "X: 1\rY: 2\r\n\r\n",
        "X: \u0000\r\n\r\n",
        "X Y: 1\r\n\r\n",
        ": 1\r\n\r\n",
        "Host: localhost\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n+1\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x1\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n 1\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n100000001\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n\r\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1;x=\n1\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nX: trailer\r\n\r\n",
        "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n1");
  }

  @ParameterizedTest
  @MethodSource("framings")
  void refusesEveryDoubtfulFramingAndClosesTheConnection(String framing) throws IOException {
    String request =
        head("PUT", "/v1/session/attributes/locale")
            + "Content-Type: application/json\r\n"
            + framing
            + smuggled();
    assertRefusedAndClosed(request);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /v1/session HTTP/1.0\r\n\r\n",
        "GET /v1/session HTTP/1.1\r\n\r\n",
        "GET /v1/session HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /v1/session HTTP/1.2\r\nHost: localhost\r\n\r\n",
        "GET /v1/session\r\nHost: localhost\r\n\r\n",
        "GET\r\n\r\n",
        "\r\n\r\n",
        "GET  /v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /v1/session  HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /v1/cart items HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "G\u0000T /v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /v1/session HTTP/1.1\nHost: localhost\n\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n",
        "GET /v1/session HTTP/1.1\r\nHost: localhost:x\r\n\r\n",
        "GET /v1/session HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /v1/session HTTP/1.1\r\nHost:\r\n\r\n"
      })
  void refusesWhatIsNoRequest(String request) throws IOException {
    assertRefusedAndClosed(request + smuggled());
  }

  private static void assertRefusedAndClosed(String request) throws IOException {
    try (Socket socket = client.connect()) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      socket.shutdownOutput();
      Received first = read(socket);
      if (first != null) {
        assertThat(tellsNothing(first).status()).as(first.toString()).isBetween(400, 431);
        assertThat(first.need("Content-Type")).isEqualTo("application/problem+json");
        assertThat(first.need("Connection")).isEqualTo("close");
        assertThat(read(socket)).as("a second answer").isNull();
      }
    }
  }

  private static @Nullable Received read(Socket socket) throws IOException {
    try {
      return Received.read(socket.getInputStream(), false);
    } catch (SocketException reset) {
      return null;
    }
  }

  @Test
  void refusesHeadersThatAreTooLarge() {
    assertThat(client.raw(head("GET", "/v1/cart") + "X: " + "x".repeat(20_000) + "\r\n\r\n"))
        .extracting(Received::status)
        .isEqualTo(431);
    var many = new StringBuilder(head("GET", "/v1/cart"));
    for (int i = 0; i < 5_000; i++) {
      many.append("X-").append(i).append(": 1\r\n");
    }
    assertThat(client.raw(many + "\r\n")).extracting(Received::status).isEqualTo(431);
    assertThat(client.raw(head("GET", "/v1/cart") + "x".repeat(20_000)))
        .extracting(Received::status)
        .isEqualTo(431);
  }

  @Test
  void refusesARequestLineThatIsTooLong() {
    assertThat(client.raw("GET /" + "x".repeat(5_000) + " HTTP/1.1\r\n\r\n"))
        .extracting(Received::status)
        .isEqualTo(414);
  }

  @Test
  void takesInNoMoreThanARequestNeeds() throws IOException {
    // The size of a chunk, which never ends.
    var chunk = head("PUT", "/v1/session/attributes/locale");
    chunk += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    assertThat(taken(chunk, "0")).isLessThan(8 * 1024 * 1024);
    // Extensions of a chunk's size, likewise.
    assertThat(taken(chunk + "1;x=", "y")).isLessThan(8 * 1024 * 1024);
  }

  /** {@return how many bytes the server took in before it closed the connection} */
  private static long taken(String start, String more) throws IOException {
    byte[] block = more.repeat(64 * 1024).getBytes(StandardCharsets.ISO_8859_1);
    long taken = 0;
    try (Socket socket = client.connect()) {
      OutputStream out = socket.getOutputStream();
      out.write(start.getBytes(StandardCharsets.ISO_8859_1));
      for (; taken < 64L * 1024 * 1024; taken += block.length) {
        out.write(block);
      }
    } catch (SocketException closed) {
      return taken;
    }
    return taken;
  }

  @Test
  void closesAtOnceWhereTheCallerAsksForIt() throws IOException {
    for (String request :
        List.of(
            head("GET", "/v1/cart") + "Connection: close\r\n\r\n",
            head("GET", "/v1/nothing") + "Connection: close\r\n\r\n",
            "nonsense\r\n\r\n")) {
      try (Socket socket = client.connect()) {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
        assertThat(read(socket)).isNotNull();
        long answeredAt = System.nanoTime();
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
        assertThat(Duration.ofNanos(System.nanoTime() - answeredAt))
            .isLessThan(Duration.ofSeconds(1));
      }
    }
  }

  @Test
  void answersRequestsOfOneConnectionInTheirOrder() throws IOException {
    try (Socket socket = client.connect()) {
      String requests =
          head("GET", "/v1/cart")
              + "\r\n"
              + head("GET", "/v1/nothing")
              + "\r\n"
              + head("GET", "/v1/session")
              + "\r\n";
      socket.getOutputStream().write(requests.getBytes(StandardCharsets.ISO_8859_1));
      InputStream in = socket.getInputStream();
      assertThat(Received.read(in, false)).extracting(Received::status).isEqualTo(200);
      assertThat(Received.read(in, false)).extracting(Received::status).isEqualTo(404);
      assertThat(Received.read(in, false)).extracting(Received::status).isEqualTo(200);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Slowness

  private static Client impatient() throws IOException {
    var usual = HttpSettings.Bounds.defaults();
    return node.serve(
        new HttpSettings.Bounds(
            usual.bodyBytes(),
            usual.requestLineBytes(),
            usual.headerBytes(),
            usual.connections(),
            usual.requestsInHand(),
            Duration.ofMillis(600),
            Duration.ofMillis(600),
            Duration.ofMillis(1_500),
            usual.streams(),
            usual.heartbeat(),
            usual.deadline(),
            usual.stopping()));
  }

  @Test
  void cutsOffWhoSendsAByteNowAndThen() throws IOException {
    Client impatient = impatient();
    for (String start :
        List.of(
            "GET /v1/ca",
            head("GET", "/v1/cart") + "X-Slow: ",
            head("PUT", "/v1/session/attributes/locale")
                + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n\"")) {
      long startedAt = System.nanoTime();
      try (Socket socket = impatient.connect()) {
        socket.getOutputStream().write(start.getBytes(StandardCharsets.ISO_8859_1));
        await()
            .pollInterval(Duration.ofMillis(50))
            .atMost(Duration.ofSeconds(10))
            .until(() -> isClosedAfterOneMoreByte(socket));
      }
      assertThat(Duration.ofNanos(System.nanoTime() - startedAt)).isLessThan(Duration.ofSeconds(5));
    }
    assertThat(impatient.metric("holdfast_http_connections_cut_off_total{reason=\"slow-request\"}"))
        .isEqualTo(3);
  }

  private static boolean isClosedAfterOneMoreByte(Socket socket) {
    try {
      socket.getOutputStream().write('x');
      return false;
    } catch (IOException closed) {
      return true;
    }
  }

  @Test
  void cutsOffWhoSendsNothing() throws IOException {
    Client impatient = impatient();
    try (Socket socket = impatient.connect()) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThat(impatient.metric("holdfast_http_connections_cut_off_total{reason=\"idle\"}"))
        .isEqualTo(1);
  }

  @Test
  void cutsOffWhoTakesNoAnswers() throws IOException {
    Client impatient = impatient();
    byte[] request = (head("GET", "/openapi.yaml") + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    try (Socket socket = impatient.connect()) {
      socket.setReceiveBufferSize(4_096);
      await()
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(1))
          .until(() -> {
            try {
              for (int i = 0; i < 20; i++) {
                socket.getOutputStream().write(request);
              }
              return false;
            } catch (IOException closed) {
              return true;
            }
          });
    }
    assertThat(impatient.metric("holdfast_http_connections_cut_off_total{reason=\"slow-reader\"}"))
        .isEqualTo(1);
  }

  @Test
  void answersOthersWhileManyAreSlow() throws IOException {
    var slow = new java.util.ArrayList<Socket>();
    try {
      for (int i = 0; i < 500; i++) {
        Socket socket = client.connect();
        socket
            .getOutputStream()
            .write(head("PUT", "/v1/cart/items/tea").getBytes(StandardCharsets.ISO_8859_1));
        slow.add(socket);
      }
      client.get("/v1/cart").token(token).send(200);
      assertThat(client.metric("holdfast_http_connections")).isGreaterThanOrEqualTo(500);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    await().until(() -> client.metric("holdfast_http_connections") < 10);
  }
}
