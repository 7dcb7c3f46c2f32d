package dev.holdfast.faults;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.NoAnswer;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.ShoppingLoad;
import dev.holdfast.faults.HoldfastProcess.Ended;
import dev.holdfast.faults.Program.Launch;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** How the program begins and ends as a process. */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class ProcessIT {

  private static final int DONE = 0;
  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  @Test
  void endsInGoodOrderUnderLoadWhenToldTo() {
    Path data = dir.resolve("data");
    HoldfastProcess node = program.serve(data);
    var api = new ApiClient(node.url());
    var history = new History();
    var load = new ShoppingLoad(api, history, "load", Seed.ofThisRun()).start(64, 8);
    await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(2))
        .until(() -> history.acknowledged() >= 1_000);

    long told = System.nanoTime();
    Ended ended = node.terminate();
    long took = System.nanoTime() - told;
    load.join();

    System.out.printf("ended after %d ms; %s%n", took / 1_000_000, history);
    assertThat(ended.status()).isEqualTo(DONE);
    assertThat(ended.out()).isEqualTo("ready " + node.url() + "\n");
    assertThat(ended.err()).doesNotContain("ERROR", "WARN", "Exception");

    HoldfastProcess next = program.serve(data);
    api.moveTo(next.url());
    Crowd.each(load.shoppers(), Shopper::look);
    Crowd.each(load.shoppers(), Shopper::repeatAll);
    Crowd.each(load.shoppers(), Shopper::look);
    Crowd.each(load.shoppers(), Shopper::tryDeadTokens);
    history.onRecord(JournalFile.of(data).orders());
    assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
    // Stronger than after a kill: what took effect was answered. A request that met a closed
    // connection did nothing, so that its repeat was the first.
    assertThat(HistoryChecker.check(history.withUnknownTakenForRefused()).stream().limit(5))
        .isEmpty();
  }

  /** The request is half there when the process is told to end, so it is certainly in hand. */
  @Test
  void answersARequestThatItHasInHandWhenToldToEnd() throws IOException {
    HoldfastProcess node = program.serve(dir.resolve("data"));
    URI url = node.url();
    String body = "{\"user\":\"anna\"}";
    try (var socket = new Socket(url.getHost(), url.getPort())) {
      String head =
          "POST /v1/sessions HTTP/1.1\r\nHost: "
              + url.getAuthority()
              + "\r\nContent-Type: application/json\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n";
      socket.getOutputStream().write((head + body.substring(0, 5)).getBytes(US_ASCII));
      socket.getOutputStream().flush();
      var api = new ApiClient(url);
      await().until(() -> connections(api) >= 2);

      node.signalTermination();
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> api.send(Call.get("/health/live")) instanceof NoAnswer);
      socket.getOutputStream().write(body.substring(5).getBytes(US_ASCII));
      socket.getOutputStream().flush();

      String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      assertThat(answer).startsWith("HTTP/1.1 201 ").contains("Session-Token: ");
    }
    assertThat(node.awaitEnd().status()).isEqualTo(DONE);
  }

  private static double connections(ApiClient api) {
    return api.ask(Call.get("/metrics"))
        .body()
        .asText()
        .lines()
        .filter(line -> line.startsWith("holdfast_http_connections "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElse(0);
  }

  /** After ten seconds, so that what it needs first is compiled soon. */
  @Test
  @Tag("nightly")
  void hasTheThreadsThatCompileStandBackBehindThoseThatAnswer() throws IOException {
    HoldfastProcess node = program.serve(dir.resolve("data"));
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() ->
            assertThat(niceness(node, "C1 CompilerThre", "C2 CompilerThre"))
                .isNotEmpty()
                .containsOnly(7));
    assertThat(niceness(node, "http-connection", "holdfast-journa")).isNotEmpty().containsOnly(0);
  }

  /** Of the threads of a node that have one of these names. */
  private static List<Integer> niceness(HoldfastProcess node, String... names) throws IOException {
    var found = new ArrayList<Integer>();
    try (var threads =
        Files.newDirectoryStream(Path.of("/proc", Long.toString(node.pid()), "task"))) {
      for (Path thread : threads) {
        String stat = Files.readString(thread.resolve("stat"));
        int end = stat.lastIndexOf(')');
        String name = stat.substring(stat.indexOf('(') + 1, end);
        if (Arrays.stream(names).anyMatch(name::startsWith)) {
          found.add(Integer.parseInt(stat.substring(end + 2).split(" ", -1)[16]));
        }
      }
    }
    return found;
  }

  /**
   * As in a pod; or an import would fill a journal of the embedded kind, and say that it is done.
   */
  @Test
  void takesTheDatabaseFromAFileForCommandsToo() throws IOException {
    Path url = Files.writeString(dir.resolve("postgres"), "postgresql://ann@127.0.0.1:1/shop\n");

    Ended ended =
        program.run(Launch.of("verify").with(Map.of("HOLDFAST_POSTGRES_FILE", url.toString())));

    assertThat(ended.status()).isEqualTo(FAILED);
    assertThat(ended.err()).contains("127.0.0.1:1");
  }

  /** The launcher rehearses with the environment of whoever calls it first. */
  @Test
  @Tag("nightly")
  void rehearsesOnAJournalOfItsOwn() {
    Map<String, String> elsewhere =
        Map.of("HOLDFAST_POSTGRES", "postgresql://ann@127.0.0.1:1/shop", "HOLDFAST_API_KEYS", "x");

    Ended ended = program.run(Launch.of("rehearse").with(elsewhere));

    assertThat(ended.status()).as(ended.err()).isZero();
  }

  @Test
  void refusesToServeADataFolderThatAnotherProcessHolds() {
    Path data = dir.resolve("data");
    HoldfastProcess first = program.serve(data);

    Ended second = program.run(Program.serving(data));

    assertThat(second.status()).isEqualTo(FAILED);
    assertThat(second.out()).isEmpty();
    assertThat(second.err())
        .hasLineCount(1)
        .startsWith("holdfast: ")
        .contains(data.toString(), "process " + first.pid());
    assertThat(new ApiClient(first.url()).ask(Call.of("POST", "/v1/sessions")).status())
        .isEqualTo(201);
  }

  @Test
  void refusesAPortThatIsTaken() {
    HoldfastProcess first = program.serve(dir.resolve("first"));

    Ended second =
        program.run(
            Launch.of(
                "serve",
                "--port",
                Integer.toString(first.url().getPort()),
                "--data",
                dir.resolve("second").toString()));

    assertThat(second.status()).isEqualTo(FAILED);
    assertThat(second.out()).isEmpty();
    assertThat(second.err().lines().filter(line -> line.startsWith("holdfast: ")))
        .hasSize(1)
        .first()
        .asString()
        .contains(Integer.toString(first.url().getPort()));
  }

  @Test
  void namesAWrongOptionAndWhatIsAllowed() {
    Ended ended =
        program.run(
            Launch.of("serve", "--port", "eighty", "--data", dir.resolve("data").toString()));

    assertWrong(ended, "holdfast.port", "eighty", "0 to 65535");
  }

  @Test
  void namesAWrongEnvironmentVariableAndWhatIsAllowed() {
    Ended ended = program.run(serving().with(Map.of("HOLDFAST_LIFETIMES_IDLE", "for ever")));

    assertWrong(ended, "holdfast.lifetimes.idle", "for ever", "30 minutes");
  }

  @Test
  void namesAnUnknownKeyInAConfigurationFileAndWhatThereIs() throws IOException {
    Path file = Files.writeString(dir.resolve("own.conf"), "holdfast.limits.lines = 5\n");

    Ended ended = program.run(serving().and("--config", file.toString()));

    assertWrong(ended, "holdfast.limits.lines", "holdfast.limits.cart-lines");
  }

  private Launch serving() {
    return Program.serving(dir.resolve("data"));
  }

  private void assertWrong(Ended ended, String... named) {
    assertThat(ended.status()).isEqualTo(WRONG_USAGE);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err()).hasLineCount(1).startsWith("holdfast: ").contains(named);
    assertThat(dir.resolve("data")).doesNotExist();
  }

  @Test
  void refusesAnUnknownOption() {
    Ended ended = program.run(serving().and("--prot", "8080"));

    assertThat(ended.status()).isEqualTo(WRONG_USAGE);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err()).contains("--prot", "--port");
  }

  @Test
  void tellsItsCommands() {
    Ended ended = program.run(Launch.of("--help"));

    assertThat(ended.status()).isEqualTo(DONE);
    assertThat(ended.out()).startsWith("Usage: holdfast").contains("serve", "up", "Exit status");
    assertThat(ended.err()).isEmpty();
  }

  @Test
  void tellsTheOptionsOfACommand() {
    Ended ended = program.run(Launch.of("help", "serve"));

    assertThat(ended.status()).isEqualTo(DONE);
    assertThat(ended.out())
        .startsWith("Usage: holdfast serve")
        .contains(List.of("--host", "--port", "--data", "--insecure", "--config"));
    assertThat(ended.err()).isEmpty();
  }

  @Test
  void tellsItsVersion() {
    Ended ended = program.run(Launch.of("--version"));

    assertThat(ended.status()).isEqualTo(DONE);
    assertThat(ended.out()).matches("holdfast [0-9]\\S+\n");
    assertThat(ended.err()).isEmpty();
  }
}
