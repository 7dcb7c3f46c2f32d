package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.feed.Cursor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reading the feed as a consumer does. */
@Timeout(60)
class FeedTest {

  private static final String FEED = "/v1/admin/feed";
  private static final AtomicInteger NUMBER = new AtomicInteger();

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;

  private final String consumer = "consumer-" + NUMBER.incrementAndGet();

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
  void tellsEveryEventOnceInTheOrderOfEachUser() {
    String begin = end();
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      tokens.add(client.session("reader-" + NUMBER.incrementAndGet()));
    }
    for (int i = 0; i < 20; i++) {
      client
          .put("/v1/session/attributes/n")
          .token(tokens.get(i % 5))
          .json(Integer.toString(i))
          .send();
    }

    List<JsonNode> events = new ArrayList<>();
    String cursor = begin;
    boolean more = true;
    while (more) {
      JsonNode page = client.get(FEED + "?limit=3&after=" + cursor).send(200).json();
      page.path("events").forEach(events::add);
      cursor = page.path("next").asText();
      more = page.path("more").asBoolean();
    }

    assertThat(events).hasSize(25);
    var ids = new HashSet<String>();
    var numbers = new HashMap<String, Long>();
    for (JsonNode event : events) {
      assertThat(ids.add(event.path("id").asText())).isTrue();
      String owner = event.path("owner").asText();
      assertThat(event.path("number").asLong()).isEqualTo(numbers.getOrDefault(owner, 0L) + 1);
      numbers.put(owner, event.path("number").asLong());
    }
    // Any event's own cursor leads to the one after it.
    JsonNode third =
        client
            .get(FEED + "?limit=1&after=" + events.get(1).path("cursor").asText())
            .send(200)
            .json();
    assertThat(third.at("/events/0")).isEqualTo(events.get(2));
  }

  @Test
  void waitsForTheNextEvent() {
    String begin = end();
    var waiting =
        CompletableFuture.supplyAsync(
            () -> client.get(FEED + "?wait=PT20S&after=" + begin).send(200).json());
    await().during(Duration.ofMillis(200)).until(() -> !waiting.isDone());

    client.session("late-" + NUMBER.incrementAndGet());

    JsonNode page = waiting.orTimeout(5, TimeUnit.SECONDS).join();
    assertThat(page.at("/events/0/type").asText()).isEqualTo("session.opened.v1");
  }

  @Test
  void saysThatThereIsNothingWhenTheWaitIsOver() {
    String begin = end();
    JsonNode page = client.get(FEED + "?wait=PT1S&after=" + begin).send(200).json();
    assertThat(page.path("events")).isEmpty();
    assertThat(page.path("next").asText()).isEqualTo(begin);
    assertThat(page.path("more").asBoolean()).isFalse();
  }

  @Test
  void letsANamedConsumerGoOnWhereItWas() {
    String begin = end();
    client.session("named-" + NUMBER.incrementAndGet());
    client.get(FEED + "?limit=1000&consumer=" + consumer + "&after=" + begin).send(200);

    // It comes back without its cursor: what it has not said to have read is told again.
    JsonNode again = client.get(FEED + "?consumer=" + consumer).send(200).json();
    assertThat(again.path("events")).hasSize(1);
    String next = again.path("next").asText();
    client.get(FEED + "?consumer=" + consumer + "&after=" + next).send(200);

    await()
        .untilAsserted(() -> {
          client.get(FEED + "?consumer=" + consumer + "&after=" + next).send(200);
          assertThat(listed(consumer).path("cursor").asText()).isEqualTo(next);
          assertThat(listed(consumer).path("waitingSince").isNull()).isTrue();
        });
    client.delete(FEED + "/consumers/" + consumer).send(204);
    assertThat(client.get(FEED + "/consumers").send(200).json().findValuesAsText("name"))
        .doesNotContain(consumer);
  }

  @Test
  void refusesACursorOfAnotherJournalAndOneThatIsAhead() {
    String own = end();
    var cursor = Cursor.parse(own);
    var foreign = new Cursor("f".repeat(32), 1);
    var ahead = new Cursor(cursor.journal(), cursor.position() + 1_000_000);
    assertThat(client.get(FEED + "?after=" + foreign).send(410).problem())
        .isEqualTo("cursor-foreign");
    assertThat(client.get(FEED + "?after=" + ahead).send(410).problem())
        .isEqualTo("cursor-foreign");
    client.get(FEED + "?after=nonsense").send(422);
    client.get(FEED + "?consumer=a%20b").send(422);
    client.get(FEED + "?wait=PT31S").send(422);
    client.get(FEED + "?wait=1").send(422);
  }

  @Test
  void letsAConsumerBeginAnewWhoseCursorWasRefused() {
    String begin = end();
    client.get(FEED + "?consumer=" + consumer + "&after=" + begin).send(200);
    var cursor = Cursor.parse(begin);
    var ahead = new Cursor(cursor.journal(), cursor.position() + 1_000_000);

    assertThat(client.get(FEED + "?consumer=" + consumer + "&after=" + ahead).send(410).problem())
        .isEqualTo("cursor-foreign");

    assertThat(listed(consumer).path("cursor").asText())
        .as("what is refused changes nothing")
        .isEqualTo(begin);
    client.session("anew-" + NUMBER.incrementAndGet());
    JsonNode anew = client.get(FEED + "?consumer=" + consumer).send(200).json();
    assertThat(anew.path("events")).hasSize(1);
  }

  @Test
  void refusesPreconditionsThatMeanNothing() {
    String begin = end();
    client.get(FEED + "?consumer=" + consumer + "&after=" + begin).send(200);
    client.get(FEED).header("If-None-Match", "\"1\"").send(400);
    client.delete(FEED + "/consumers/" + consumer).header("If-Match", "\"0\"").send(400);
    assertThat(listed(consumer).path("cursor").asText()).isEqualTo(begin);
  }

  /** {@return the cursor behind all events} */
  private static String end() {
    JsonNode page = client.get(FEED + "?limit=1000").send(200).json();
    while (page.path("more").asBoolean()) {
      page = client.get(FEED + "?limit=1000&after=" + page.path("next").asText()).send(200).json();
    }
    return page.path("next").asText();
  }

  private static JsonNode listed(String name) {
    for (JsonNode each : client.get(FEED + "/consumers").send(200).json().path("consumers")) {
      if (each.path("name").asText().equals(name)) {
        return each;
      }
    }
    throw new AssertionError("no consumer " + name);
  }
}
