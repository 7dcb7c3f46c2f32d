package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Outcome;
import dev.holdfast.drill.History.Refused;
import dev.holdfast.drill.History.Unknown;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.Shopper.How;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A journal that finds no room: the operating system refuses to let any file of the process grow
 * beyond a limit, as a full disk would.
 */
@Timeout(120)
class DiskFullIT {

  /** Room for the libraries that the program unpacks, and for some hundred large writes. */
  private static final long SMALL = 6 << 20;

  /** So much that the write-ahead log is moved into the journal once, and the next time cannot. */
  private static final long MEDIUM = 40 << 20;

  private static final String LARGE = "x".repeat(50_000);

  /** Writes of each shopper that fill even the larger one for certain. */
  private static final int ENOUGH = 500;

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  private final History history = new History();

  @SuppressWarnings("NullAway.Init") // set by each test
  private HoldfastProcess node;

  @SuppressWarnings("NullAway.Init") // set by each test
  private ApiClient api;

  @SuppressWarnings("NullAway.Init") // set by each test
  private List<Shopper> shoppers;

  private void fill(long limit) {
    node = program.start(Program.serving(dir.resolve("data")).filesUpTo(limit));
    api = new ApiClient(node.url());
    shoppers =
        IntStream.range(0, 8).mapToObj(i -> Shopper.visitor(api, history, "full-" + i)).toList();
    Crowd.each(
        shoppers,
        shopper -> {
          assertThat(shopper.open()).isInstanceOf(Acknowledged.class);
          Outcome outcome = shopper.add("tea", 2, How.keyed(shopper.name()));
          for (int i = 0; i < ENOUGH && outcome instanceof Acknowledged; i++) {
            String value = shopper.name() + "-" + i;
            outcome = shopper.putAttribute("note", value + LARGE, How.keyed(value));
          }
          // To the program the limit is an error of the disk, not a lack of room: of the batch that
          // met it in its commit nobody knows whether it is there. Of all others it is certain.
          if (outcome instanceof Unknown) {
            outcome = shopper.putAttribute("note", "again" + LARGE, How.plainly());
          }
          assertThat(outcome).isEqualTo(new Refused(503, "journal-unavailable"));
        });
    System.out.printf("full after %s%n", history);
  }

  @Test
  void refusesWritesAndGoesOnReadingAndLosesNothingWhileTheDiskIsFull() {
    fill(SMALL);
    Crowd.each(
        shoppers,
        shopper -> {
          // As large as one that may just not have fitted, and as small as can be.
          assertRefused(shopper.putAttribute("note", shopper.name() + LARGE, How.plainly()));
          assertRefused(shopper.add("tea", 1, How.plainly()));
          assertThat(shopper.look()).isNotNull();
          assertThat(shopper.lookAtCart()).isNotNull();
        });
    Answer refusal =
        api.ask(
            Call.of("PUT", "/v1/session/attributes/note")
                .json("1")
                .token(shoppers.getFirst().token()));
    assertThat(refusal.status()).isEqualTo(503);
    assertThat(refusal.problem()).isEqualTo("journal-unavailable");
    assertThat(refusal.header("Retry-After")).matches("[1-9][0-9]*");
    assertThat(api.ask(Call.of("POST", "/v1/sessions")).status()).isEqualTo(503);
    // Still sent requests: it answers reads.
    assertThat(api.ask(Call.get("/health/ready")).status()).isEqualTo(200);
    assertThat(api.ask(Call.get("/health/live")).status()).isEqualTo(200);
    // What was done before needs no room to be told again.
    Answer repeated =
        api.ask(
            Call.of("POST", "/v1/cart/items")
                .json(
                    "{\"sku\":\"add-tea\",\"quantity\":2,"
                        + "\"unitPrice\":{\"amount\":\"1.25\",\"currency\":\"EUR\"}}")
                .key(shoppers.getFirst().name())
                .token(shoppers.getFirst().token()));
    assertThat(repeated.status()).isEqualTo(200);
    assertThat(repeated.replayed()).isTrue();

    killAndGoOn();
  }

  @Test
  @Tag("nightly")
  void losesNothingWhenTheLogCannotBeMovedIntoTheJournal() {
    fill(MEDIUM);
    assertThat(node.err()).contains("could not be moved");

    killAndGoOn();
  }

  /** Needs {@code prlimit}, which Linux has, to give a running process more room. */
  @Test
  @Tag("nightly")
  void takesWritesAgainWhenThereIsRoomAgain() throws IOException, InterruptedException {
    fill(SMALL);
    Process lifting =
        new ProcessBuilder(
                "prlimit", "--pid", Long.toString(node.pid()), "--fsize=unlimited:unlimited")
            .inheritIO()
            .start();
    assertThat(lifting.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(lifting.exitValue()).isZero();

    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> api.ask(Call.of("POST", "/v1/sessions")).status() == 201);
    goOn();
  }

  private void killAndGoOn() {
    node.kill9();
    node = program.serve(dir.resolve("data"));
    api.moveTo(node.url());
    goOn();
  }

  private void goOn() {
    Crowd.each(shoppers, Shopper::look);
    Crowd.each(
        shoppers,
        shopper ->
            assertThat(shopper.putAttribute("note", "after " + shopper.name(), How.plainly()))
                .isInstanceOf(Acknowledged.class));
    Crowd.each(shoppers, Shopper::repeatAll);
    Crowd.each(shoppers, Shopper::look);
    assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
    assertThat(JournalFile.of(dir.resolve("data")).breaks()).isEmpty();
  }

  private static void assertRefused(Outcome outcome) {
    assertThat(outcome).isEqualTo(new Refused(503, "journal-unavailable"));
  }
}
