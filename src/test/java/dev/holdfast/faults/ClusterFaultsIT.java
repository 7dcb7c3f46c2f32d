package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.Tally;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.ShoppingLoad;
import dev.holdfast.drill.Violation;
import dev.holdfast.faults.Program.Launch;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresServer;
import dev.holdfast.journal.PostgresStore;
import dev.holdfast.journal.Signals;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Three nodes on PostgreSQL under a steady load that enters at all of them: nodes leave, come, and
 * are killed, one or all.
 */
@Isolated("what callers wait for is not to be that other tests run")
class ClusterFaultsIT {

  private static final int WRITERS = 12;
  private static final int VISITORS = 4;
  private static final int REQUESTS_A_SECOND = 150;

  /**
   * Far above what a machine needs that is not busy: here a JVM starts beside the load, on as many
   * processors as there are. What it was is printed.
   */
  private static final Duration SLOWEST = Duration.ofSeconds(5);

  private static final String KEY = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  private final long seed = Seed.ofThisRun();
  private final Random random = new Random(seed);
  private final History history = new History();
  private final List<Shopper> shoppers = new ArrayList<>();
  private final Front front = new Front(REQUESTS_A_SECOND);
  private final ApiClient api = new ApiClient(front);

  @SuppressWarnings("NullAway.Init") // set before each test
  private PostgresServer database;

  private int names;

  @BeforeEach
  void startDatabase() throws IOException {
    database = PostgresServer.start(dir.resolve("database"));
  }

  @AfterEach
  void stopDatabase() throws IOException {
    front.close();
    database.close();
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void restartsAllNodesOneAfterTheOtherWithoutAFailedRequest() {
    List<HoldfastProcess> nodes = start(3);
    ShoppingLoad load = startLoad("rolling");
    awaitAcknowledged(500);
    api.tally();
    for (HoldfastProcess node : nodes) {
      leaves(node);
      start(1);
      awaitAcknowledged(200);
    }
    load.stop().join();
    judgeTally("rolling restart");
    judge(load);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void growsAndShrinksAndLetsTwoLeaveAtOnceWithoutAFailedRequest() {
    start(3);
    ShoppingLoad load = startLoad("scale");
    awaitAcknowledged(500);
    api.tally();

    List<HoldfastProcess> more = start(2);
    long began = System.nanoTime();
    awaitBalance(5);
    System.out.printf("3 to 5 nodes: balanced after %d ms more%n", millisSince(began));
    awaitAcknowledged(300);
    judgeTally("scale-out");

    more.forEach(HoldfastProcess::signalTermination);
    for (HoldfastProcess node : more) {
      assertThat(node.awaitEnd().status()).isZero();
      front.remove(node.url());
    }
    awaitAcknowledged(300);
    load.stop().join();
    judgeTally("two leave at once");
    judge(load);
  }

  @Test
  @Timeout(180)
  void takesTheUsersOfAKilledNodeOverAndLosesNothing() {
    killOne(1);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void takesTheUsersOfTenKilledNodesOver() {
    killOne(10);
  }

  private void killOne(int kills) {
    List<HoldfastProcess> nodes = new ArrayList<>(start(3));
    for (int kill = 1; kill <= kills; kill++) {
      ShoppingLoad load = startLoad("kill-" + kill);
      awaitAcknowledged(500);
      api.tally();
      HoldfastProcess victim = nodes.remove(random.nextInt(nodes.size()));
      long began = System.nanoTime();
      victim.kill9();
      front.remove(victim.url());
      awaitAcknowledged(500);
      load.stop().join();
      Tally tally = api.tally();
      System.out.printf(
          "kill %d: over after %d ms; slowest answer %d ms; %d of %d requests failed: %s%n",
          kill,
          millisSince(began),
          tally.slowest().toMillis(),
          tally.failed().size(),
          tally.sent(),
          tally.failed().stream().limit(3).toList());
      assertThat(tally.slowest()).isLessThan(Duration.ofSeconds(15));
      assertThat(nodes).allMatch(HoldfastProcess::isAlive);
      judge(load);
      nodes.addAll(start(1));
    }
  }

  @Test
  @Timeout(180)
  void losesNothingWhenAllNodesAreKilledAndEndsThemWhenAnotherClusterClaims() {
    List<HoldfastProcess> nodes = start(3);
    ShoppingLoad load = startLoad("all");
    awaitAcknowledged(500);
    nodes.forEach(HoldfastProcess::kill9);
    nodes.forEach(node -> front.remove(node.url()));
    long began = System.nanoTime();

    List<HoldfastProcess> again = IntStream.range(0, 3).mapToObj(_ -> launch()).toList();
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> again.stream().anyMatch(node -> node.out().contains("ready ")));
    System.out.printf("all killed: the first is ready after %d ms%n", millisSince(began));
    again.forEach(node -> front.add(node.url()));
    load.stop().join();
    awaitBalance(3);
    judge(load);

    endsWhenAnotherClusterClaimsItsJournal(again);
  }

  /** It cannot know that it is not the one which is cut off. */
  @Test
  @Tag("nightly")
  @Timeout(180)
  void endsTheOneThatIsLeftOfThreeAndLosesNothing() {
    List<HoldfastProcess> nodes = new ArrayList<>(start(3));
    ShoppingLoad load = startLoad("two-of-three");
    awaitAcknowledged(500);
    HoldfastProcess left = nodes.remove(random.nextInt(nodes.size()));
    long began = System.nanoTime();
    nodes.forEach(HoldfastProcess::kill9);
    nodes.forEach(node -> front.remove(node.url()));

    assertThat(left.awaitEnd().status()).as(left::err).isEqualTo(1);
    System.out.printf("two of three killed: the third ended after %d ms%n", millisSince(began));
    front.remove(left.url());
    start(1);
    System.out.printf("started again, ready after %d ms%n", millisSince(began));
    awaitAcknowledged(300);
    load.stop().join();
    judge(load);
  }

  @Test
  @Tag("nightly")
  @Timeout(180)
  void goesOnWithOneOfTwoWhileTheOtherHangsAndEndsThatOneWhenItWakes() throws Exception {
    List<HoldfastProcess> nodes = new ArrayList<>(start(2));
    awaitBalance(2);
    ShoppingLoad load = startLoad("one-of-two");
    awaitAcknowledged(500);
    HoldfastProcess hung = nodes.remove(random.nextInt(nodes.size()));
    long began = System.nanoTime();
    Signals.freeze(hung.pid());
    front.remove(hung.url());

    awaitBalance(1);
    System.out.printf("one of two hangs: the other has all after %d ms%n", millisSince(began));
    awaitAcknowledged(300);
    Signals.thaw(hung.pid());
    assertThat(hung.awaitEnd().status()).as(hung::err).isEqualTo(1);
    assertThat(nodes).allMatch(HoldfastProcess::isAlive);
    awaitAcknowledged(100);
    load.stop().join();
    judge(load);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void makesOneClusterOfFiveNodesThatStartAtOnceTwentyTimes() {
    for (int round = 1; round <= 20; round++) {
      List<HoldfastProcess> nodes = start(5);
      awaitBalance(5);
      nodes.forEach(HoldfastProcess::kill9);
      nodes.forEach(node -> front.remove(node.url()));
    }
  }

  /** Whoever claims by force fences every node of the cluster before. */
  private void endsWhenAnotherClusterClaimsItsJournal(List<HoldfastProcess> nodes) {
    try (PostgresStore store =
        PostgresStore.open(new PostgresOptions(database.url(), "holdfast", 1, 1))) {
      assertThat(
              store
                  .nodes()
                  .claim(NodeId.random(), store.nodes().incarnation().number(), Duration.ZERO))
          .isNotNull();
      for (HoldfastProcess node : nodes) {
        front.remove(node.url());
        assertThat(node.awaitEnd().status()).isEqualTo(1);
      }
    } catch (JournalUnusable e) {
      throw new IllegalStateException(e);
    }
  }

  // ---------------------------------------------------------------------------------------------

  private List<HoldfastProcess> start(int count) {
    List<HoldfastProcess> started = IntStream.range(0, count).mapToObj(_ -> launch()).toList();
    started.forEach(node -> front.add(node.url()));
    return started;
  }

  private HoldfastProcess launch() {
    String name = "node-" + ++names;
    return program.start(
        Launch.of("serve", "--port", "0", "--node", name, "--data", dir.resolve(name).toString())
            .with(
                Map.of(
                    "HOLDFAST_POSTGRES",
                    database.url(),
                    "HOLDFAST_TOKEN_KEYS",
                    KEY,
                    // Visitors go on logging in as the same few users: no session ends for another.
                    "HOLDFAST_LIMITS_SESSIONS",
                    "1000")));
  }

  private void leaves(HoldfastProcess node) {
    long began = System.nanoTime();
    assertThat(node.terminate().status()).as(node::err).isZero();
    System.out.printf("%s left within %d ms%n", node, millisSince(began));
    front.remove(node.url());
  }

  private void awaitBalance(int nodes) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> {
          List<Integer> shards = new ArrayList<>();
          api.ask(Call.get("/v1/admin/cluster"))
              .body()
              .path("nodes")
              .forEach(node -> shards.add(node.path("shards").asInt()));
          assertThat(shards).hasSize(nodes);
          int mean = shards.stream().mapToInt(Integer::intValue).sum() / nodes;
          assertThat(mean).isPositive();
          assertThat(shards).allSatisfy(n -> assertThat(n).isBetween(mean * 4 / 5, mean * 6 / 5));
        });
  }

  private ShoppingLoad startLoad(String name) {
    return new ShoppingLoad(api, history, name, random.nextLong()).start(WRITERS, VISITORS);
  }

  private void awaitAcknowledged(int more) {
    long moment = history.acknowledged() + more;
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(2))
        .until(() -> history.acknowledged() >= moment);
  }

  private void judgeTally(String when) {
    Tally tally = api.tally();
    System.out.printf(
        "%s: %d requests, the slowest answer took %d ms, failed: %s%n",
        when, tally.sent(), tally.slowest().toMillis(), tally.failed());
    assertThat(tally.failed()).isEmpty();
    assertThat(tally.slowest()).isLessThan(SLOWEST);
  }

  private void judge(ShoppingLoad load) {
    Crowd.each(load.shoppers(), ClusterFaultsIT::look);
    Crowd.each(load.shoppers(), Shopper::repeatAll);
    shoppers.addAll(load.shoppers());
    Crowd.each(shoppers, ClusterFaultsIT::look);
    JournalFile journal = JournalFile.inPostgres(database.url());
    history.onRecord(journal.orders());
    System.out.printf("%d events, %s%n", journal.size(), history);
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

  private static long millisSince(long began) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
  }
}
