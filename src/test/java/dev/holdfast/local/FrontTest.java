package dev.holdfast.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The front, before servers that behave and servers that do not. In what goes over the wire a bar
 * stands for the end of a line, CRLF.
 */
@Timeout(60)
class FrontTest {

  private static final String GET = "GET /v1/cart HTTP/1.1|Host: 127.0.0.1:8080||";

  private final List<AutoCloseable> opened = new ArrayList<>();
  private final List<StubNode> nodes = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Which node

  @Test
  void spreadsRequestsEvenly() throws IOException {
    Front front = front(StubNode.named("a"), StubNode.named("b"), StubNode.named("c"));
    try (var caller = call(front)) {
      for (int i = 0; i < 300; i++) {
        caller.send(GET);
        assertThat(caller.answer().status()).isEqualTo(200);
      }
    }
    assertThat(nodes).allSatisfy(node -> assertThat(node.received()).hasSize(100));
    assertThat(nodes).allSatisfy(node -> assertThat(node.connections()).isEqualTo(1));
  }

  @Test
  void sendsNoMoreToANodeThatHasTooMuchInHandThanToTheOthers() throws Exception {
    var release = new CountDownLatch(1);
    StubNode slow =
        StubNode.doing(request -> {
          waitFor(release);
          request.answerOk("slow");
        });
    Front front = front(slow, StubNode.named("quick"));
    List<Caller> waiting = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      Caller caller = call(front);
      caller.send(GET);
      waiting.add(caller);
      // In hand at one, or answered by the other.
      await().until(() -> received() == waiting.size());
    }
    try (var caller = call(front)) {
      for (int i = 0; i < 50; i++) {
        caller.send(GET);
        assertThat(caller.answer().body()).isEqualTo("quick");
      }
    }
    release.countDown();
    for (Caller caller : waiting) {
      assertThat(caller.answer().status()).isEqualTo(200);
      caller.close();
    }
  }

  private int received() {
    return nodes.stream().mapToInt(node -> node.received().size()).sum();
  }

  @Test
  void sendsNothingToANodeThatIsNotReadyAndLetsItFinishWhatItHas() throws Exception {
    var release = new CountDownLatch(1);
    StubNode leaving =
        StubNode.doing(request -> {
          waitFor(release);
          request.answerOk("finished");
        });
    Front front = front(leaving);
    try (var inHand = call(front)) {
      inHand.send(GET);
      await().until(() -> leaving.received().size() == 1);
      leaving.ready(false);
      await().until(() -> !front.isReady("node-1"));
      try (var next = call(front)) {
        next.send(GET);
        Answer answer = next.answer();
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.head()).contains("Retry-After: 1|");
        assertThat(answer.body()).contains("urn:holdfast:problem:no-owner");
        leaving.ready(true);
        await().until(() -> front.isReady("node-1"));
        release.countDown();
        next.send(GET);
        assertThat(next.answer().body()).isEqualTo("finished");
      }
      assertThat(inHand.answer().body()).isEqualTo("finished");
    }
  }

  @Test
  void asksAnotherNodeWhenNothingWasSent() throws IOException {
    StubNode dying = StubNode.named("dying");
    Front front = front(dying, StubNode.named("alive"));
    dying.close();
    try (var caller = call(front)) {
      for (int i = 0; i < 20; i++) {
        caller.send(GET);
        assertThat(caller.answer().body()).isEqualTo("alive");
      }
    }
  }

  @Test
  void sendsToANodeThatIsBack() throws IOException {
    StubNode node = StubNode.named("a");
    Front front = front(node);
    node.ready(false);
    await().until(() -> !front.isReady("node-1"));
    node.ready(true);
    await().until(() -> front.isReady("node-1"));
    try (var caller = call(front)) {
      caller.send(GET);
      assertThat(caller.answer().status()).isEqualTo(200);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // No change twice

  @ParameterizedTest
  @ValueSource(strings = {"PUT", "POST", "DELETE"})
  void saysThatTheOutcomeIsUnknownWhenTheNodeDiesWithTheRequest(String method) throws IOException {
    StubNode dying = StubNode.doing(request -> request.socket().close());
    StubNode alive = StubNode.named("alive");
    Front front = front(dying, alive);
    try (var caller = call(front)) {
      for (int i = 0; i < 10; i++) {
        await().until(() -> front.isReady("node-1"));
        caller.send(method + " /" + i + " HTTP/1.1|Host: localhost||");
        Answer answer = caller.answer();
        if (answer.status() != 200) {
          assertThat(answer.status()).isEqualTo(504);
          assertThat(answer.body())
              .contains("urn:holdfast:problem:outcome-unknown", "Idempotency-Key");
        }
      }
    }
    var lines = new ArrayList<String>();
    nodes.forEach(node -> node.received().forEach(request -> lines.add(request.line())));
    assertThat(dying.received()).isNotEmpty();
    assertThat(lines).hasSize(10).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1 100 Continue||", "HTTP/1.1 200 OK|Content-Le"})
  void asksAnotherNodeForWhatChangesNothingWhenTheFirstOneDiesWithIt(String lastWords)
      throws IOException {
    StubNode dying =
        StubNode.doing(request -> {
          request.answer(lastWords);
          request.socket().close();
        });
    StubNode alive = StubNode.named("alive");
    Front front = front(dying, alive);
    try (var caller = call(front)) {
      for (int i = 0; i < 10; i++) {
        await().until(() -> front.isReady("node-1"));
        caller.send("GET /" + i + " HTTP/1.1|Host: localhost||");
        assertThat(caller.answer().body()).isEqualTo("alive");
      }
    }
    assertThat(dying.received()).isNotEmpty();
    assertThat(alive.received()).hasSize(10);
  }

  @Test
  void asksNoNodeTwiceForWhatChangesNothing() throws IOException {
    StubNode first = StubNode.doing(request -> request.socket().close());
    StubNode second = StubNode.doing(request -> request.socket().close());
    Front front = front(first, second);
    try (var caller = call(front)) {
      caller.send(GET);
      Answer answer = caller.answer();
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.head()).contains("Retry-After: 1|");
      assertThat(answer.body()).contains("urn:holdfast:problem:no-owner", "Nothing happened");
    }
    assertThat(first.received()).hasSize(1);
    assertThat(second.received()).hasSize(1);
  }

  @Test
  void saysThatAReadMayBeRepeatedWhoseBodyIsGoneWithTheNode() throws IOException {
    StubNode dying = StubNode.doing(request -> request.socket().close());
    Front front = front(dying, StubNode.doing(request -> request.socket().close()));
    try (var caller = call(front)) {
      caller.send("GET / HTTP/1.1|Host: localhost|Content-Length: 2||{}");
      Answer answer = caller.answer();
      assertThat(answer.status()).isEqualTo(504);
      assertThat(answer.head()).contains("Retry-After: 1|");
      assertThat(answer.body()).contains("urn:holdfast:problem:outcome-unknown", "repeat it");
    }
    assertThat(received()).isEqualTo(1);
  }

  @Test
  void saysThatTheOutcomeIsUnknownWhenTheNodeAnswersNonsense() throws IOException {
    Front front =
        front(
            StubNode.doing(request -> request.answer("HTTP/1.1 nothing||")),
            StubNode.doing(request -> request.answer("HTTP/1.1 nothing||")));
    try (var caller = call(front)) {
      caller.send(GET);
      assertThat(caller.answer().status()).isEqualTo(504);
    }
    assertThat(received()).isEqualTo(1);
  }

  @Test
  void breaksTheConnectionWhenTheNodeDiesWithinItsAnswer() throws IOException {
    Front front =
        front(
            StubNode.doing(request -> {
              request.answer("HTTP/1.1 200 OK|Content-Length: 10||half");
              request.socket().close();
            }));
    try (var caller = call(front)) {
      caller.send(GET);
      assertThat(caller.all()).endsWith("||half");
    }
    assertThat(nodes.getFirst().received()).hasSize(1);
  }

  @Test
  void usesNoConnectionThatTheNodeHasClosed() throws IOException {
    StubNode node = StubNode.named("a");
    Front front = front(node);
    try (var caller = call(front)) {
      for (int i = 1; i <= 50; i++) {
        caller.send(GET);
        assertThat(caller.answer().status()).isEqualTo(200);
        node.closeConnections();
        await().until(() -> front.isReady("node-1"));
      }
    }
    assertThat(node.connections()).isEqualTo(50);
    assertThat(node.received()).hasSize(50);
  }

  @Test
  void usesNoConnectionThatTheNodeSaysItCloses() throws IOException {
    StubNode node =
        StubNode.doing(
            request -> request.answer("HTTP/1.1 200 OK|Content-Length: 0|Connection: close||"));
    Front front = front(node);
    try (var caller = call(front)) {
      for (int i = 1; i <= 3; i++) {
        caller.send(GET);
        assertThat(caller.answer().head()).doesNotContain("Connection");
      }
    }
    assertThat(node.connections()).isEqualTo(3);
  }

  // ---------------------------------------------------------------------------------------------
  // What is passed on

  @Test
  void passesHeadersOnButThoseForThisHop() throws IOException {
    Front front = front(StubNode.named("a"));
    try (var caller = call(front)) {
      caller.send(
          "PUT /v1/cart/items/a%2Fb?x=%20 HTTP/1.1|Host: localhost:8080|Connection: keep-alive,"
              + " Upgrade|Upgrade: h2c|TE: trailers|Keep-Alive: 5|Sec-Fetch-Site:"
              + " cross-site|Origin: https://shop.example|Authorization: Bearer x|Session-Token:"
              + " t|X-Forwarded-For: 10.0.0.1|Content-Length: 2||{}");
      assertThat(caller.answer().status()).isEqualTo(200);
    }
    StubNode.Request request = nodes.getFirst().received().getFirst();
    assertThat(request.head().lines())
        .containsExactly(
            "PUT /v1/cart/items/a%2Fb?x=%20 HTTP/1.1",
            "Host: localhost:8080",
            "Sec-Fetch-Site: cross-site",
            "Origin: https://shop.example",
            "Authorization: Bearer x",
            "Session-Token: t",
            "X-Forwarded-For: 10.0.0.1",
            "Content-Length: 2",
            "Forwarded: for=127.0.0.1;host=\"localhost:8080\";proto=http",
            "X-Forwarded-For: 127.0.0.1",
            "Via: 1.1 holdfast",
            "");
    assertThat(request.body()).isEqualTo("{}");
  }

  @Test
  void passesLargeBodiesBothWays() throws IOException {
    byte[] large = new byte[3_000_000];
    new Random(1).nextBytes(large);
    StubNode node =
        StubNode.doing(request -> {
          request.answer("HTTP/1.1 200 OK|Content-Length: " + request.body().length() + "||");
          request.out().write(request.body().getBytes(ISO_8859_1));
          request.out().flush();
        });
    Front front = front(node);
    try (var caller = call(front)) {
      caller.send("PUT / HTTP/1.1|Host: localhost|Content-Length: " + large.length + "||");
      caller.socket.getOutputStream().write(large);
      assertThat(caller.answer().body()).isEqualTo(new String(large, ISO_8859_1));
      caller.send("PUT / HTTP/1.1|Host: localhost|Transfer-Encoding: chunked||");
      for (int from = 0; from < large.length; from += 30_000) {
        caller.send("7530;some=extension|");
        caller.socket.getOutputStream().write(large, from, 30_000);
        caller.send("|");
      }
      caller.send("0||");
      assertThat(caller.answer().body()).isEqualTo(new String(large, ISO_8859_1));
    }
  }

  @Test
  void passesChunkedAnswersAndThenTheNextOne() throws IOException {
    StubNode node =
        StubNode.doing(
            request -> request.answer("HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|0||"));
    Front front = front(node);
    try (var caller = call(front)) {
      for (int i = 0; i < 3; i++) {
        caller.send(GET);
        assertThat(caller.answer().body()).isEqualTo("abc");
      }
    }
    assertThat(node.connections()).isEqualTo(1);
  }

  @Test
  void passesAnAnswerThatEndsWithItsConnection() throws IOException {
    Front front =
        front(
            StubNode.doing(request -> {
              request.answer("HTTP/1.1 200 OK||to the end");
              request.socket().close();
            }));
    try (var caller = call(front)) {
      caller.send(GET);
      assertThat(caller.all()).contains("Connection: close|").endsWith("to the end");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"204 No Content", "304 Not Modified"})
  void knowsAnswersThatHaveNoBody(String status) throws IOException {
    Front front = front(StubNode.doing(request -> request.answer("HTTP/1.1 " + status + "||")));
    try (var caller = call(front)) {
      caller.send(GET + GET);
      assertThat(caller.head()).startsWith("HTTP/1.1 " + status);
      assertThat(caller.head()).startsWith("HTTP/1.1 " + status);
    }
  }

  @Test
  void passesTheAnswerToHead() throws IOException {
    Front front =
        front(StubNode.doing(request -> request.answer("HTTP/1.1 200 OK|Content-Length: 500||")));
    try (var caller = call(front)) {
      caller.send("HEAD / HTTP/1.1|Host: localhost||".repeat(2));
      assertThat(caller.head()).contains("Content-Length: 500|");
      assertThat(caller.head()).contains("Content-Length: 500|");
    }
  }

  @Test
  void passesEventsAsTheyCome() throws Exception {
    var next = new java.util.concurrent.Semaphore(0);
    Front front =
        front(
            StubNode.doing(request -> {
              request.answer(
                  "HTTP/1.1 200 OK|Content-Type: text/event-stream|Transfer-Encoding: chunked||");
              for (int i = 1; i <= 3; i++) {
                request.answer("9|id: %d|||".formatted(i));
                next.acquireUninterruptibly();
              }
              request.socket().close();
            }));
    try (var caller = call(front)) {
      caller.send(GET);
      assertThat(caller.head()).contains("text/event-stream");
      for (int i = 1; i <= 3; i++) {
        assertThat(caller.read(14)).isEqualTo("9|id: %d|||".formatted(i));
        next.release();
      }
      assertThat(caller.all()).isEmpty();
    }
  }

  @Test
  void answersRequestsThatAreSentInOneGoInTheirOrder() throws IOException {
    Front front =
        front(
            StubNode.doing(request -> request.answerOk(request.line())),
            StubNode.doing(request -> request.answerOk(request.line())));
    try (var caller = call(front)) {
      var all = new StringBuilder();
      for (int i = 0; i < 20; i++) {
        all.append("POST /").append(i).append(" HTTP/1.1|Host: localhost|");
        all.append("Content-Length: 3||abc");
      }
      caller.send(all.toString());
      for (int i = 0; i < 20; i++) {
        assertThat(caller.answer().body()).isEqualTo("POST /" + i + " HTTP/1.1");
      }
    }
  }

  @Test
  void tellsTheCallerToContinue() throws IOException {
    Front front = front(StubNode.named("a"));
    try (var caller = call(front)) {
      caller.send("PUT / HTTP/1.1|Host: localhost|Expect: 100-continue|Content-Length: 2||");
      assertThat(caller.head()).isEqualTo("HTTP/1.1 100 Continue||");
      caller.send("{}");
      assertThat(caller.answer().body()).isEqualTo("a");
    }
    assertThat(nodes.getFirst().received().getFirst().header("Expect")).isNull();
  }

  @Test
  void passesOnWhatTheNodeSaysBeforeItHasTheWholeBody() throws IOException {
    StubNode node =
        StubNode.doing(request -> {
          request.answer("HTTP/1.1 413 Too Large|Content-Length: 0|Connection: close||");
          request.socket().shutdownOutput();
          request.in().readNBytes(10_000_000);
        });
    node.leaveBodies();
    Front front = front(node);
    try (var caller = call(front)) {
      caller.send("PUT / HTTP/1.1|Host: localhost|Content-Length: 900000000||");
      await().until(() -> node.received().size() == 1);
      caller.send("x".repeat(100_000));
      assertThat(caller.answer().status()).isEqualTo(413);
    }
  }

  @Test
  void closesWhenTheCallerSaysSo() throws IOException {
    Front front = front(StubNode.named("a"));
    try (var caller = call(front)) {
      caller.send("GET / HTTP/1.1|Host: localhost|Connection: close||");
      assertThat(caller.all()).contains("Connection: close|").endsWith("a");
    }
  }

  // ---------------------------------------------------------------------------------------------
  // What is refused

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PUT / HTTP/1.1|Host: localhost|Content-Length: 3|Content-Length: 3||abc",
        "PUT / HTTP/1.1|Host: localhost|Content-Length: 3, 3||abc",
        "PUT / HTTP/1.1|Host: localhost|Content-Length: +3||abc",
        "PUT / HTTP/1.1|Host: localhost|Content-Length: 0x3||abc",
        "PUT / HTTP/1.1|Host: localhost|Content-Length: ||abc",
        "PUT / HTTP/1.1|Host: localhost|Content-Length: 9999999999999999||abc",
        "PUT / HTTP/1.1|Host: localhost|Content-Length: 3|Transfer-Encoding: chunked||0||",
        "PUT / HTTP/1.1|Host: localhost|Transfer-Encoding: chunked|Content-Length: 3||0||",
        "PUT / HTTP/1.1|Host: localhost|Transfer-Encoding: chunked|Transfer-Encoding: identity||",
        "PUT / HTTP/1.1|Host: localhost|Transfer-Encoding: gzip, chunked||0||",
        "PUT / HTTP/1.1|Host: localhost|Transfer-Encoding: xchunked||0||",
        "PUT / HTTP/1.1|Host: localhost|Transfer-Encoding : chunked||0||",
        "PUT / HTTP/1.1|Host: localhost|Transfer-Encoding:\u000bchunked||0||",
        "PUT / HTTP/1.1|Host: localhost|Connection: content-length|Content-Length: 3||abc",
        "PUT / HTTP/1.1|Host: localhost|Connection: Session-Token||",
        "GET / HTTP/1.1|Host: localhost|X: a| folded: b||",
        "GET / HTTP/1.1| folded: b|Host: localhost||",
        "GET / HTTP/1.1|Host: localhost|X||",
        "GET / HTTP/1.1|Host: localhost|: x||",
        "GET / HTTP/1.1|Host: localhost|X: a\rb||",
        "GET / HTTP/1.1|Host: localhost|X: a\u0000b||",
        "GET / HTTP/1.1|Host: localhost\nX: a||",
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1||",
        "GET / HTTP/1.1|Host: localhost|Host: localhost||",
        "GET / HTTP/1.1|Host: local\"host||",
        "GET / HTTP/1.0|Host: localhost||",
        "GET / HTTP/2.0|Host: localhost||",
        "GET /||",
        "GET  / HTTP/1.1|Host: localhost||",
        "GET /a b HTTP/1.1|Host: localhost||",
        "GET http://shop.example/ HTTP/1.1|Host: localhost||",
        "CONNECT shop.example:443 HTTP/1.1|Host: localhost||",
        "G\u0001T / HTTP/1.1|Host: localhost||",
        "|GET / HTTP/1.1|Host: localhost||"
      })
  void refusesWhatCouldBeReadInTwoWays(String request) throws IOException {
    Front front = front(StubNode.named("a"));
    try (var caller = call(front)) {
      caller.send(request + GET);
      String all = caller.all();
      assertThat(all)
          .startsWith("HTTP/1.1 400 ")
          .contains("urn:holdfast:problem:malformed-request");
      assertThat(all.split("HTTP/1\\.1 \\d", -1)).as("one answer").hasSize(2);
    }
    assertThat(nodes.getFirst().received()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "+3|abc|0||",
        "0x3|abc|0||",
        "|abc|0||",
        "3\nabc\n0\n\n",
        "3|abcd|0||",
        "123456789|abc",
        "0|Trailer: x||",
        "3;\u0000|abc|0||"
      })
  void refusesChunksThatCouldBeReadInTwoWays(String body) throws IOException {
    Front front = front(StubNode.named("a"));
    try (var caller = call(front)) {
      caller.send("PUT / HTTP/1.1|Host: localhost|Transfer-Encoding: chunked||" + body + GET);
      assertThat(caller.all()).startsWith("HTTP/1.1 400 ");
    }
    assertThat(nodes.getFirst().received()).isEmpty();
  }

  @Test
  void refusesHeadsOverTheirLimit() throws IOException {
    Front front = front(StubNode.named("a"));
    try (var caller = call(front)) {
      caller.send("GET /" + "x".repeat(20_000));
      assertThat(caller.all()).startsWith("HTTP/1.1 414 ").contains("uri-too-long");
    }
    try (var caller = call(front)) {
      caller.send("GET / HTTP/1.1|Host: localhost|" + "X: y|".repeat(20_000) + "|");
      assertThat(caller.all()).startsWith("HTTP/1.1 431 ").contains("headers-too-large");
    }
    assertThat(nodes.getFirst().received()).isEmpty();
  }

  // ---------------------------------------------------------------------------------------------
  // The end

  @Test
  void finishesRequestsInHandWhenItStops() throws Exception {
    var release = new CountDownLatch(1);
    Front front =
        front(
            StubNode.doing(request -> {
              waitFor(release);
              request.answerOk("done");
            }));
    try (var inHand = call(front);
        var idle = call(front)) {
      inHand.send(GET);
      await().until(() -> nodes.getFirst().received().size() == 1);
      front.stop();
      assertThat(idle.all()).isEmpty();
      release.countDown();
      assertThat(inHand.all()).contains("Connection: close|").endsWith("done");
      assertThat(front.awaitIdle(java.time.Duration.ofSeconds(10))).isTrue();
    }
  }

  // ---------------------------------------------------------------------------------------------

  private Front front(StubNode... behind) throws IOException {
    var list = new ArrayList<Front.Node>();
    for (StubNode node : behind) {
      nodes.add(node);
      opened.add(node);
      list.add(new Front.Node("node-" + nodes.size(), node.address()));
    }
    Front front = Front.start("127.0.0.1", 0, list, () -> {});
    opened.add(front);
    await().until(() -> list.stream().allMatch(node -> front.isReady(node.name())));
    return front;
  }

  private Caller call(Front front) throws IOException {
    return new Caller(front);
  }

  private static void waitFor(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record Answer(String head, String body) {
    int status() {
      return Integer.parseInt(head, 9, 12, 10);
    }
  }

  private static final class Caller implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;

    Caller(Front front) throws IOException {
      socket = new Socket(front.url().getHost(), front.url().getPort());
      socket.setSoTimeout(20_000);
      socket.setTcpNoDelay(true);
      in = new BufferedInputStream(socket.getInputStream());
    }

    void send(String text) throws IOException {
      socket.getOutputStream().write(text.replace("|", "\r\n").getBytes(ISO_8859_1));
      socket.getOutputStream().flush();
    }

    String head() throws IOException {
      var head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int c = in.read();
        if (c < 0) {
          throw new IOException("ended after " + head);
        }
        head.append((char) c);
      }
      return head.toString().replace("\r\n", "|");
    }

    String read(int bytes) throws IOException {
      return new String(in.readNBytes(bytes), ISO_8859_1).replace("\r\n", "|");
    }

    Answer answer() throws IOException {
      String head = head();
      var body = new ByteArrayOutputStream();
      String length =
          Arrays.stream(head.split("\\|", -1))
              .filter(line -> line.startsWith("Content-Length: "))
              .findFirst()
              .orElse("");
      if (!length.isEmpty()) {
        body.write(in.readNBytes(Integer.parseInt(length.substring(16))));
      } else if (head.contains("chunked")) {
        for (int size = size(); size > 0; size = size()) {
          body.write(in.readNBytes(size));
          in.readNBytes(2);
        }
        in.readNBytes(2);
      }
      return new Answer(head, body.toString(ISO_8859_1));
    }

    private int size() throws IOException {
      var line = new StringBuilder();
      for (int c = in.read(); c != '\n'; c = in.read()) {
        line.append((char) c);
      }
      return Integer.parseInt(line.toString().strip(), 16);
    }

    /** {@return what comes until the connection ends} */
    String all() throws IOException {
      return new String(in.readAllBytes(), ISO_8859_1).replace("\r\n", "|");
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
