package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.Shopper.How;
import dev.holdfast.drill.ShoppingLoad;
import dev.holdfast.drill.Violation;
import dev.holdfast.faults.Program.Launch;
import dev.holdfast.journal.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * A node on PostgreSQL while 64 writers and some visitors are at it: now the node is killed, now
 * the database. What was acknowledged is there, what was refused is not, and what is unknown is
 * there wholly or not at all.
 */
@Isolated("what callers wait for is not to be that other tests run")
class PostgresFaultsIT {

  private static final int WRITERS = 64;
  private static final int VISITORS = 8;

  @RegisterExtension private final Program program = Program.forEachTest();
  private final HttpClient client = HttpClient.newHttpClient();

  @TempDir private Path dir;

  private final long seed = Seed.ofThisRun();
  private final Random random = new Random(seed);
  private final History history = new History();
  private final List<Shopper> shoppers = new ArrayList<>();

  @SuppressWarnings("NullAway.Init") // set before each test
  private PostgresServer database;

  @BeforeEach
  void startDatabase() throws IOException {
    database = PostgresServer.start(dir.resolve("database"));
  }

  @AfterEach
  void stopDatabase() throws IOException {
    database.close();
  }

  @Test
  @Timeout(240)
  void keepsItsWordThroughKillsOfTheNode() {
    killNode(2);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void keepsItsWordThroughTwentyKillsOfTheNode() {
    killNode(20);
  }

  private void killNode(int kills) {
    HoldfastProcess node = serve();
    var api = new ApiClient(node.url());
    for (int kill = 1; kill <= kills; kill++) {
      ShoppingLoad load = startLoad(api, "kill-" + kill);
      awaitAcknowledged(300 + random.nextInt(3_000));
      node.kill9();
      load.join();

      node = serve();
      api.moveTo(node.url());
      judge(load, "kill " + kill);
    }
  }

  @Test
  void waitsForADatabaseThatIsNotThereYet() throws IOException {
    database.kill();
    HoldfastProcess node =
        program.start(
            Launch.of("serve", "--port", "0", "--data", dir.resolve("data").toString())
                .with(Map.of("HOLDFAST_POSTGRES", database.url())));
    await().until(() -> node.err().contains("waiting for it"));
    database.start();
    node.awaitReady();
  }

  @Test
  @Timeout(240)
  void keepsItsWordThroughKillsOfTheDatabase() throws IOException {
    killDatabase(2);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void keepsItsWordThroughTwentyKillsOfTheDatabase() throws IOException {
    killDatabase(20);
  }

  private void killDatabase(int kills) throws IOException {
    HoldfastProcess node = serve();
    var api = new ApiClient(node.url());
    Shopper idle = Shopper.visitor(api, history, "idle");
    assertThat(idle.open()).isInstanceOf(Acknowledged.class);
    shoppers.add(idle);
    for (int kill = 1; kill <= kills; kill++) {
      ShoppingLoad load = startLoad(api, "kill-" + kill);
      awaitAcknowledged(300 + random.nextInt(3_000));
      database.kill();
      await().until(() -> !takesWrites(node));

      assertThat(api.ask(Call.get("/health/live")).status()).isEqualTo(200);
      assertThat(api.ask(Call.get("/health/ready")).status()).isEqualTo(200);
      assertThat(idle.look()).as("a user in memory").isNotNull();
      assertThat(api.ask(Call.of("POST", "/v1/sessions")).status()).isIn(503, 504);

      CompletableFuture<Long> accepting = CompletableFuture.supplyAsync(this::whenAccepting);
      database.start();
      await().pollInterval(Duration.ofMillis(5)).until(() -> takesWrites(node));
      System.out.printf(
          "kill %d: ready %d ms after the database took connections%n",
          kill, Math.max(0, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - accepting.join())));
      assertThat(idle.add("tea", 1, How.keyed("after-" + kill))).isInstanceOf(Acknowledged.class);
      load.stop().join();
      judge(load, "kill " + kill);
    }
  }

  // ---------------------------------------------------------------------------------------------

  private boolean takesWrites(HoldfastProcess node) {
    try {
      return client
          .send(
              HttpRequest.newBuilder(node.url().resolve("/metrics")).build(),
              BodyHandlers.ofString())
          .body()
          .contains("\nholdfast_journal_available 1");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** When the database first takes a connection: nanoseconds of {@link System#nanoTime}. */
  private long whenAccepting() {
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(5))
        .ignoreExceptions()
        .until(() -> {
          DriverManager.getConnection(database.url()).close();
          return true;
        });
    return System.nanoTime();
  }

  private HoldfastProcess serve() {
    // A cluster that was killed counts as gone after five seconds of silence.
    return program
        .start(
            Launch.of("serve", "--port", "0", "--data", dir.resolve("data").toString())
                .with(Map.of("HOLDFAST_POSTGRES", database.url())))
        .awaitReady();
  }

  private ShoppingLoad startLoad(ApiClient api, String name) {
    return new ShoppingLoad(api, history, name, random.nextLong()).start(WRITERS, VISITORS);
  }

  private void awaitAcknowledged(int more) {
    long moment = history.acknowledged() + more;
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(2))
        .until(() -> history.acknowledged() >= moment);
  }

  private void judge(ShoppingLoad load, String when) {
    Crowd.each(load.shoppers(), PostgresFaultsIT::look);
    Crowd.each(load.shoppers(), Shopper::repeatAll);
    shoppers.addAll(load.shoppers());
    Crowd.each(shoppers, PostgresFaultsIT::look);
    Crowd.each(shoppers, Shopper::tryDeadTokens);

    JournalFile journal = JournalFile.inPostgres(database.url());
    history.onRecord(journal.orders());
    System.out.printf("%s: %d events, %s%n", when, journal.size(), history);
    List<Violation> violations = HistoryChecker.check(history).stream().limit(5).toList();
    assertThat(violations)
        .as(() ->
            shoppers.stream()
                .filter(shopper -> violations.toString().contains(shopper.name() + ":"))
                .map(Shopper::account)
                .collect(Collectors.joining("", "seed " + seed + "\n", "")))
        .isEmpty();
    assertThat(journal.breaks()).isEmpty();
  }

  private static void look(Shopper shopper) {
    shopper.look();
    shopper.lookAtCart();
  }
}
