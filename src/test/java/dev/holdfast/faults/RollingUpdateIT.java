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
import dev.holdfast.faults.Program.Launch;
import dev.holdfast.journal.PostgresServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two builds in one cluster under load: this one, and {@link EarlierBuild}, which does not know the
 * newest kinds of events. Forward, back, and forward again for good.
 */
class RollingUpdateIT {

  private static final int REQUESTS_A_SECOND = 150;
  private static final Duration SLOWEST = Duration.ofSeconds(8);
  private static final String KEY = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
  private static final String NEW_KIND = "session.ended-by-administrator.v1";

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  private final History history = new History();
  private final Front front = new Front(REQUESTS_A_SECOND);
  private final ApiClient api = new ApiClient(front);

  @SuppressWarnings("NullAway.Init") // set before the test
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
  @Timeout(600)
  void goesForwardAndBackUnderLoadAndWritesNewKindsOnlyWhenAllKnowThem() throws Exception {
    Path earlier = EarlierBuild.make(dir.resolve("earlier"));
    List<HoldfastProcess> nodes =
        new ArrayList<>(List.of(launch(earlier, null), launch(earlier, null)));
    nodes.forEach(node -> front.add(node.url()));
    ShoppingLoad load = new ShoppingLoad(api, history, "update", Seed.ofThisRun()).start(6, 2);
    awaitAcknowledged(200);
    api.tally();

    // Forward, with the way back kept open: then new kinds are not written, though all know them.
    replace(nodes, null, 1);
    endsSessionsOf("during");
    replace(nodes, null, 1);
    endsSessionsOf("pinned");
    assertThat(kinds("during")).doesNotContain(NEW_KIND);
    assertThat(kinds("pinned")).doesNotContain(NEW_KIND);

    // Back. Every user can be read there.
    replace(nodes, earlier, null);
    replace(nodes, earlier, null);
    assertThat(look("pinned")).isEqualTo(200);

    // Forward for good: new kinds as soon as the last of the earlier build is gone, not before.
    replace(nodes, null, null);
    endsSessionsOf("mixed");
    assertThat(kinds("mixed")).doesNotContain(NEW_KIND);
    replace(nodes, null, null);
    awaitNewKinds(nodes);

    // What does not know them is not let in any more.
    HoldfastProcess late = start(earlier, null);
    HoldfastProcess.Ended ended = late.awaitEnd();
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err()).contains("written by a later version");

    load.stop().join();
    Tally tally = api.tally();
    System.out.printf(
        "forward, back and forward: %d requests, the slowest answer took %d ms, failed: %s%n",
        tally.sent(), tally.slowest().toMillis(), tally.failed());
    assertThat(tally.failed()).isEmpty();
    assertThat(tally.slowest()).isLessThan(SLOWEST);
    Crowd.each(load.shoppers(), RollingUpdateIT::look);
    Crowd.each(load.shoppers(), Shopper::repeatAll);
    Crowd.each(load.shoppers(), RollingUpdateIT::look);
    JournalFile journal = JournalFile.inPostgres(database.url());
    history.onRecord(journal.orders());
    assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
    assertThat(journal.breaks()).isEmpty();
  }

  private void awaitNewKinds(List<HoldfastProcess> nodes) {
    int[] number = {0};
    try {
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> {
            String user = "after-" + ++number[0];
            endsSessionsOf(user);
            return kinds(user).contains(NEW_KIND);
          });
    } catch (ConditionTimeoutException late) {
      var said = new StringBuilder("asked for " + number[0] + " users; the cluster is ");
      said.append(api.ask(Call.get("/v1/admin/cluster")).body());
      nodes.forEach(node -> said.append('\n').append(node.err()));
      throw new AssertionError(said.toString(), late);
    }
  }

  /** One node of the other build comes, then the oldest one leaves. */
  private void replace(List<HoldfastProcess> nodes, @Nullable Path build, @Nullable Integer form) {
    HoldfastProcess next = launch(build, form);
    front.add(next.url());
    nodes.add(next);
    HoldfastProcess leaving = nodes.removeFirst();
    assertThat(leaving.terminate().status()).as(leaving::err).isZero();
    front.remove(leaving.url());
    awaitAcknowledged(50);
  }

  private HoldfastProcess launch(@Nullable Path build, @Nullable Integer form) {
    return start(build, form).awaitReady();
  }

  private HoldfastProcess start(@Nullable Path build, @Nullable Integer form) {
    String name = "node-" + ++names;
    var environment = new TreeMap<>(Map.of("HOLDFAST_POSTGRES", database.url()));
    environment.put("HOLDFAST_TOKEN_KEYS", KEY);
    environment.put("HOLDFAST_LIMITS_SESSIONS", "1000");
    if (form != null) {
      environment.put("HOLDFAST_CLUSTER_EVENT_FORM", form.toString());
    }
    Launch launch =
        Launch.of("serve", "--port", "0", "--node", name, "--data", dir.resolve(name).toString())
            .with(environment);
    return program.start(build == null ? launch : launch.before(build));
  }

  private void awaitAcknowledged(int more) {
    long moment = history.acknowledged() + more;
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> history.acknowledged() >= moment);
  }

  private void endsSessionsOf(String user) {
    assertThat(
            api.ask(Call.of("POST", "/v1/sessions").json("{\"user\":\"" + user + "\"}")).status())
        .isEqualTo(201);
    assertThat(api.ask(Call.of("DELETE", "/v1/admin/users/" + user + "/sessions")).status())
        .isEqualTo(200);
  }

  private List<String> kinds(String user) {
    var kinds = new ArrayList<String>();
    api.ask(Call.get("/v1/admin/users/" + user + "/history"))
        .body()
        .path("events")
        .forEach(event -> kinds.add(event.path("type").asText()));
    assertThat(kinds).isNotEmpty();
    return kinds;
  }

  private int look(String user) {
    return api.ask(Call.get("/v1/admin/users/" + user)).status();
  }

  private static void look(Shopper shopper) {
    shopper.look();
    shopper.lookAtCart();
  }
}
