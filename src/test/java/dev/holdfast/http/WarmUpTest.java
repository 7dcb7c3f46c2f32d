package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.Practice;
import dev.holdfast.cluster.Users;
import dev.holdfast.entity.Answer;
import dev.holdfast.user.Reply;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a node is sent before it serves, and what that leaves behind. */
@Timeout(60)
final class WarmUpTest {

  private static final Duration LONG = Duration.ofSeconds(30);

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

  @Test
  void visitsUsersToPractiseOnAndHasNothingJournaled() throws Exception {
    var client = node.serve();
    long asked = node.users().asked();
    long written = node.eventsWritten();
    long started = node.actorsStarted();
    var practised = new AtomicInteger();
    Queue<Answer> refused = new ConcurrentLinkedQueue<>();
    try (Practice practice = node.practice()) {
      Users users =
          (owner, command, timeoutMillis) -> {
            Answer answer = practice.ask(owner, command, timeoutMillis);
            practised.incrementAndGet();
            if (!(answer instanceof Answer.Answered(Reply reply, String _))
                || reply instanceof Reply.Refused) {
              refused.add(answer);
            }
            return answer;
          };
      WarmUp.run(TestNode.settings(), node.users(), users, LONG);
    }
    assertThat(refused).isEmpty();
    assertThat(practised.get()).isGreaterThan(3_000);
    assertThat(node.users().asked() - asked).as("of strangers").isGreaterThan(900);
    assertThat(node.eventsWritten()).isEqualTo(written);
    assertThat(node.actorsStarted()).isEqualTo(started);
    assertThat(client.get("/metrics").send().body()).doesNotContain("/v1/cart/items");
  }

  @Test
  void goesOnNoLongerThanItMayThoughNobodyAnswers() {
    var never = new CountDownLatch(1);
    var asked = new AtomicInteger();
    Users silent =
        (_, _, _) -> {
          asked.incrementAndGet();
          try {
            never.await();
          } catch (InterruptedException cut) {
            Thread.currentThread().interrupt();
          }
          return new Answer.Unknown();
        };
    WarmUp.run(TestNode.settings(), silent, silent, Duration.ofMillis(300));
    assertThat(asked.get()).isBetween(1, 4);
  }

  @Test
  void letsInNobodyWhoDoesNotKnowItsKeys() throws Exception {
    var tokens =
        new SessionTokens(
            List.of(
                SessionTokens.Key.of(
                    7, "known to nobody, and of some length".getBytes(StandardCharsets.UTF_8))));
    String visitor = node.serve().visitor();
    try (var listener = WarmUp.listen(TestNode.settings(), node.users(), tokens, "its own")) {
      var client = new Client(listener.port());
      assertThat(client.post("/v1/sessions").send().problem()).isEqualTo("api-key-invalid");
      assertThat(
              client
                  .post("/v1/sessions")
                  .header("Authorization", "Bearer another")
                  .send()
                  .problem())
          .isEqualTo("api-key-invalid");
      assertThat(
              client
                  .get("/v1/session")
                  .header("Authorization", "Bearer its own")
                  .token(visitor)
                  .send()
                  .problem())
          .isEqualTo("session-invalid");
      assertThat(
              client
                  .get("/v1/admin/nodes")
                  .header("Authorization", "Bearer its own")
                  .send()
                  .status())
          .isEqualTo(404);
    }
  }
}
