package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What support and operators see of users, and end. */
@Timeout(60)
class UserAdminTest {

  private static final String ITEM =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}";
  private static final AtomicInteger NUMBER = new AtomicInteger();

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;
  private static Client locked;

  private final String user = "customer/" + NUMBER.incrementAndGet();
  private final String path = "/v1/admin/users/" + user.replace("/", "%2F");

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client = node.serve();
    locked = node.serveWithKey();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void showsAUserWithSessionsAndCart() {
    String token = client.session(user);
    client.put("/v1/session/attributes/locale").token(token).json("\"de\"").send(201);
    client.put("/v1/cart/items/tea").token(token).json(ITEM).send(201);

    JsonNode seen = client.get(path).send(200).json();

    assertThat(seen.path("user").asText()).isEqualTo(user);
    assertThat(seen.path("owner").asText()).isEqualTo(TestNode.ofUser(user).toString());
    assertThat(seen.path("revision").asLong()).isEqualTo(3);
    assertThat(seen.path("sessions")).hasSize(1);
    assertThat(seen.at("/sessions/0/id").asText()).isEqualTo(idOf(token));
    assertThat(seen.at("/sessions/0/attributes/locale").asText()).isEqualTo("de");
    assertThat(seen.at("/cart/items/0/sku").asText()).isEqualTo("tea");
    assertThat(client.get(path + "/sessions").send(200).json().at("/sessions/0/id").asText())
        .isEqualTo(idOf(token));
    assertThat(client.get(path + "/sessions/" + idOf(token)).send(200).json().path("user").asText())
        .isEqualTo(user);
  }

  @Test
  void showsNoTokenAnywhere() {
    String token = client.session(user);
    String secret = token.substring(24, 60);
    for (String what : new String[] {"", "/history", "/sessions"}) {
      assertThat(client.get(path + what).send(200).body()).doesNotContain(secret);
    }
  }

  @Test
  void findsTheSessionOfAVisitorByItsPublicId() {
    String token = client.visitor();
    JsonNode seen = client.get("/v1/admin/sessions/" + idOf(token)).send(200).json();
    assertThat(seen.path("user").isNull()).isTrue();
    assertThat(seen.path("id").asText()).isEqualTo(idOf(token));
  }

  @Test
  void showsAUserAsOfATime() throws Exception {
    String token = client.session(user);
    client.put("/v1/cart/items/tea").token(token).json(ITEM).send(201);
    String then = client.get(path).send(200).json().path("changedAt").asText();
    awaitAfter(then);
    client.put("/v1/cart/items/cake").token(token).json(ITEM).send(201);

    assertThat(client.get(path + "?at=" + then).send(200).json().at("/cart/items")).hasSize(1);
    assertThat(client.get(path).send(200).json().at("/cart/items")).hasSize(2);
    assertThat(client.get(path + "?at=2026-01-01T00:00:00Z").send(404).problem())
        .isEqualTo("no-such-user");
    assertThat(client.get(path + "?at=yesterday").send(422).body()).contains("\"at\"");
  }

  @Test
  void refusesTimesThatAreNoneOrStillToCome() {
    client.session(user);
    for (String none : new String[] {"", "2026-03-01", "2026-03-01T09:30:00", "1772357400"}) {
      Received refused = client.get(path + "?at=" + none).send(422);
      assertThat(refused.problem()).isEqualTo("invalid-fields");
      assertThat(refused.body()).contains("\"at\"", "must be a time");
    }
    String tomorrow = Instant.now().plus(Duration.ofDays(1)).toString();
    for (String anybody : new String[] {path, path + "-nobody"}) {
      assertThat(client.get(anybody + "?at=" + tomorrow).send(422).body())
          .contains("\"at\"", "must not be in the future");
    }
    client.get(path + "?at=2026-01-01T00:00:00Z&at=2026-01-01T00:00:00Z").send(400);
    client.get(path + "?at=2026-01-01T00:00:00Z&before=1").send(400);
    // The zone is a part of a time: the plus sign has to be encoded.
    client.get(path + "?at=2026-01-01T00:00:00%2B01:00").send(404);
  }

  @Test
  void showsNothingOfTheTimeBeforeAnErasureAndWhoComesBackAsNew() throws Exception {
    client.session(user);
    String before = client.get(path).send(200).json().path("changedAt").asText();
    awaitAfter(before);
    String erasedAt = client.delete(path).send(200).json().path("erasedAt").asText();
    assertThat(client.get(path + "?at=" + before).send(410).problem()).isEqualTo("history-expired");
    assertThat(client.get(path + "?at=" + erasedAt).send(404).problem()).isEqualTo("no-such-user");

    awaitAfter(erasedAt);
    client.session(user);
    String after = client.get(path).send(200).json().path("changedAt").asText();
    assertThat(client.get(path + "?at=" + after).send(200).json().path("sessions")).hasSize(1);
    assertThat(client.get(path + "?at=" + erasedAt).send(404).problem()).isEqualTo("no-such-user");
    assertThat(client.get(path + "?at=" + before).send(410).problem()).isEqualTo("history-expired");
  }

  @Test
  void tellsTheHistoryInPages() {
    String token = client.session(user);
    for (int i = 0; i < 5; i++) {
      client.put("/v1/cart/items/tea-" + i).token(token).json(ITEM).send(201);
    }
    JsonNode first = client.get(path + "/history?limit=4").send(200).json();
    assertThat(first.path("events").findValuesAsText("number")).containsExactly("1", "2", "3", "4");
    assertThat(first.path("more").asBoolean()).isTrue();
    assertThat(first.at("/events/0/type").asText()).isEqualTo("session.opened.v1");
    assertThat(first.at("/events/0/data/user").asText()).isEqualTo(user);
    assertThat(first.at("/events/1/data/item/sku").asText()).isEqualTo("tea-0");
    assertThat(first.at("/events/1/by").asText()).isEqualTo(idOf(token));

    JsonNode rest = client.get(path + "/history?after=4").send(200).json();
    assertThat(rest.path("events").findValuesAsText("number")).containsExactly("5", "6");
    assertThat(rest.path("more").asBoolean()).isFalse();
    assertThat(client.get(path + "/history?after=6").send(200).json().path("events")).isEmpty();
    client.get(path + "/history?after=-1").send(422);
    client.get(path + "/history?after=1&after=2").send(400);
    client.get(path + "/history?before=1").send(400);
  }

  @Test
  void logsAUserOutEverywhereAndASecondTimeNot() {
    String phone = client.session(user);
    String desk = client.session(user);
    var ask = client.delete(path + "/sessions").key("out-" + user);

    assertThat(ask.send(200).json().path("ended").asInt()).isEqualTo(2);

    client.get("/v1/session").token(phone).send(401);
    client.get("/v1/session").token(desk).send(401);
    String later = client.session(user);
    Received again = ask.send(200);
    assertThat(again.json().path("ended").asInt()).isEqualTo(2);
    assertThat(again.header("Idempotent-Replayed")).isEqualTo("true");
    client.get("/v1/session").token(later).send(200);
  }

  @Test
  void endsOneSession() {
    String phone = client.session(user);
    String desk = client.session(user);
    client.delete(path + "/sessions/" + idOf(phone)).send(200);
    client.get("/v1/session").token(phone).send(401);
    client.get("/v1/session").token(desk).send(200);
    // An id of somebody else is not found here.
    String other = client.session(user + "-other");
    client.delete(path + "/sessions/" + idOf(other)).send(404);
    client.get("/v1/session").token(other).send(200);
  }

  @Test
  void erasesAUserWithAReceipt() {
    String token = client.session(user);
    client.put("/v1/cart/items/tea").token(token).json(ITEM).send(201);
    String before = client.get("/v1/admin/feed?limit=1000").send(200).body();
    assertThat(before).contains(TestNode.ofUser(user).toString());
    var ask = client.delete(path).key("erase-" + user);

    JsonNode receipt = ask.send(200).json();

    assertThat(receipt.path("owner").asText()).isEqualTo(TestNode.ofUser(user).toString());
    assertThat(receipt.path("revision").asLong()).isEqualTo(3);
    assertThat(receipt.path("sessionsEnded").asInt()).isEqualTo(1);
    client.get("/v1/session").token(token).send(401);
    client.get(path).send(404);
    JsonNode left = client.get(path + "/history").send(200).json().path("events");
    assertThat(left.findValuesAsText("type")).containsExactly("user.erased.v1");
    assertThat(left.toString()).doesNotContain(user).doesNotContain("tea");
    assertThat(client.get(path + "/history?after=0").send(410).problem())
        .isEqualTo("history-expired");
    for (JsonNode event : client.get("/v1/admin/feed?limit=1000").send(200).json().path("events")) {
      if (event.path("owner").asText().equals(TestNode.ofUser(user).toString())) {
        assertThat(event.path("type").asText()).isEqualTo("user.erased.v1");
      }
    }
    Received again = ask.send(200);
    assertThat(again.json()).isEqualTo(receipt);
    assertThat(again.header("Idempotent-Replayed")).isEqualTo("true");
  }

  @Test
  void notesWhoDidWhatToWhomAndNothingThatIsSecret() {
    var audit = (Logger) LoggerFactory.getLogger("holdfast.audit");
    var lines = new ListAppender<ILoggingEvent>();
    lines.start();
    audit.addAppender(lines);
    Level before = audit.getLevel();
    audit.setLevel(Level.INFO);
    try {
      String token = client.session(user);
      String id = idOf(token);
      client.get("/v1/admin/sessions/" + id).send(200);
      // Misplaced by whoever has it.
      client.get("/v1/admin/sessions/" + token).send(404);
      client.delete("/v1/admin/feed/consumers/" + token).send();
      assertThat(lines.list)
          .extracting(ILoggingEvent::getFormattedMessage)
          .anyMatch(line -> line.endsWith("on session " + id + ": 200"))
          .anyMatch(line -> line.endsWith("on no session: 404"))
          .noneMatch(line -> line.contains(token.substring(0, 50)));
      lines.list.clear();
      locked
          .delete(path + "/sessions")
          .header("Authorization", "Bearer " + TestNode.ADMIN_KEY)
          .send(200);
      locked.delete(path).header("Authorization", "Bearer " + TestNode.API_KEY).send(403);
      client.get(path + "-nobody").send(404);
    } finally {
      audit.detachAppender(lines);
      audit.setLevel(before);
    }
    String owner = TestNode.ofUser(user).toString();
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .anyMatch(line ->
            line.matches(
                "key [0-9a-f]{12} called DELETE /v1/admin/users/\\{user}/sessions on owner "
                    + owner
                    + ": 200"))
        .anyMatch(line -> line.startsWith("key unknown called DELETE") && line.endsWith(": 403"))
        .anyMatch(line -> line.startsWith("key anybody called GET") && line.endsWith(": 404"))
        .noneMatch(line -> line.contains(TestNode.ADMIN_KEY) || line.contains(user));
    assertThat(lines.list.getFirst().getKeyValuePairs())
        .extracting(pair -> pair.key)
        .containsExactly("who", "what", "whom", "status");
  }

  private static String idOf(String token) {
    return client.get("/v1/session").token(token).send(200).json().path("id").asText();
  }

  private static void awaitAfter(String moment) {
    await().until(() -> Instant.now().isAfter(Instant.parse(moment).plusMillis(2)));
  }
}
