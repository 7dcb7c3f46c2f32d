package dev.holdfast.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.app.App;
import dev.holdfast.app.Settings;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Alerts and dashboard ask for what there is, and nobody is woken without being told what to do.
 */
final class MonitoringTest {

  private static final Path MONITORING = Path.of("kubernetes/components/monitoring");
  private static final Path RUNBOOKS = Path.of("docs/operations.md");
  private static final Pattern METRIC = Pattern.compile("\\bholdfast_[a-z_]+");

  /** Told only once there is one. */
  private static final List<String> ABSENT_AT_FIRST =
      List.of(
          "holdfast_http_connections_cut_off_total",
          "holdfast_feed_consumer_behind_seconds",
          "holdfast_feed_consumer_lapsed",
          "holdfast_secrets_refused",
          "holdfast_http_certificate_expiry_timestamp_seconds");

  @Test
  void askOnlyForMetricsThatANodeTells(@TempDir Path data) throws Exception {
    Set<String> asked = new TreeSet<>();
    for (String file : List.of("rules.yaml", "holdfast.json")) {
      asked.addAll(found(METRIC, Files.readString(MONITORING.resolve(file))));
    }
    assertThat(asked).hasSizeGreaterThan(10);
    Set<String> told = told(data);
    told.addAll(ABSENT_AT_FIRST);
    assertThat(told).containsAll(asked);
  }

  @Test
  void haveARunbookForEachAlertAndNoOther() throws IOException {
    List<Manifest> alerts =
        Manifest.in(MONITORING.resolve("rules.yaml"))
            .getFirst()
            .get("spec", "groups", "0", "rules")
            .items();
    List<String> names = alerts.stream().map(alert -> alert.get("alert").text()).toList();
    for (Manifest alert : alerts) {
      String name = alert.get("alert").text();
      assertThat(alert.get("annotations", "runbook").text())
          .isEqualTo("docs/operations.md#" + name.toLowerCase(Locale.ROOT));
      assertThat(alert.get("annotations", "summary").text()).endsWith(".");
      assertThat(alert.get("labels", "severity").text()).isIn("critical", "warning");
    }
    List<String> runbooks =
        Pattern.compile("(?m)^### (Holdfast\\w+)$")
            .matcher(Files.readString(RUNBOOKS))
            .results()
            .map(heading -> heading.group(1))
            .toList();
    assertThat(runbooks).containsExactlyInAnyOrderElementsOf(names);
  }

  private static Set<String> told(Path data) throws Exception {
    Settings settings = Settings.load(null, Map.of(), Map.of("port", "0", "data", data.toString()));
    try (App app = App.start(settings, () -> {});
        HttpClient client = HttpClient.newHttpClient()) {
      get(client, app, "/health/ready");
      return found(METRIC, get(client, app, "/metrics"));
    }
  }

  private static String get(HttpClient client, App app, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(app.url().resolve(path)).build();
    return client.send(request, BodyHandlers.ofString()).body();
  }

  private static Set<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(match -> match.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
