package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.faults.HoldfastProcess.Ended;
import dev.holdfast.faults.Program.Launch;
import dev.holdfast.journal.PostgresServer;
import dev.holdfast.journal.Signals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** {@code up} as processes: it starts nodes, starts them again, and leaves none behind. */
@Timeout(180)
@Execution(ExecutionMode.CONCURRENT)
class UpIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Pattern STARTED =
      Pattern.compile("(node-\\d+)  pid (\\d+)  (http://127\\.0\\.0\\.1:\\d+)");

  @RegisterExtension private final Program program = Program.forEachTest();

  @RegisterExtension
  private final AfterTestExecutionCallback logs =
      context -> {
        if (context.getExecutionException().isPresent()) {
          showLogs();
        }
      };

  @TempDir private Path dir;

  /** A process of a node, as {@code up} tells of it. */
  private record Node(String name, long pid, String http) {}

  @Test
  void runsNodesBehindOneAddressAndEndsThemAll() throws Exception {
    HoldfastProcess up = program.start(up()).awaitReady();
    Node node = nodes(up).getFirst();
    assertThat(up.out().lines())
        .containsExactly(
            node.name() + "  pid " + node.pid() + "  " + node.http(),
            "journal  " + dir.resolve("data"),
            "node-1  pid " + node.pid() + "  is ready",
            "ready " + up.url());
    assertThat(node.http()).isNotEqualTo(up.url().toString());
    var opened = new ApiClient(up.url()).ask(Call.of("POST", "/v1/sessions"));
    assertThat(opened.status()).isEqualTo(201);
    Path log = dir.resolve("data/logs/node-1.log");
    assertThat(log).content().contains("ready " + node.http());
    assertThat(Files.getPosixFilePermissions(log))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));

    Ended ended = up.terminate();

    assertThat(ended.status()).isZero();
    assertThat(ended.out()).hasLineCount(4);
    assertThat(ended.err()).isEmpty();
    assertThat(isAlive(node)).isFalse();
  }

  @Test
  void startsANodeAgainThatWasKilledWithItsNameAndItsAddress() throws Exception {
    HoldfastProcess up = program.start(up()).awaitReady();
    Node first = nodes(up).getFirst();
    var api = new ApiClient(up.url());
    String token = api.ask(Call.of("POST", "/v1/sessions")).body().path("token").asText();

    kill9(first);

    await().atMost(PATIENCE).until(() -> nodes(up).size() == 2);
    Node second = nodes(up).getLast();
    assertThat(second.name()).isEqualTo(first.name());
    assertThat(second.http()).isEqualTo(first.http());
    assertThat(second.pid()).isNotEqualTo(first.pid());
    await().atMost(PATIENCE).until(() -> says(up, second, "is ready"));
    assertThat(says(up, first, "ended: SIGKILL, starts again in 200 ms")).isTrue();
    assertThat(api.ask(Call.get("/v1/session").token(token)).status()).isEqualTo(200);
  }

  @Test
  @Tag("nightly")
  void leavesANodeDownIfToldTo() throws Exception {
    HoldfastProcess up = program.start(up().and("--no-restart")).awaitReady();
    Node node = nodes(up).getFirst();
    kill9(node);
    await().atMost(PATIENCE).until(() -> says(up, node, "ended: SIGKILL"));
    var answer = new ApiClient(up.url()).ask(Call.of("POST", "/v1/sessions"));
    assertThat(answer.status()).isEqualTo(503);
    assertThat(nodes(up)).hasSize(1);
    assertThat(up.terminate().status()).isZero();
  }

  @Test
  @Tag("nightly")
  void leavesNothingBehindWhenItIsKilled() throws Exception {
    HoldfastProcess up = program.start(up()).awaitReady();
    Node node = nodes(up).getFirst();
    up.kill9();
    await().atMost(PATIENCE).until(() -> !isAlive(node));
    assertThat(program.start(up()).awaitReady().terminate().status()).isZero();
  }

  @Test
  @Tag("nightly")
  void refusesAFolderThatAnotherOneHolds() {
    HoldfastProcess first = program.start(up()).awaitReady();
    Ended second = program.run(up());
    assertThat(second.status()).isEqualTo(1);
    assertThat(second.out()).isEmpty();
    assertThat(second.err())
        .hasLineCount(1)
        .startsWith("holdfast: the data folder " + dir.resolve("data"))
        .contains("process " + first.pid());
  }

  @Test
  @Tag("nightly")
  void givesUpWhenANodeDoesNotStartAndSaysWhy() {
    HoldfastProcess serve = program.serve(dir.resolve("data"));
    Ended ended = program.run(up());
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err())
        .hasLineCount(1)
        .startsWith("holdfast: node-1 does not start: ")
        .contains("process " + serve.pid());
    assertThat(ended.out()).contains("ended: status 1, starts again in 200 ms");
  }

  @Test
  void refusesAPortThatIsTaken() {
    HoldfastProcess first = program.start(up()).awaitReady();
    Ended second =
        program.run(
            Launch.of(
                "up",
                "--port",
                Integer.toString(first.url().getPort()),
                "--data",
                dir.resolve("other").toString()));
    assertThat(second.status()).isEqualTo(1);
    assertThat(second.out()).isEmpty();
    assertThat(second.err()).hasLineCount(1).contains("cannot listen on 127.0.0.1:");
  }

  @Test
  @Tag("nightly")
  void saysEverythingAsJson() throws Exception {
    HoldfastProcess up = program.start(up().and("--json"));
    await().atMost(PATIENCE).until(() -> up.out().contains("\"event\":\"ready\""));
    assertThat(up.out().lines().map(line -> line.replaceAll(":\\d+", ":0")))
        .containsExactly(
            "{\"event\":\"node\",\"name\":\"node-1\",\"pid\":0,\"http\":\"http://127.0.0.1:0\","
                + "\"log\":\""
                + dir.resolve("data/logs/node-1.log")
                + "\"}",
            "{\"event\":\"journal\",\"journal\":\"" + dir.resolve("data") + "\"}",
            "{\"event\":\"node-ready\",\"name\":\"node-1\",\"pid\":0}",
            "{\"event\":\"ready\",\"url\":\"http://127.0.0.1:0\"}");
    assertThat(up.terminate().status()).isZero();
  }

  @Test
  @Tag("nightly")
  void asksItsNodesWithAKeyOfItsOwnWhereThereAreKeys() {
    HoldfastProcess up =
        program.start(up().with(Map.of("HOLDFAST_API_KEYS", "ab".repeat(32)))).awaitReady();
    var api = new ApiClient(up.url());
    assertThat(api.ask(Call.of("POST", "/v1/sessions")).status()).isEqualTo(401);
    assertThat(api.ask(Call.get("/v1/admin/cluster")).status()).isEqualTo(401);
    Ended status = program.run(Launch.of("status", "--url", up.url().toString()));
    assertThat(status.status()).isEqualTo(1);
    assertThat(status.err()).contains("set HOLDFAST_ADMIN_KEY");
  }

  @Test
  @Tag("nightly")
  void drainsANodeWhichIsThenStartedAgain() throws Exception {
    HoldfastProcess up = program.start(up()).awaitReady();
    Node node = nodes(up).getFirst();
    String url = up.url().toString();
    Ended status = program.run(Launch.of("status", "--url", url));
    assertThat(status.out()).contains("node-1  up", node.http(), Long.toString(node.pid()));
    assertThat(program.run(Launch.of("takeovers", "--url", url)).out()).contains("no takeovers");
    assertThat(program.run(Launch.of("drain", "node-1", "--url", url)).status()).isZero();
    await().atMost(PATIENCE).until(() -> says(up, node, "ended: status 0, starts again in 200 ms"));
    await().atMost(PATIENCE).until(() -> nodes(up).size() == 2);
    await().atMost(PATIENCE).until(() -> says(up, nodes(up).getLast(), "is ready"));
  }

  // ---------------------------------------------------------------------------------------------
  // Several nodes

  @Test
  @Tag("nightly")
  void servesOnWhileANodeIsGone() throws Exception {
    HoldfastProcess up = program.start(up(3)).awaitReady();
    var api = new ApiClient(up.url());
    List<String> tokens = open(api, 12);
    assertThat(
            tokens.stream()
                .map(token -> api.ask(Call.get("/v1/session").token(token)))
                .map(answer -> answer.headers().firstValue("Holdfast-Node").orElse(""))
                .distinct())
        .containsExactlyInAnyOrder("node-1", "node-2", "node-3");
    Node second = nodes(up).get(1);

    kill9(second);

    assertAllSessionsLive(api, tokens);
    await().atMost(PATIENCE).until(() -> says(up, nodes(up).getLast(), "is ready"));
    assertThat(nodes(up)).hasSize(4);
    assertThat(nodes(up).getLast().http()).isEqualTo(second.http());
    assertThat(dir.resolve("data/logs/node-2.log"))
        .content()
        .containsSubsequence("ready ", "warm after ", "ready ");
    assertAllSessionsLive(api, tokens);
    assertThat(up.terminate().status()).isZero();
    assertThat(nodes(up)).noneMatch(UpIT::isAlive);
  }

  @Test
  @Tag("nightly")
  void killsANodeThatHangsAndThatTheOthersHaveExcluded() throws Exception {
    HoldfastProcess up = program.start(up(3)).awaitReady();
    var api = new ApiClient(up.url());
    List<String> tokens = open(api, 12);
    Node third = nodes(up).getLast();

    Signals.freeze(third.pid());

    await().atMost(PATIENCE).until(() -> says(up, third, "is sent SIGKILL"));
    await().atMost(PATIENCE).until(() -> nodes(up).size() == 4);
    await().atMost(PATIENCE).until(() -> says(up, nodes(up).getLast(), "is ready"));
    assertThat(says(up, third, "ended: SIGKILL")).isTrue();
    assertAllSessionsLive(api, tokens);
  }

  @Test
  @Tag("nightly")
  void goesOnWhenANodeIsStoppedInItsTurnAtTheJournal() throws Exception {
    HoldfastProcess up = program.start(up(3)).awaitReady();
    var api = new ApiClient(up.url());
    List<String> tokens = open(api, 12);
    Map<String, AtomicInteger> changes = new ConcurrentHashMap<>();
    AtomicBoolean end = new AtomicBoolean();
    try (ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (String token : tokens) {
        var _ = writers.submit(() -> change(api, token, changes, end));
      }
      await().atMost(PATIENCE).until(() -> changes.size() == tokens.size());

      Node stopped = stopOneInItsTurn(nodes(up));
      long began = System.nanoTime();
      changes.clear();

      await().atMost(PATIENCE).until(() -> changes.size() == tokens.size());
      System.out.printf(
          "%s was stopped in its turn at the journal: all users change again after %d ms%n",
          stopped.name(), Duration.ofNanos(System.nanoTime() - began).toMillis());
      end.set(true);
      assertThat(says(up, stopped, "ended: SIGKILL")).isTrue();
    } finally {
      end.set(true);
    }
    await().atMost(PATIENCE).until(() -> says(up, nodes(up).getLast(), "is ready"));
    assertThat(nodes(up)).hasSize(4);
    assertAllSessionsLive(api, tokens);
  }

  /** Sets a line of its cart again and again, and counts the acknowledgements. */
  private static void change(
      ApiClient api, String token, Map<String, AtomicInteger> changes, AtomicBoolean end) {
    for (int quantity = 1; !end.get(); quantity = quantity % 99 + 1) {
      var sent =
          api.send(
              Call.of("PUT", "/v1/cart/items/tea")
                  .token(token)
                  .json(
                      "{\"quantity\":%d,\"unitPrice\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}"
                          .formatted(quantity)));
      if (sent instanceof ApiClient.Answer answer && answer.ok()) {
        changes.computeIfAbsent(token, _ -> new AtomicInteger()).incrementAndGet();
      }
    }
  }

  /** Stops one node after the other, until one has a lock on the turn's file as it stands still. */
  private Node stopOneInItsTurn(List<Node> nodes) throws Exception {
    String inode = Files.getAttribute(dir.resolve("data/journal.turn"), "unix:ino").toString();
    for (int attempt = 0; attempt < 1_000; attempt++) {
      Node node = nodes.get(attempt % nodes.size());
      Signals.freeze(node.pid());
      Pattern held =
          Pattern.compile("\\d+: POSIX .* " + node.pid() + " \\S+:" + inode + " [01] .*");
      if (Files.readAllLines(Path.of("/proc/locks")).stream().anyMatch(held.asMatchPredicate())) {
        return node;
      }
      Signals.thaw(node.pid());
    }
    throw new AssertionError("no node was stopped in its turn");
  }

  @Test
  @Tag("nightly")
  void startsAgainOnWhatAKillOfEverythingLeft() throws Exception {
    HoldfastProcess up = program.start(up(3)).awaitReady();
    List<String> tokens = open(new ApiClient(up.url()), 12);
    up.kill9();
    nodes(up).forEach(UpIT::kill9);
    await().atMost(PATIENCE).until(() -> nodes(up).stream().noneMatch(UpIT::isAlive));
    HoldfastProcess next = program.start(up(3)).awaitReady();
    assertAllSessionsLive(new ApiClient(next.url()), tokens);
    next.kill9();
    await().atMost(PATIENCE).until(() -> nodes(next).stream().noneMatch(UpIT::isAlive));
  }

  @Test
  @Tag("nightly")
  void runsOnPostgres() throws Exception {
    try (var database = PostgresServer.start(dir.resolve("database"))) {
      HoldfastProcess up =
          program.start(up(2).with(Map.of("HOLDFAST_POSTGRES", database.url()))).awaitReady();
      assertThat(up.out()).contains("journal  postgresql://").doesNotContain("password");
      assertAllSessionsLive(new ApiClient(up.url()), open(new ApiClient(up.url()), 6));
      assertThat(dir.resolve("data/logs/node-2.log")).exists();
      assertThat(dir.resolve("data/journal.db")).doesNotExist();
      assertThat(up.terminate().status()).isZero();
    }
  }

  private static List<String> open(ApiClient api, int sessions) {
    var tokens = new ArrayList<String>();
    for (int i = 0; i < sessions; i++) {
      tokens.add(api.ask(Call.of("POST", "/v1/sessions")).body().path("token").asText());
    }
    return tokens;
  }

  /** A user who moves may be without an owner for a moment; what was acknowledged is there then. */
  private static void assertAllSessionsLive(ApiClient api, List<String> tokens) {
    for (String token : tokens) {
      await()
          .atMost(PATIENCE)
          .until(() ->
              api.send(Call.get("/v1/session").token(token)) instanceof ApiClient.Answer answer
                  && answer.status() == 200);
    }
  }

  private void showLogs() throws IOException {
    try (var files = Files.walk(dir)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".log")).toList()) {
        System.out.println("--- " + file + ":\n" + Files.readString(file));
      }
    }
  }

  private Launch up() {
    return up(1);
  }

  private Launch up(int nodes) {
    return Launch.of(
        "up",
        "--nodes",
        Integer.toString(nodes),
        "--port",
        "0",
        "--data",
        dir.resolve("data").toString());
  }

  private static List<Node> nodes(HoldfastProcess up) {
    var nodes = new ArrayList<Node>();
    for (String line : up.out().split("\n", -1)) {
      var matcher = STARTED.matcher(line);
      if (matcher.matches()) {
        MatchResult found = matcher.toMatchResult();
        nodes.add(new Node(found.group(1), Long.parseLong(found.group(2)), found.group(3)));
      }
    }
    return nodes;
  }

  private static boolean says(HoldfastProcess up, Node node, String what) {
    return up.out()
        .lines()
        .anyMatch(line -> line.startsWith(node.name() + "  pid " + node.pid() + "  " + what));
  }

  private static void kill9(Node node) {
    ProcessHandle.of(node.pid()).ifPresent(ProcessHandle::destroyForcibly);
  }

  private static boolean isAlive(Node node) {
    return ProcessHandle.of(node.pid()).map(ProcessHandle::isAlive).orElse(false);
  }
}
