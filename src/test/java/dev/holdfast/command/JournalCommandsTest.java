package dev.holdfast.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import dev.holdfast.app.App;
import dev.holdfast.app.Settings;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.OwnerWrite;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.journal.TestPostgres;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands that work on a journal: verify, export, import, user. */
@Timeout(120)
class JournalCommandsTest {

  private static final Pattern SESSION = Pattern.compile("\"session\":\"([^\"]+)\"");

  @TempDir private Path folder;

  private final HttpClient client = HttpClient.newHttpClient();

  /** What a command came to. */
  private record Ran(int status, String out, String err) {}

  // ---- export and import

  @Test
  void movesAJournalAsItIs() throws Exception {
    fill(data("a"));
    Ran exported = run("export", "--data", data("a"), file("journal.jsonl"));
    assertThat(exported).isEqualTo(new Ran(0, "exported 3 users, 8 events, 1 snapshots\n", ""));

    Ran imported = run("import", "--data", data("b"), file("journal.jsonl"), "--json");

    assertThat(imported).isEqualTo(new Ran(0, "{\"users\":3,\"events\":8,\"snapshots\":1}\n", ""));
    assertThat(rows(data("b"))).isEqualTo(rows(data("a"))).hasSize(9);
    Path again = folder.resolve("again.jsonl");
    run("export", "--data", data("b"), again.toString());
    assertThat(rowsOf(again)).isEqualTo(rowsOf(Path.of(file("journal.jsonl"))));
  }

  @Test
  void movesAUserWhoThenFindsTheSameCart() throws Exception {
    String token;
    try (App app = App.start(settings(data("a"), null), () -> {})) {
      token = shop(app.url(), "ada");
      shop(app.url(), "bob");
    }
    String key = Files.readString(Path.of(data("a"), "token.key")).strip();
    assertThat(run("export", "--data", data("a"), file("journal.jsonl")).status()).isZero();
    assertThat(run("import", "--data", data("b"), file("journal.jsonl")).status()).isZero();

    try (App app = App.start(settings(data("b"), key), () -> {})) {
      String cart = call(app.url(), "GET", "/v1/cart", token, null).body();
      assertThat(cart).contains("\"shoe-42\"", "\"quantity\":2");
      assertThat(call(app.url(), "DELETE", "/v1/cart", token, null).statusCode()).isEqualTo(200);
    }
    assertThat(run("verify", "--data", data("b")).status()).isZero();
  }

  @Test
  void movesAJournalToPostgresAndBack() throws Exception {
    String token;
    try (App app = App.start(settings(data("a"), null), () -> {})) {
      token = shop(app.url(), "ada");
    }
    String key = Files.readString(Path.of(data("a"), "token.key")).strip();
    PostgresOptions server = TestPostgres.fresh();
    String[] there = {"--postgres", server.url(), "--postgres-schema", server.schema()};
    run("export", "--data", data("a"), file("journal.jsonl"));

    Ran imported = run(with(there, "import", file("journal.jsonl")));
    assertThat(imported.err()).isEmpty();
    assertThat(run(with(there, "import", file("journal.jsonl"))).err()).contains("is not empty");
    assertThat(run(with(there, "verify")).out()).contains(server.place() + ": sound");
    assertThat(run(with(there, "user", "show", "ada")).out()).contains("2 × shoe-42");
    run(with(there, "export", file("back.jsonl")));
    assertThat(rowsOf(Path.of(file("back.jsonl"))))
        .isEqualTo(rowsOf(Path.of(file("journal.jsonl"))));

    var settings =
        Settings.load(
            null,
            Map.of("HOLDFAST_TOKEN_KEYS", key),
            Map.of(
                "port", "0",
                "data", data("b"),
                "postgres", server.url(),
                "postgres-schema", server.schema()));
    try (App app = App.start(settings, () -> {})) {
      assertThat(call(app.url(), "GET", "/v1/cart", token, null).body()).contains("shoe-42");
      assertThat(call(app.url(), "DELETE", "/v1/cart", token, null).statusCode()).isEqualTo(200);
    }
    assertThat(run(with(there, "verify")).status()).isZero();
  }

  @Test
  void givesKnownUsersNewOwnerKeysWhereTheTokenKeyIsLost() throws Exception {
    String token;
    try (App app = App.start(settings(data("a"), null), () -> {})) {
      token = shop(app.url(), "ada");
      call(app.url(), "PUT", "/v1/session/attributes/n", visitor(app.url()), "1");
      shop(app.url(), "bob");
      call(app.url(), "DELETE", "/v1/admin/users/bob", null, null);
    }
    String before = ownerOf("ada");
    run("export", "--data", data("a"), file("journal.jsonl"));
    Files.delete(Path.of(data("a"), "token.key"));
    assertThatThrownBy(() -> App.start(settings(data("a"), null), () -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("holdfast.token-keys");
    Ran found = run("user", "show", "--data", data("a"), "ada", "--json");
    assertThat(found.out()).as("looked for in the whole journal").contains(before);

    Ran imported = run("import", "--rekey", "--data", data("b"), file("journal.jsonl"));

    assertThat(imported.err()).isEmpty();
    assertThat(run("verify", "--data", data("b")).status()).isZero();
    Ran shown = run("user", "show", "--data", data("b"), "ada", "--json");
    assertThat(shown.out()).contains("shoe-42").doesNotContain(before);
    assertThat(rowsOf(export("b")))
        .as("each row is there, in the order of the feed")
        .hasSameSizeAs(rowsOf(Path.of(file("journal.jsonl"))));
    try (App app = App.start(settings(data("b"), null), () -> {})) {
      String again = shop(app.url(), "ada");
      assertThat(call(app.url(), "GET", "/v1/cart", again, null).body()).contains("\"quantity\":2");
      assertThat(
              client
                  .send(
                      HttpRequest.newBuilder(app.url().resolve("/v1/cart"))
                          .header("Session-Token", token)
                          .build(),
                      BodyHandlers.ofString())
                  .statusCode())
          .isEqualTo(401);
    }
  }

  private Path export(String journal) {
    run("export", "--data", data(journal), file(journal + "-again.jsonl"));
    return Path.of(file(journal + "-again.jsonl"));
  }

  private String visitor(URI node) throws Exception {
    return call(node, "POST", "/v1/sessions", null, "{}")
        .headers()
        .firstValue("Session-Token")
        .orElseThrow();
  }

  /** {@return the owner key of a user of journal a} */
  private String ownerOf(String user) {
    String shown = run("user", "show", "--data", data("a"), user, "--json").out();
    return shown.replaceAll("(?s).*\"owner\":\"([0-9a-f]{32})\".*", "$1");
  }

  private static String[] with(String[] journal, String... command) {
    return Stream.concat(Arrays.stream(command), Arrays.stream(journal)).toArray(String[]::new);
  }

  @Test
  void writesPayloadsThatAreJsonAsTheyAreAndOthersInBase64() throws Exception {
    fill(data("a"));
    run("export", "--data", data("a"), file("journal.jsonl"));

    List<String> lines = Files.readAllLines(Path.of(file("journal.jsonl")));

    assertThat(lines.getFirst())
        .startsWith("{\"journal\":\"holdfast\",\"format\":1,\"program\":\"holdfast ");
    assertThat(lines)
        .anyMatch(line -> line.endsWith(",\"json\":{\"a\":\"\u00e4\",\"b\":[1.50]}}"))
        .anyMatch(line -> line.endsWith(",\"base64url\":\"\"}"))
        .anyMatch(line -> line.endsWith(",\"base64url\":\"" + "eyJhIjoxLCJhIjoyfQ" + "\"}"));
    assertThat(lines.getLast()).contains("\"events\":8", "\"sha256\":");
    for (String line : lines) {
      try (JsonParser json = JsonText.FACTORY.createParser(line)) {
        json.nextToken();
        assertThat(JsonText.read(json)).isInstanceOf(Json.Obj.class);
      }
    }
  }

  @Test
  void readsStandardInput() throws Exception {
    fill(data("a"));
    run("export", "--data", data("a"), file("journal.jsonl"));
    var before = System.in;
    Ran ran;
    try {
      System.setIn(new ByteArrayInputStream(Files.readAllBytes(Path.of(file("journal.jsonl")))));
      ran = run("import", "--data", data("b"), "-");
    } finally {
      System.setIn(before);
    }

    assertThat(ran.status()).isZero();
    assertThat(rows(data("b"))).isEqualTo(rows(data("a")));
  }

  @Test
  void refusesAFileThatIsCutOffWhereverThatIs() throws Exception {
    fill(data("a"));
    run("export", "--data", data("a"), file("journal.jsonl"));
    byte[] whole = Files.readAllBytes(Path.of(file("journal.jsonl")));
    Random random = new Random(7);

    for (int i = 0; i < 12; i++) {
      int length = i == 0 ? whole.length - 1 : random.nextInt(whole.length);
      Files.write(folder.resolve("cut"), Arrays.copyOf(whole, length));

      Ran ran = run("import", "--data", data("b"), file("cut"));

      assertThat(ran.status()).isEqualTo(1);
      assertThat(ran.err()).startsWith("holdfast: line ").contains("cut off");
      assertThat(rows(data("b"))).isEmpty();
    }
  }

  @Test
  void refusesAFileThatWasChangedAndNamesTheLine() throws Exception {
    fill(data("a"));
    run("export", "--data", data("a"), file("journal.jsonl"));
    List<String> lines = Files.readAllLines(Path.of(file("journal.jsonl")));
    int events = 1;
    while (!lines.get(events).contains("\"event\":2,")) {
      events++;
    }
    String second = lines.get(events);

    assertRefused(lines, events, second.replace("\"event\":2,", "\"event\":3,"), "follows event");
    assertRefused(lines, events, second.replace("\"at\":2", "\"at\":3"), "their sum is another");
    assertRefused(lines, events, second.replace("\"at\":2", "\"at\":\"2\""), "\"at\" must be a");
    assertRefused(lines, events, second.replace("\"name\":\"", "\"name\":\" "), "a name in the");
    assertRefused(lines, events, "{\"more\":1," + second.substring(1), "unknown members [more]");
    assertRefused(lines, events, "[]", "not a JSON object");
    assertRefused(lines, events, second.replace("\"owner\":", "\"owner\""), "not JSON");
    String named = "\"event\":2,";
    assertRefused(lines, events, second.replace(named, named + named), "not JSON");
    String nested = "{\"more\":{\"twice\":1,\"twice\":1},";
    assertRefused(lines, events, nested + second.substring(1), "not JSON");
    assertRefused(lines, events, lines.getFirst(), "another beginning");
    assertRefused(lines, 0, second, "begins with the line that says so");
    assertRefused(lines, 0, lines.getFirst().replace("\"format\":1", "\"format\":2"), "of form 2");
    var shuffled = new ArrayList<>(lines);
    shuffled.add(1, shuffled.remove(lines.size() - 2));
    assertRefused(shuffled, 2, shuffled.get(2), "owners must ascend");
  }

  private void assertRefused(List<String> lines, int index, String instead, String why)
      throws Exception {
    var changed = new ArrayList<>(lines);
    changed.set(index, instead);
    Files.write(folder.resolve("changed"), changed);

    Ran ran = run("import", "--data", data("b"), file("changed"));

    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).startsWith("holdfast: line ").contains(why);
    if (!why.contains("sum")) {
      assertThat(ran.err()).startsWith("holdfast: line " + (index + 1) + ": ");
    }
    assertThat(rows(data("b"))).isEmpty();
  }

  @Test
  void fillsNoJournalThatHoldsSomething() throws Exception {
    fill(data("a"));
    run("export", "--data", data("a"), file("journal.jsonl"));

    Ran ran = run("import", "--data", data("a"), file("journal.jsonl"));

    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).contains("is not empty");
    assertThat(rows(data("a"))).hasSize(9);
  }

  @Test
  void overwritesNoFile() throws Exception {
    fill(data("a"));
    Files.writeString(folder.resolve("dear"), "dear");

    Ran ran = run("export", "--data", data("a"), file("dear"));

    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).contains("exists already");
    assertThat(folder.resolve("dear")).hasContent("dear");
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    Ran noJournal = run("export", "--data", data("none"), file("x"));
    assertThat(noJournal.status()).isEqualTo(1);
    assertThat(noJournal.err()).contains("there is no journal");
    assertThat(folder.resolve("x")).doesNotExist();
    assertThat(run("import", "--data", data("b"), file("none")).err()).contains("there is no file");
    assertThat(run("user", "show", "--data", data("none"), "ada").status()).isEqualTo(1);
    assertThat(run("export", "--data", data("a")).status()).as("no file named").isEqualTo(2);
    assertThat(run("user", "--data", data("a")).status()).isEqualTo(2);
    assertThat(run("verify", "--data", data("a"), "--postgres", "postgresql://h/d").status())
        .as("one journal")
        .isEqualTo(2);
    assertThat(run("verify", "--postgres", "mysql://h").status()).isEqualTo(2);
    assertThat(run("user", "show", "--data", data("a"), "--owner", "x").status()).isEqualTo(2);
  }

  // ---- user

  @Test
  void showsAUserAndTheirHistoryWithoutSecrets() throws Exception {
    String token;
    try (App app = App.start(settings(data("a"), null), () -> {})) {
      token = shop(app.url(), "ada");
    }

    Ran show = run("user", "show", "--data", data("a"), "ada");
    Ran showJson = run("user", "show", "--data", data("a"), "ada", "--json");
    Ran history = run("user", "history", "--data", data("a"), "ada");
    Ran historyJson = run("user", "history", "--data", data("a"), "ada", "--json");
    Ran byOwner = run("user", "show", "--data", data("a"), "--owner", ownerOf("ada"), "--json");

    assertThat(show.status()).isZero();
    assertThat(show.out())
        .contains("user      ada", "cart      1 lines", "2 × shoe-42 at 12.30 EUR", "sessions  1")
        .contains("\"theme\":\"dark\"", "journal   events 1 to ");
    Json.Obj state = json(showJson.out());
    assertThat(state.get("user")).isEqualTo(new Json.Text("ada"));
    assertThat(Objects.requireNonNull((Json.Array) state.get("sessions")).items()).hasSize(1);
    assertThat(byOwner.out()).isEqualTo(showJson.out());
    assertThat(history.out().lines())
        .anyMatch(line -> line.contains("  cart.line-set.v1  2 × shoe-42 at 12.30 EUR"))
        .allMatch(line -> line.matches("20[0-9-]{8}T[0-9:.]+Z  [0-9]+  [a-z0-9.-]+  .*"));
    assertThat(historyJson.out().lines().map(JournalCommandsTest::json))
        .hasSize((int) history.out().lines().count())
        .allSatisfy(event -> assertThat(event.get("summary")).isNotNull());
    // The session id proper is the part of the token that nobody may see.
    try (SqliteStore store = SqliteStore.openToRead(Path.of(data("a")))) {
      List<String> ids = new ArrayList<>();
      store.feed(
          0,
          1_000,
          event -> {
            String payload = new String(event.event().payload(), UTF_8);
            Matcher session = SESSION.matcher(payload);
            while (session.find()) {
              ids.add(session.group(1));
            }
          });
      assertThat(ids).isNotEmpty();
      for (Ran ran : List.of(show, showJson, history, historyJson)) {
        assertThat(ran.out()).doesNotContain(ids).doesNotContain(token);
      }
    }
  }

  @Test
  void saysThatItHoldsNothingOfAUser() throws Exception {
    fill(data("a"));

    for (String what : List.of("show", "history")) {
      Ran ran = run("user", what, "--data", data("a"), "nobody");
      assertThat(ran.status()).isEqualTo(1);
      assertThat(ran.out()).isEmpty();
      assertThat(ran.err()).contains("holds nothing of user nobody");
    }
  }

  @Test
  void showsTheHistoryOfAUserWhoCannotBeReplayed() throws Exception {
    fill(data("a"));
    String owner = new Owner(2, 2).toString();

    Ran history = run("user", "history", "--data", data("a"), "--owner", owner);

    assertThat(history.status()).isZero();
    assertThat(history.out()).contains("  text.v1  cannot be read");
    assertThat(run("user", "show", "--data", data("a"), "--owner", owner).status()).isEqualTo(1);
  }

  // ---- verify

  @Test
  void tellsASoundJournalFromOneThatIsNot() throws Exception {
    try (App app = App.start(settings(data("a"), null), () -> {})) {
      shop(app.url(), "ada");
    }
    fill(data("b"));

    Ran sound = run("verify", "--data", data("a"), "--json");
    Ran unsound = run("verify", "--data", data("b"));

    assertThat(sound.status()).isZero();
    assertThat(json(sound.out()).get("sound")).isEqualTo(Json.Literal.TRUE);
    assertThat(unsound.status()).isEqualTo(1);
    assertThat(unsound.out()).contains("UNDECODABLE_EVENT").contains("faults");
  }

  // ---- words of the tests

  private String data(String name) {
    return folder.resolve(name).toString();
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private static Ran run(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        HoldfastCommand.commandLine()
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(arguments);
    return new Ran(status, out.toString(), err.toString());
  }

  /** Three owners with payloads of all kinds. */
  private static void fill(String data) throws JournalUnusable {
    try (SqliteStore store = SqliteStore.open(Path.of(data), SqliteOptions.defaults())) {
      NodeId node = new NodeId("node");
      store.nodes().claim(node, 0, Duration.ZERO);
      store.write(
          node,
          List.of(
              write(new Owner(2, 2), "text", "{\"a\":\"\u00e4\",\"b\":[1.50]}", "{", "", "[1]"),
              write(new Owner(1, 1), "text", "{}", "{\"a\":1,\"a\":2}", "{\n}")),
          List.of(
              new SnapshotWrite(
                  new Owner(1, 1), 2, 5, new JournalSnapshot("s.v1", new byte[] {-1, 0, '{'}))));
      store.write(
          node,
          List.of(
              new OwnerWrite(
                  Owner.LAST,
                  1,
                  List.of(new JournalEvent("bytes.v1", new byte[300], -5, Long.MAX_VALUE)))),
          List.of());
    }
  }

  private static OwnerWrite write(Owner owner, String name, String... payloads) {
    List<JournalEvent> events = new ArrayList<>();
    for (String payload : payloads) {
      events.add(
          new JournalEvent(name + ".v1", payload.getBytes(UTF_8), events.size() + 1, 77_000));
    }
    return new OwnerWrite(owner, 1, events);
  }

  private static List<Object> rows(String data) throws JournalUnusable {
    List<Object> rows = new ArrayList<>();
    try (SqliteStore store = SqliteStore.openToRead(Path.of(data))) {
      store.scan(
          OwnerRange.ALL,
          new JournalStore.Scan() {
            @Override
            public void snapshot(SnapshotWrite snapshot) {
              rows.add(snapshot);
            }

            @Override
            public void event(StoredEvent event) {
              rows.add(event);
            }
          });
      assertThat(store.damages()).isEmpty();
    }
    return rows;
  }

  /** Without the first line, which names the moment, and the last one with the sum over it. */
  private static List<String> rowsOf(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return lines.subList(1, lines.size() - 1);
  }

  private static Json.Obj json(String text) {
    try (JsonParser json = JsonText.FACTORY.createParser(text)) {
      json.nextToken();
      return (Json.Obj) JsonText.read(json);
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
  }

  private static Settings settings(String data, @Nullable String tokenKey) {
    return Settings.load(
        null,
        tokenKey == null ? Map.of() : Map.of("HOLDFAST_TOKEN_KEYS", tokenKey),
        Map.of("port", "0", "data", data));
  }

  /** {@return the token} */
  private String shop(URI node, String user) throws Exception {
    String token =
        call(node, "POST", "/v1/sessions", null, "{\"user\":\"" + user + "\"}")
            .headers()
            .firstValue("Session-Token")
            .orElseThrow();
    call(node, "PUT", "/v1/session/attributes/theme", token, "\"dark\"");
    call(
        node,
        "PUT",
        "/v1/cart/items/shoe-42",
        token,
        "{\"quantity\":2,\"unitPrice\":{\"amount\":\"12.30\",\"currency\":\"EUR\"}}");
    return token;
  }

  private HttpResponse<String> call(
      URI node, String method, String path, @Nullable String token, @Nullable String body)
      throws Exception {
    var request =
        HttpRequest.newBuilder(node.resolve(path))
            .timeout(Duration.ofSeconds(30))
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (body != null) {
      request.header("Content-Type", "application/json");
    }
    if (token != null) {
      request.header("Session-Token", token);
    }
    HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
    assertThat(response.statusCode()).isBetween(200, 299);
    return response;
  }
}
