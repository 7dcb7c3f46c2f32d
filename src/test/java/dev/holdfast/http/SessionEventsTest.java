package dev.holdfast.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cart.Cart;
import dev.holdfast.entity.Told.Happened;
import dev.holdfast.http.EventReader.Told;
import dev.holdfast.json.Json;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Watching a session and its cart. */
@Timeout(60)
class SessionEventsTest {

  private static final String EVENTS = "/v1/session/events";
  private static final String ITEM =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}";
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /** Of nobody whom the node knows. */
  private static final OwnerKey OWNER = new OwnerKey(1, 2);

  private static final SessionId SESSION = new SessionId(3, 4);

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;

  private final String user = "watched-" + NUMBER.incrementAndGet();

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client = node.serve();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void showsTheSessionAndThenEachChangeToEveryDevice() throws Exception {
    String phone = client.session(user);
    String desk = client.session(user);
    try (EventReader onPhone = watch(phone);
        EventReader onDesk = watch(desk)) {
      assertThat(onPhone.next().type()).isEqualTo("session");
      Told first = onDesk.next();
      assertThat(first.type()).isEqualTo("session");
      assertThat(first.data().path("user").asText()).isEqualTo(user);

      String revision = put(phone, "tea").need("ETag").replace("\"", "");

      for (EventReader each : List.of(onPhone, onDesk)) {
        Told told = each.next();
        assertThat(told.id()).isEqualTo(revision);
        assertThat(told.type()).isEqualTo("cart.line-set");
        assertThat(told.data().path("revision").asText()).isEqualTo(revision);
        assertThat(told.data().path("by").asText()).isEqualTo(idOf(phone));
        assertThat(told.data().at("/data/item/sku").asText()).isEqualTo("tea");
      }
    }
  }

  @Test
  void tellsAttributesOfTheWatchedSessionOnly() throws Exception {
    String phone = client.session(user);
    String desk = client.session(user);
    try (EventReader onPhone = watch(phone)) {
      onPhone.next();
      attribute(desk, "theirs");
      attribute(phone, "mine");
      Told told = onPhone.next();
      assertThat(told.type()).isEqualTo("session.attributes-changed");
      assertThat(told.data().at("/data/set").has("mine")).isTrue();
    }
  }

  @Test
  void tellsWhoComesBackWhatHappenedMeanwhile() throws Exception {
    String phone = client.session(user);
    String desk = client.session(user);
    String seen;
    try (EventReader onPhone = watch(phone)) {
      onPhone.next();
      put(desk, "tea");
      seen = String.valueOf(onPhone.next().id());
    }
    put(desk, "cake");
    attribute(desk, "theirs");
    put(desk, "jam");
    try (EventReader again =
        client.get(EVENTS).token(phone).header("Last-Event-ID", seen).stream()) {
      assertThat(again.next(2))
          .extracting(told -> told.data().at("/data/item/sku").asText())
          .containsExactly("cake", "jam");
      put(desk, "bread");
      assertThat(again.next().data().at("/data/item/sku").asText()).isEqualTo("bread");
    }
  }

  @Test
  void showsTheSessionToWhomItCannotTellEachChange() throws Exception {
    // A log-in goes on above the visitor's revisions: how they count before it is not known here.
    client.session(user);
    String visitor = client.visitor();
    for (int i = 0; i < 9; i++) {
      attribute(visitor, "n");
    }
    String token = logIn(visitor);
    try (EventReader stream =
        client.get(EVENTS).token(token).header("Last-Event-ID", "2").stream()) {
      assertThat(stream.next().type()).isEqualTo("session");
    }
    try (EventReader ahead =
        client.get(EVENTS).token(token).header("Last-Event-ID", "999").stream()) {
      assertThat(ahead.next().type()).isEqualTo("session");
      // What it has seen was another user's, or this one's before all began anew.
      put(token, "tea");
      assertThat(ahead.next().type()).isEqualTo("cart.line-set");
      client.delete("/v1/session").token(token).send(204);
      assertThat(ahead.next().type()).isEqualTo("end");
    }
    token = client.session(user);
    client.get(EVENTS).token(token).header("Last-Event-ID", "x").send(400);
  }

  /** As after the journal's database failed over to a server that lacks the last changes. */
  @Test
  void showsTheSessionAgainWhenTheUserLacksWhatWasTold() throws Exception {
    var revision = new AtomicLong(12);
    var stream = stream(() -> view(revision.get()), Duration.ofMinutes(1));
    List<String> shown = new CopyOnWriteArrayList<>();
    Thread caller = run(stream, view(12), shown);
    try {
      await().until(() -> !shown.isEmpty() && shown.getLast().contains("id: 12"));
      stream.told(new Happened(OWNER, 20, 12, List.of()));
      revision.set(9);
      stream.told(new Happened(OWNER, 17, 9, List.of()));
      await().until(() -> shown.getLast().contains("id: 9"));
      revision.set(10);
      stream.told(new Happened(OWNER, 18, 10, List.of()));
      await().until(() -> shown.getLast().contains("id: 10"));
    } finally {
      stream.close();
    }
    assertThat(caller.join(Duration.ofSeconds(10))).isTrue();
  }

  /** Each listener is told again and again where the user stands. */
  @Test
  void givesASignOfLifeThoughItIsToldThatNothingHappens() throws Exception {
    var stream = stream(() -> view(3), Duration.ofMillis(100));
    List<String> sent = new CopyOnWriteArrayList<>();
    Thread caller = run(stream, view(3), sent);
    try {
      await()
          .pollInterval(Duration.ofMillis(20))
          .until(() -> {
            stream.told(new Happened(OWNER, 3, 3, List.of()));
            return sent.stream().filter(text -> text.startsWith(":")).count() >= 3;
          });
    } finally {
      stream.close();
    }
    assertThat(caller.join(Duration.ofSeconds(10))).isTrue();
  }

  private static SessionStream stream(Supplier<Reply.View> view, Duration heartbeat) {
    return new SessionStream(
        new SessionStream.Watched(OWNER, SESSION, 1, node.log(), view, () -> true),
        heartbeat.toMillis());
  }

  private static Reply.View view(long revision) {
    var session =
        new Session(SESSION, 1, true, Json.Obj.empty(), 0, 0, 60_000, 3_600_000, revision);
    return new Reply.View(null, session, 0, Cart.empty());
  }

  /** A caller to whom the stream sends, from this view on. */
  private static Thread run(SessionStream stream, Reply.View view, List<String> sent) {
    return Thread.startVirtualThread(() -> {
      try {
        stream.run(view, null, bytes -> sent.add(new String(bytes, UTF_8)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  /** The revisions of the visitor and of the user are two; one may well be as the other is. */
  @Test
  void showsTheSessionOfTheUserToWhomEverItEndedByALogIn() throws Exception {
    String visitor = client.visitor();
    put(visitor, "tea");
    String seen;
    String known;
    try (EventReader stream = watch(visitor)) {
      seen = String.valueOf(stream.next().id());
      known = logIn(visitor);
      Told last = stream.next();
      assertThat(last.type()).isEqualTo("end");
      assertThat(last.id()).isNull();
    }
    try (EventReader stream =
        client.get(EVENTS).token(known).header("Last-Event-ID", seen).stream()) {
      Told first = stream.next();
      assertThat(first.type()).isEqualTo("session");
      assertThat(first.data().path("user").asText()).isEqualTo(user);
    }
  }

  @Test
  void goesOnWithTheTokenThatTheRotationBrought() throws Exception {
    String token = client.session(user);
    String seen;
    String next;
    try (EventReader stream = watch(token)) {
      seen = String.valueOf(stream.next().id());
      next = client.post("/v1/session/rotate").token(token).send(200).need("Session-Token");
      assertThat(stream.next().type()).isEqualTo("end");
    }
    try (EventReader stream =
        client.get(EVENTS).token(next).header("Last-Event-ID", seen).stream()) {
      put(next, "tea");
      assertThat(stream.next().type()).isEqualTo("cart.line-set");
    }
  }

  @Test
  void tellsTheMergeOfACart() throws Exception {
    String phone = client.session(user);
    try (EventReader onPhone = watch(phone)) {
      onPhone.next();
      String visitor = client.visitor();
      put(visitor, "tea");
      logIn(visitor);
      Told told = onPhone.next();
      assertThat(told.type()).isEqualTo("log-in.admitted");
      assertThat(told.data().at("/data/items/0/sku").asText()).isEqualTo("tea");
      assertThat(told.data().path("data").has("attributes")).isFalse();
    }
  }

  @Test
  void endsWithTheSessionHoweverThatEnds() throws Exception {
    assertEnds("logged-out", token -> client.delete("/v1/session").token(token).send(204));
    assertEnds("rotated", token -> client.post("/v1/session/rotate").token(token).send(200));
    assertEnds(
        "ended-by-administrator",
        _ -> client.delete("/v1/admin/users/" + user + "/sessions").send(200));
    assertEnds("erased", _ -> client.delete("/v1/admin/users/" + user).send(200));
    assertEnds(
        "ended-by-user",
        _ -> client.post("/v1/user/sessions/end-others").token(client.session(user)).send(200));
  }

  private interface Ending {
    void of(String token);
  }

  private void assertEnds(String reason, Ending ending) throws IOException {
    String token = client.session(user);
    try (EventReader stream = watch(token)) {
      stream.next();
      ending.of(token);
      Told last = stream.next();
      assertThat(last.type()).isEqualTo("end");
      assertThat(last.data().path("reason").asText()).isEqualTo(reason);
      assertThat(stream.nextOrEnd()).isNull();
    }
    client.get(EVENTS).token(token).send(401);
  }

  @Test
  void isNoActivitySoTheSessionExpiresAllTheSame() throws Exception {
    String token =
        client
            .post("/v1/sessions")
            .json("{\"idleTimeout\":\"PT1S\"}")
            .send(201)
            .need("Session-Token");
    try (EventReader stream = watch(token)) {
      stream.next();
      Told last = stream.next();
      assertThat(last.type()).isEqualTo("end");
      assertThat(last.data().path("reason").asText()).isEqualTo("expired");
    }
  }

  @Test
  void givesASignOfLifeWhileNothingHappens() throws Exception {
    Client quick = node.serve(bounds(5_000, Duration.ofMillis(100), Duration.ofSeconds(10)));
    String token = client.session(user);
    try (EventReader stream = quick.get(EVENTS).token(token).stream()) {
      stream.next();
      await().during(Duration.ofMillis(500)).until(() -> true);
      put(token, "tea");
      stream.next();
      assertThat(stream.comments()).isGreaterThanOrEqualTo(3);
    }
  }

  @Test
  void takesNoMoreThanItHasRoomFor() throws Exception {
    Client small = node.serve(bounds(1, Duration.ofMillis(100), Duration.ofSeconds(10)));
    String token = client.session(user);
    try (EventReader stream = small.get(EVENTS).token(token).stream()) {
      stream.next();
      assertThat(small.get(EVENTS).token(token).send(503).problem()).isEqualTo("overloaded");
      small.get("/v1/session").token(token).send(200);
    }
    // Once it is noticed that the caller has left, at the latest with the next sign of life.
    await().untilAsserted(() -> assertThat(small.metric("holdfast_http_streams")).isZero());
    small.get(EVENTS).token(token).stream().close();
  }

  @Test
  void cutsOffWhoTakesNothing() throws Exception {
    Client strict = node.serve(bounds(5_000, Duration.ofSeconds(10), Duration.ofMillis(300)));
    String token = client.session(user);
    try (EventReader stream = strict.get(EVENTS).token(token).stream()) {
      stream.next();
      String large = "\"" + "x".repeat(60_000) + "\"";
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> {
            client.put("/v1/session/attributes/n").token(token).json(large).send();
            return strict.metric("holdfast_http_streams") == 0;
          });
    }
    client.get("/v1/session").token(token).send(200);
  }

  @Test
  void showsEachChangeOnEveryOneOfTwoThousandStreams() throws Exception {
    int users = 100;
    int devices = 20;
    List<List<EventReader>> streams = new ArrayList<>();
    List<String> tokens = new ArrayList<>();
    try {
      for (int i = 0; i < users; i++) {
        var ofUser = new ArrayList<EventReader>();
        streams.add(ofUser);
        for (int j = 0; j < devices; j++) {
          String token = client.session(user + "-" + i);
          ofUser.add(watch(token));
          if (j == 0) {
            tokens.add(token);
          }
        }
      }
      for (List<EventReader> ofUser : streams) {
        for (EventReader stream : ofUser) {
          assertThat(stream.next().type()).isEqualTo("session");
        }
      }
      assertThat(client.metric("holdfast_http_streams")).isGreaterThanOrEqualTo(users * devices);

      long began = System.nanoTime();
      for (String token : tokens) {
        put(token, "tea");
      }
      for (List<EventReader> ofUser : streams) {
        for (EventReader stream : ofUser) {
          Told told = stream.next();
          assertThat(told.type()).isEqualTo("cart.line-set");
          assertThat(told.data().at("/data/item/sku").asText()).isEqualTo("tea");
        }
      }
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .as("from the first of %s changes until each stream had told its own", users)
          .isLessThan(Duration.ofSeconds(10));
    } finally {
      for (List<EventReader> ofUser : streams) {
        for (EventReader stream : ofUser) {
          stream.close();
        }
      }
    }
  }

  private static HttpSettings.Bounds bounds(int streams, Duration heartbeat, Duration answering) {
    var usual = HttpSettings.Bounds.defaults();
    return new HttpSettings.Bounds(
        usual.bodyBytes(),
        usual.requestLineBytes(),
        usual.headerBytes(),
        usual.connections(),
        usual.requestsInHand(),
        usual.receiving(),
        answering,
        usual.idle(),
        streams,
        heartbeat,
        usual.deadline(),
        usual.stopping());
  }

  /** {@return the token of the user's session, into which the visitor's led} */
  private String logIn(String visitor) {
    return client
        .post("/v1/session/login")
        .token(visitor)
        .json("{\"user\":\"%s\"}".formatted(user))
        .send(200)
        .need("Session-Token");
  }

  private static EventReader watch(String token) throws IOException {
    return client.get(EVENTS).token(token).stream();
  }

  private static Received put(String token, String sku) {
    return client.put("/v1/cart/items/" + sku).token(token).json(ITEM).send();
  }

  private static void attribute(String token, String name) {
    client.put("/v1/session/attributes/" + name).token(token).json("1").send();
  }

  private static String idOf(String token) {
    return client.get("/v1/session").token(token).send(200).json().path("id").asText();
  }
}
