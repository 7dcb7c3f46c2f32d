package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.entity.Answer;
import dev.holdfast.user.Command;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.Reply;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How the server starts, stops, and holds its bounds. */
@Timeout(60)
class ApiServerTest {

  private static final Executor THREADS = Thread::startVirtualThread;

  @TempDir static Path folder;
  private static TestNode node;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  /** Lets no user answer until the latch opens. */
  private static Function<Command, @Nullable Answer> heldUpBy(CountDownLatch latch) {
    return command -> {
      if (command instanceof Command.Act) {
        try {
          latch.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      return null;
    };
  }

  private static Client.Ask change(Client client, String token) {
    return client.put("/v1/session/attributes/a").token(token).json("1");
  }

  @Test
  void finishesTheRequestsInHandWhenItStops() throws Exception {
    ApiServer server = node.start(HttpSettings.Bounds.defaults(), List.of(), false);
    var client = new Client(server.port());
    String token = client.visitor();
    var latch = new CountDownLatch(1);
    Socket idle = client.connect();
    Received answer =
        node.users()
            .with(
                heldUpBy(latch),
                () -> {
                  long asked = node.users().asked();
                  var inHand = CompletableFuture.supplyAsync(change(client, token)::send, THREADS);
                  await().until(() -> node.users().asked() > asked);
                  var stopped = CompletableFuture.runAsync(server::close, THREADS);
                  await().until(() -> refused(client));
                  assertThat(stopped).isNotDone();
                  latch.countDown();
                  stopped.orTimeout(20, TimeUnit.SECONDS).join();
                  return inHand.join();
                });
    assertThat(answer.status()).isEqualTo(201);
    assertThat(idle.getInputStream().read()).isEqualTo(-1);
    idle.close();
  }

  @Test
  void waitsForTheRestOfARequestThatHasBegunWhenItStops() throws Exception {
    ApiServer server = node.start(HttpSettings.Bounds.defaults(), List.of(), false);
    var client = new Client(server.port());
    try (Socket begun = client.connect();
        Socket idle = client.connect()) {
      begun.getOutputStream().write("POST /v1/se".getBytes(StandardCharsets.US_ASCII));
      await().until(() -> client.metric("holdfast_http_connections") == 3);
      var stopped = CompletableFuture.runAsync(server::close, THREADS);
      assertThat(idle.getInputStream().read()).isEqualTo(-1);
      assertThat(stopped).isNotDone();
      begun
          .getOutputStream()
          .write(
              "ssions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      Received answer = Received.read(begun.getInputStream(), false);
      assertThat(answer).isNotNull();
      assertThat(answer.status()).isEqualTo(201);
      assertThat(answer.need("Connection")).isEqualTo("close");
      stopped.orTimeout(20, TimeUnit.SECONDS).join();
    }
  }

  /** A request that comes just when the server stops is done and answered, or neither. */
  @Test
  void doesNothingThatItDoesNotAnswerWhenItStopsUnderLoad() throws Exception {
    Client after = node.serve();
    for (int round = 0; round < 10; round++) {
      ApiServer server = node.start(HttpSettings.Bounds.defaults(), List.of(), false);
      var callers = new ArrayList<Counting>();
      for (int i = 0; i < 32; i++) {
        callers.add(new Counting(new Client(server.port()), after.visitor()));
      }
      callers.forEach(THREADS::execute);
      await().until(() -> callers.stream().mapToInt(each -> each.answered.get()).sum() > 500);
      server.close();
      for (Counting caller : callers) {
        caller.ended.get(20, TimeUnit.SECONDS);
        assertThat(after.get(COUNT).token(caller.token).send(200).body())
            .isEqualTo(caller.answered.toString());
      }
    }
  }

  private static final String COUNT = "/v1/session/attributes/count";

  /** Sets an attribute to 1, 2, 3, …, on one connection, until that is closed. */
  private static final class Counting implements Runnable {
    private final Client client;
    private final String token;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final AtomicInteger answered = new AtomicInteger();

    Counting(Client client, String token) {
      this.client = client;
      this.token = token;
    }

    @Override
    public void run() {
      try (Socket socket = client.connect()) {
        for (Received answer = next(socket); answer != null; answer = next(socket)) {
          assertThat(answer.status()).as(answer.body()).isIn(200, 201);
          answered.incrementAndGet();
        }
        ended.complete(null);
      } catch (IOException | RuntimeException | AssertionError e) {
        ended.completeExceptionally(e);
      }
    }

    private @Nullable Received next(Socket socket) throws IOException {
      return client.put(COUNT).token(token).json("" + (answered.get() + 1)).sendOn(socket);
    }
  }

  private static boolean refused(Client client) {
    try (Socket socket = client.connect()) {
      return !socket.isConnected();
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void refusesWhatIsMoreThanItCanHaveInHandAndGoesOnAnsweringProbes() throws IOException {
    var usual = HttpSettings.Bounds.defaults();
    Client client =
        node.serve(
            new HttpSettings.Bounds(
                usual.bodyBytes(),
                usual.requestLineBytes(),
                usual.headerBytes(),
                usual.connections(),
                2,
                usual.receiving(),
                usual.answering(),
                usual.idle(),
                usual.streams(),
                usual.heartbeat(),
                usual.deadline(),
                usual.stopping()));
    String token = client.visitor();
    var latch = new CountDownLatch(1);
    node.users()
        .with(
            heldUpBy(latch),
            () -> {
              long asked = node.users().asked();
              var first = CompletableFuture.supplyAsync(change(client, token)::send, THREADS);
              var second = CompletableFuture.supplyAsync(change(client, token)::send, THREADS);
              await().until(() -> node.users().asked() == asked + 2);
              var third = client.get("/v1/session").token(token).send(503);
              assertThat(third.problem()).isEqualTo("overloaded");
              assertThat(third.need("Retry-After")).isEqualTo("1");
              client.get("/health/live").send(200);
              latch.countDown();
              return List.of(first.join(), second.join());
            });
    client.get("/v1/session").token(token).send(200);
  }

  @Test
  void endsEachConnectionWithItsNextAnswerOnceItIsToldThatItWillStop() throws IOException {
    ApiServer server = node.start(HttpSettings.Bounds.defaults(), List.of(), false);
    try (var kept = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      kept.setSoTimeout(10_000);
      assertThat(answer(kept)).startsWith("HTTP/1.1 200").doesNotContainIgnoringCase("close");
      server.endsConnections();
      assertThat(answer(kept)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: close");
      assertThat(kept.getInputStream().read()).isEqualTo(-1);
    }
    // Whoever has not noticed is still answered.
    new Client(server.port()).get("/health/live").send(200);
  }

  private static String answer(Socket connection) throws IOException {
    connection
        .getOutputStream()
        .write(
            "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
    var text = new StringBuilder();
    while (!text.toString().endsWith("}")) {
      int next = connection.getInputStream().read();
      assertThat(next).as(text.toString()).isNotEqualTo(-1);
      text.append((char) next);
    }
    return text.toString();
  }

  @Test
  void tellsNobodyThatNothingHappenedOnceSomethingDid() throws IOException {
    Client client = node.serve();
    String visitor = client.visitor();
    var logIn =
        client
            .post("/v1/session/login")
            .token(visitor)
            .key("a-log-in")
            .json("{\"user\":\"somebody\"}");
    Received lost =
        node.users()
            .with(
                command ->
                    command instanceof Command.LookUnused
                        ? new Answer.Unavailable(Answer.Cause.NO_OWNER, 1_000)
                        : null,
                logIn::send);
    assertThat(lost.status()).isEqualTo(504);
    client.get("/v1/session").token(visitor).send(401);
    assertThat(logIn.send(200).need("Idempotent-Replayed")).isEqualTo("true");
  }

  @Test
  void tellsNobodyThatNothingHappenedWhereTheSessionEndedAfterTheChange() throws IOException {
    Client client = node.serve();
    String token = client.visitor();
    Received lost =
        node.users()
            .with(
                command ->
                    command instanceof Command.Act
                        ? new Answer.Answered(
                            new Reply.Done(Outcome.Changed.changed(), true, 2, null), "node-1")
                        : null,
                () -> client.delete("/v1/cart").token(token).send(504));
    assertThat(lost.json().path("type").asText()).endsWith(":outcome-unknown");
  }

  @Test
  void goesOnAfterARequestThatFailed() throws IOException {
    Client client = node.serve();
    String token = client.visitor();
    Received failed =
        node.users()
            .with(
                _ -> {
                  throw new IllegalStateException("jdbc:sqlite:/secret");
                },
                () -> client.get("/v1/cart").token(token).send(500));
    assertThat(failed.body()).doesNotContain("secret").doesNotContain("Exception");
    client.get("/v1/cart").token(token).send(200);
  }

  @Test
  void takesABodyThatIsAnnouncedFirst() throws IOException {
    Client client = node.serve();
    String token = client.visitor();
    String head =
        """
        PUT /v1/session/attributes/a HTTP/1.1
        Host: localhost
        Session-Token: %s
        Content-Type: application/json
        Content-Length: 1
        Expect: 100-continue

        """
            .replace("\n", "\r\n");
    try (Socket socket = client.connect()) {
      socket.getOutputStream().write(head.formatted(token).getBytes(StandardCharsets.ISO_8859_1));
      assertThat(socket.getInputStream().readNBytes(25))
          .isEqualTo("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().write('1');
      assertThat(Received.read(socket.getInputStream(), false))
          .extracting(Received::status)
          .isEqualTo(201);
    }
    try (Socket socket = client.connect()) {
      socket.getOutputStream().write(head.formatted("x").getBytes(StandardCharsets.ISO_8859_1));
      assertThat(Received.read(socket.getInputStream(), false))
          .extracting(Received::status)
          .isEqualTo(401);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void takesABodyInChunks() throws IOException {
    Client client = node.serve();
    String token = client.visitor();
    String request =
        "PUT /v1/session/attributes/a HTTP/1.1\r\nHost: localhost\r\nSession-Token: "
            + token
            + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\n[12\r\n1;x=\"y\"\r\n,\r\n0002\r\n3]\r\n0\r\n\r\n";
    try (Socket socket = client.connect()) {
      for (int i = 0; i < 3; i++) {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
        Received received = Received.read(socket.getInputStream(), false);
        assertThat(received).extracting(Received::body).isEqualTo("[12,3]");
      }
    }
  }

  @Test
  void cannotShareItsPort() throws IOException {
    ApiServer server = node.start(HttpSettings.Bounds.defaults(), List.of(), false);
    assertThatThrownBy(() -> node.startOn(server.port()))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("127.0.0.1:" + server.port());
  }
}
