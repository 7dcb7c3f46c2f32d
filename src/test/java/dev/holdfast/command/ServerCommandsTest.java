package dev.holdfast.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code status}, {@code drain} and {@code takeovers}, with a server that answers what it is told.
 */
@Timeout(60)
class ServerCommandsTest {

  private static final String CLUSTER =
      """
      {"nodes":[
      {"name":"node-1","address":"127.0.0.1:8181","http":"http://127.0.0.1:8081","pid":4711,\
      "state":"up","shards":50,"users":12345},
      {"name":"node-2","address":"127.0.0.1:8182","http":null,"pid":null,\
      "state":"unreachable","shards":null,"users":null}],
      "takeovers":[
      {"node":"node-2","tier":"proof","at":"2026-05-01T10:00:00.123Z","shards":34,"took":null},
      {"node":"node-3","tier":"resolver","at":"2026-05-01T09:00:00Z","shards":33,"took":"PT1.234S"}]}\
      """;

  private final List<String> asked = new CopyOnWriteArrayList<>();
  private HttpServer server;
  private volatile int status = 200;
  private volatile String body = CLUSTER;

  private record Run(int status, String out, String err) {}

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
          byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void showsTheNodesAsATable() {
    Run run = run("status", "--url", url());
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            node    state        shards   users  http                   address          pid
            node-1  up               50  12,345  http://127.0.0.1:8081  127.0.0.1:8181  4711
            node-2  unreachable       -       -  -                      127.0.0.1:8182     -
            """);
    assertThat(asked).containsExactly("GET /v1/admin/cluster");
  }

  @Test
  void showsTheNodesAsJson() {
    Run run = run("status", "--json", "--url", url());
    assertThat(run.status()).isZero();
    assertThat(run.out()).isEqualTo(CLUSTER + "\n");
  }

  @Test
  void showsTakeovers() {
    assertThat(run("takeovers", "--url", url()).out())
        .isEqualTo(
            """
            node    seen by   at                        shards  took
            node-2  proof     2026-05-01T10:00:00.123Z      34  not yet over
            node-3  resolver  2026-05-01T09:00:00Z          33  1.234 s
            """);
    assertThat(run("takeovers", "--json", "--url", url()).out())
        .startsWith("[{\"node\":\"node-2\"")
        .hasLineCount(1);
    body = "{\"nodes\":[],\"takeovers\":[]}";
    assertThat(run("takeovers", "--url", url())).isEqualTo(new Run(0, "no takeovers\n", ""));
  }

  @Test
  void drains() {
    status = 202;
    body = "";
    assertThat(run("drain", "node-2", "--url", url()))
        .isEqualTo(new Run(0, "node-2 was told to drain\n", ""));
    assertThat(run("drain", "--json", "node-2", "--url", url() + "/").out())
        .isEqualTo("{\"draining\":\"node-2\"}\n");
    assertThat(asked)
        .containsExactly(
            "POST /v1/admin/cluster/nodes/node-2/drain",
            "POST /v1/admin/cluster/nodes/node-2/drain");
  }

  @Test
  void saysThatThereIsNoSuchNode() {
    status = 404;
    body = "{\"status\":404,\"detail\":\"No member of the cluster has this name.\"}";
    assertFailed(
        run("drain", "a b/c", "--url", url()), "404: No member of the cluster has this name.");
    assertThat(asked).containsExactly("POST /v1/admin/cluster/nodes/a%20b%2Fc/drain");
  }

  @Test
  void saysThatAKeyIsWanted() {
    status = 401;
    body = "{\"status\":401}";
    assertFailed(run("status", "--url", url()), "set HOLDFAST_ADMIN_KEY");
    status = 403;
    body = "{\"status\":403,\"detail\":\"The API key has not the right to this call.\"}";
    assertFailed(run("takeovers", "--url", url()), "refuses: The API key has not the right");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"nodes\":[{}],\"takeovers\":[]}",
        "{\"nodes\":[{\"name\":\"a\",\"address\":\"b\",\"state\":\"odd\"}],\"takeovers\":[]}",
        "{\"nodes\":[],\"takeovers\":[{\"node\":\"a\",\"at\":\"now\"}]}"
      })
  void saysThatTheServerIsAnother(String answer) {
    body = answer;
    assertFailed(run("status", "--url", url()), "did not answer as Holdfast does");
  }

  @Test
  void saysThatNobodyListens() throws IOException {
    int free;
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      free = socket.getLocalPort();
    }
    for (String command : List.of("status", "takeovers")) {
      assertFailed(
          run(command, "--url", "http://127.0.0.1:" + free),
          "nobody listens at http://127.0.0.1:" + free);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:8080", "ftp://localhost", "http://", "http://a b", "nonsense"})
  void refusesWhatIsNoUrl(String url) {
    Run run = run("status", "--url", url);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("--url is " + url);
  }

  @Test
  void wantsANodeToDrain() {
    Run run = run("drain", "--url", url());
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("NODE");
    assertThat(asked).isEmpty();
  }

  private static void assertFailed(Run run, String why) {
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("holdfast: ").contains(why).hasLineCount(1);
  }

  private String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private static Run run(String... arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    int status =
        HoldfastCommand.commandLine()
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(arguments);
    return new Run(status, out.toString(), err.toString());
  }
}
