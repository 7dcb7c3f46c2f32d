package dev.holdfast.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole node is measured, and docs/operations.md says by what. */
@Timeout(60)
class MetricsTest {

  private static final Pattern LISTED = Pattern.compile("`(holdfast_[a-z_]+)`");
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir static Path folder;
  private static App app;

  @BeforeAll
  static void start() throws Exception {
    app =
        App.start(
            Settings.load(null, Map.of(), Map.of("data", folder.toString(), "port", "0")),
            () -> {});
  }

  @AfterAll
  static void stop() {
    app.close();
  }

  @Test
  void areAllListedWithTheirMeaningAndNoOthersAre() throws Exception {
    send("POST", "/v1/sessions", "{}");
    Set<String> told =
        send("GET", "/metrics", null)
            .body()
            .lines()
            .filter(line -> line.startsWith("# TYPE holdfast_"))
            .map(line -> line.split(" ", -1)[2])
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> listed = new TreeSet<>();
    Set<String> absentUntilThen = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("docs/operations.md"))) {
      if (line.startsWith("| `holdfast_")) {
        String names = line.substring(0, line.indexOf('|', 1));
        LISTED
            .matcher(names)
            .results()
            .map(found -> found.group(1))
            .forEach(line.contains("Absent until") ? absentUntilThen::add : listed::add);
      }
    }
    told.removeAll(absentUntilThen);
    assertThat(told).isEqualTo(listed);
  }

  @Test
  void tellTheConsoleWhatCallersDid() throws Exception {
    JsonNode before = figures();
    for (int i = 0; i < 20; i++) {
      String token =
          send("POST", "/v1/sessions", "{}").headers().firstValue("Session-Token").orElseThrow();
      for (int read = 0; read < 3; read++) {
        assertThat(get("/v1/session", token).statusCode()).isEqualTo(200);
      }
      assertThat(get("/v1/session/attributes/nothing", token).statusCode()).isEqualTo(404);
    }
    // Neither probes nor consoles are callers.
    send("GET", "/health/ready", null);
    send("GET", "/metrics", null);
    JsonNode after = figures();

    assertThat(grown(before, after, "/requests/writes/count")).isEqualTo(20);
    assertThat(grown(before, after, "/requests/reads/count")).isEqualTo(80);
    assertThat(grown(before, after, "/requests/refused")).isEqualTo(20);
    assertThat(grown(before, after, "/requests/failed")).isZero();
    assertThat(grown(before, after, "/journal/events")).isEqualTo(20);
    assertThat(grown(before, after, "/journal/batches/sum")).isEqualTo(20);
    assertThat(grown(before, after, "/memory/users")).isEqualTo(20);
    assertThat(grown(before, after, "/upMillis")).isPositive();
    assertThat(after.at("/journal/takesWrites").asBoolean()).isTrue();
  }

  private static long grown(JsonNode before, JsonNode after, String what) {
    assertThat(after.at(what).isNumber()).as(what).isTrue();
    return after.at(what).asLong() - before.at(what).asLong();
  }

  private static JsonNode figures() throws Exception {
    JsonNode nodes =
        new ObjectMapper().readTree(send("GET", "/v1/admin/metrics", null).body()).path("nodes");
    assertThat(nodes).hasSize(1);
    return nodes.path(0).path("figures");
  }

  private static HttpResponse<String> get(String path, String token)
      throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(uri(path)).header("Session-Token", token).build(),
        BodyHandlers.ofString());
  }

  private static HttpResponse<String> send(String method, String path, @Nullable String json)
      throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(uri(path));
    if (json == null) {
      request.method(method, BodyPublishers.noBody());
    } else {
      request
          .header("Content-Type", "application/json")
          .method(method, BodyPublishers.ofString(json));
    }
    return HTTP.send(request.build(), BodyHandlers.ofString());
  }

  private static URI uri(String path) {
    return app.url().resolve(path);
  }
}
