package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The console as files: whole, from this server alone, and for anybody. */
@Timeout(30)
class ConsoleTest {

  private static final Pattern LOADED = Pattern.compile("[\"'](/console/[a-z.]+)[\"']");

  @TempDir static Path folder;
  private static TestNode node;
  private static Client client;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    client = node.serveWithKey();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void servesEverythingThatItsPageAndScriptsLoad() {
    var toLoad = new ArrayList<>(List.of("/console"));
    for (int i = 0; i < toLoad.size(); i++) {
      String file = toLoad.get(i);
      String body = client.get(file).send(200).body();
      assertThat(body).as(file).isNotBlank();
      LOADED
          .matcher(body)
          .results()
          .map(found -> found.group(1))
          .filter(found -> !toLoad.contains(found))
          .forEach(toLoad::add);
    }
    assertThat(toLoad)
        .contains(
            "/console/main.js", "/console/uplot.js", "/console/uplot.css", "/console/icon.svg")
        .hasSizeGreaterThan(9);
  }

  @Test
  void letsNothingRunThatIsNotFromThisServer() {
    Received page = client.get("/console").send(200);
    assertThat(page.need("Content-Security-Policy"))
        .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
        .doesNotContain("unsafe");
    assertThat(page.need("X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(page.body()).doesNotContain("<style", "style=", "onclick", "https://");
  }

  @Test
  void hasNoFileButItsOwn() {
    client.get("/console/pom.properties").send(404);
    client.get("/console/..%2Fopenapi.yaml").send(404);
    client.get("/console/index.html").send(404);
  }
}
