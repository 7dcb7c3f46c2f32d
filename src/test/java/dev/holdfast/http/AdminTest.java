package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What operators are told of the cluster, and who may ask. */
@Timeout(60)
class AdminTest {

  private static final String CLUSTER = "/v1/admin/cluster";
  private static final String BEARER = "Bearer ";

  @TempDir static Path folder;
  private static TestNode node;
  private static Client open;
  private static Client locked;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder);
    open = node.serve();
    locked = node.serveWithKey();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void tellsEachNodeWithWhatIsKnownOfIt() {
    var nodes = open.get(CLUSTER).send(200).json().path("nodes");
    assertThat(nodes.findValuesAsText("state"))
        .containsExactly("joining", "up", "draining", "leaving", "unreachable", "down");
    assertThat(nodes.path(1))
        .hasToString(
            "{\"name\":\"node-2\",\"address\":\"127.0.0.1:2552\",\"http\":\"http://127.0.0.1:8082\","
                + "\"pid\":4002,\"state\":\"up\",\"oldest\":true,\"shards\":33,\"users\":1200}");
    assertThat(nodes.path(5))
        .hasToString(
            "{\"name\":\"node-6\",\"address\":\"127.0.0.1:2556\",\"http\":null,\"pid\":null,"
                + "\"state\":\"down\",\"oldest\":false,\"shards\":null,\"users\":null}");
  }

  @Test
  void tellsTakeoversWithTheTimeTheyTookIfTheyAreOver() {
    assertThat(open.get(CLUSTER).send(200).json().path("takeovers"))
        .hasToString(
            "[{\"node\":\"node-6\",\"tier\":\"proof\",\"at\":\"2026-05-01T10:00:00.123Z\","
                + "\"shards\":34,\"took\":null},"
                + "{\"node\":\"node-5\",\"tier\":\"resolver\",\"at\":\"2026-05-01T09:00:00Z\",\"shards\":33,"
                + "\"took\":\"PT1.234S\"}]");
  }

  @Test
  void drainsTheNodeThatIsNamed() {
    open.post(CLUSTER + "/nodes/node-2/drain").send(202);
    assertThat(node.cluster().drained()).contains("node-2");
  }

  @Test
  void knowsNoNodeThatIsNoMember() {
    var received = open.post(CLUSTER + "/nodes/node-9/drain").send(404);
    assertThat(received.problem()).isEqualTo("no-such-node");
    assertThat(node.cluster().drained()).doesNotContain("node-9");
  }

  @Test
  void letsAdministratorsInWhereThereAreKeys() {
    locked.get(CLUSTER).header("Authorization", BEARER + TestNode.ADMIN_KEY).send(200);
    locked
        .post(CLUSTER + "/nodes/node-3/drain")
        .header("Authorization", BEARER + TestNode.ADMIN_KEY)
        .send(202);
  }

  @Test
  void letsNobodyElseIn() {
    for (String path : new String[] {CLUSTER, CLUSTER + "/nodes/node-1/drain"}) {
      String method = path.equals(CLUSTER) ? "GET" : "POST";
      assertThat(locked.ask(method, path).send(401).problem()).isEqualTo("api-key-invalid");
      locked.ask(method, path).header("Authorization", BEARER + "another").send(401);
      assertThat(
              locked
                  .ask(method, path)
                  .header("Authorization", BEARER + TestNode.API_KEY)
                  .send(403)
                  .problem())
          .isEqualTo("forbidden");
    }
    assertThat(node.cluster().drained()).doesNotContain("node-1");
  }

  @Test
  void givesAdministratorsNoSessions() {
    locked.post("/v1/sessions").header("Authorization", BEARER + TestNode.ADMIN_KEY).send(403);
  }

  @Test
  void keepsWebPagesAwayWhereThereAreNoKeys() {
    open.post(CLUSTER + "/nodes/node-1/drain").header("Sec-Fetch-Site", "cross-site").send(403);
    open.get(CLUSTER).header("Host", "shop.example").send(403);
    assertThat(node.cluster().drained()).doesNotContain("node-1");
  }
}
