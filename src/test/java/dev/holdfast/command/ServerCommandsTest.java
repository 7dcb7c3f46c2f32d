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
 * {@code status}, {@code top}, {@code drain}, {@code takeovers} and {@code user}, with a server
 * that answers what it is told.
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

  /** One after the other, instead of the body. */
  private volatile List<String> answers = List.of();

  private record Run(int status, String out, String err) {}

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
          String next = answers.isEmpty() ? body : answers.get(asked.size() - 1);
          byte[] bytes = next.getBytes(StandardCharsets.UTF_8);
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

  private static final String USER =
      """
      {"user":"a/b","owner":"85d0c1e318151f3becee0efe7ed7ff32","revision":8,\
      "changedAt":"2026-03-01T09:42:10Z","sessions":[\
      {"id":"hdDB4xgVHzvs7tAO_v7tf_MiaKw0F4LK","attributes":{"locale":"de"},\
      "createdAt":"2026-03-01T09:30:00Z","lastSeenAt":"2026-03-01T09:42:10Z",\
      "idleTimeout":"PT30M","expiresAt":"2026-03-01T10:12:10Z","endsAt":"2026-03-08T09:42:10Z"}],\
      "cart":{"revision":8,"items":[{"sku":"tea","quantity":2,\
      "unitPrice":{"amount":"6.90","currency":"EUR"},"name":"Tea","attributes":{},\
      "lineTotal":{"amount":"13.80","currency":"EUR"}}],\
      "totals":[{"amount":"13.80","currency":"EUR"}],"itemCount":2,"lastOrder":null}}\
      """;

  @Test
  void showsAUserOfTheServer() {
    body = USER;
    Run run = run("user", "show", "a/b", "--url", url());
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            user      a/b
            owner     85d0c1e318151f3becee0efe7ed7ff32
            revision  8, at 2026-03-01T09:42:10Z
            sessions  1
              hdDB4xgVHzvs7tAO_v7tf_MiaKw0F4LK  opened 2026-03-01T09:30:00Z, \
            seen 2026-03-01T09:42:10Z, expires 2026-03-01T10:12:10Z
                {"locale":"de"}
            cart      1 lines
              2 × tea at 6.90 EUR Tea
              total 13.80 EUR
            """);
    assertThat(asked).containsExactly("GET /v1/admin/users/a%2Fb");
  }

  @Test
  void tellsTheHistoryOfAUserOfTheServer() {
    body =
        """
        {"events":[{"id":"x-3-1","cursor":"c","owner":"x","number":3,"at":"2026-03-01T09:42:10Z",\
        "type":"cart.line-removed.v1","by":"hdDB4xgVHzvs7tAO_v7tf_MiaKw0F4LK","summary":"tea",\
        "data":{"sku":"tea"}}],"more":false}\
        """;
    assertThat(run("user", "history", "a", "--url", url()).out())
        .isEqualTo(
            "2026-03-01T09:42:10Z  3  cart.line-removed.v1  tea"
                + "  by hdDB4xgVHzvs7tAO_v7tf_MiaKw0F4LK\n");
    assertThat(run("user", "history", "a", "--url", url(), "--json").out())
        .isEqualTo(
            "{\"number\":3,\"at\":\"2026-03-01T09:42:10Z\",\"name\":\"cart.line-removed.v1\","
                + "\"by\":\"hdDB4xgVHzvs7tAO_v7tf_MiaKw0F4LK\",\"summary\":\"tea\"}\n");
    assertThat(asked.getFirst()).isEqualTo("GET /v1/admin/users/a/history?limit=1000");
  }

  /** Members of attributes are the callers' own, and may be called anything. */
  @Test
  void goesOnWithAHistoryBehindTheLastEventThatItWasTold() {
    answers =
        List.of(
            """
            {"events":[{"id":"x-3-1","cursor":"c","owner":"x","number":3,\
            "at":"2026-03-01T09:42:10Z","type":"session.attributes-changed.v1","by":null,\
            "summary":"address","data":{"set":{"address":{"number":"12b"}}}}],"more":true}\
            """,
            "{\"events\":[],\"more\":false}");

    assertThat(run("user", "history", "a", "--url", url()).status()).isZero();

    assertThat(asked)
        .containsExactly(
            "GET /v1/admin/users/a/history?limit=1000",
            "GET /v1/admin/users/a/history?limit=1000&after=3");
  }

  @Test
  void erasesAUserOfTheServerIfThatIsMeant() {
    body =
        """
        {"owner":"85d0c1e318151f3becee0efe7ed7ff32","erasedAt":"2026-03-01T09:42:10Z",\
        "revision":9,"sessionsEnded":2}\
        """;
    assertThat(run("user", "erase", "a", "--url", url()).status()).isEqualTo(2);
    assertThat(asked).isEmpty();
    assertThat(run("user", "erase", "a", "--yes", "--url", url()).out())
        .isEqualTo(
            "erased owner 85d0c1e318151f3becee0efe7ed7ff32 at 2026-03-01T09:42:10Z: revision 9,"
                + " 2 sessions ended\n");
    assertThat(asked).containsExactly("DELETE /v1/admin/users/a");
    status = 404;
    body = "{\"title\":\"No such user\",\"detail\":\"Nothing is known of a user of that id.\"}";
    Run run = run("user", "erase", "b", "--yes", "--url", url());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("Nothing is known of a user of that id.");
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
  void showsLiveWhatTheNodesDo() {
    answers = List.of(figures(1_000, 10, 0), CLUSTER, figures(3_000, 10, 300));
    Run run = run("top", "--looks", "1", "--interval", "0.2", "--url", url());
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out().lines().map(line -> line.replaceAll(" +", " ")))
        .containsExactly(
            "node state shards users reads/s writes/s read p99 ms write p99 ms failed events/batch"
                + " heap MiB",
            "node-1 up 50 12,345 0.0 150 0.0 1.0 3 2.0 64",
            "node-2 unreachable - - - - - - - - -",
            "takeover of node-2 at 2026-05-01T10:00:00.123Z: 34 shards, under way",
            "takeover of node-3 at 2026-05-01T09:00:00Z: 33 shards in 1234 ms");
    assertThat(asked)
        .containsExactly("GET /v1/admin/metrics", "GET /v1/admin/cluster", "GET /v1/admin/metrics");
  }

  @Test
  void showsNoRatesOfANodeThatWasStartedAgain() {
    answers = List.of(figures(9_000, 10, 0), CLUSTER, figures(500, 0, 300));
    assertThat(run("top", "--looks", "1", "--interval", "0.2", "--url", url()).out())
        .contains("node-1  up               50  12,345        -         -");
  }

  @Test
  void showsEachLookAsALineOfJson() {
    answers = List.of(figures(1_000, 10, 0), CLUSTER, figures(3_000, 10, 300));
    Run run = run("top", "--json", "--looks", "1", "--interval", "0.2", "--url", url());
    assertThat(run.out())
        .hasLineCount(1)
        .startsWith("{\"nodes\":[{\"name\":\"node-1\",\"state\":\"up\",\"seconds\":2.0,")
        .contains("\"writesPerSecond\":150.0", "{\"name\":\"node-2\",\"state\":\"unreachable\"}")
        .endsWith("\"takeovers\":2}\n");
  }

  @Test
  void looksOnAfterALookThatFailed() {
    answers = List.of(figures(1_000, 10, 0), "{}", CLUSTER, figures(3_000, 10, 300));
    Run run = run("top", "--looks", "2", "--interval", "0.2", "--url", url());
    assertThat(run.err()).hasLineCount(1).contains("did not answer as Holdfast does");
    assertThat(run.out()).contains("node-1  up               50  12,345      0.0       150");
    assertThat(run.status()).isZero();
  }

  @Test
  void endsWithAnErrorIfTheLastLookFailed() {
    answers = List.of(figures(1_000, 10, 0), "{}");
    assertThat(run("top", "--looks", "1", "--interval", "0.2", "--url", url()).status())
        .isEqualTo(1);
  }

  @Test
  void refusesLooksThatCannotBe() {
    assertThat(run("top", "--interval", "0", "--url", url()).status()).isEqualTo(2);
    assertThat(asked).isEmpty();
  }

  /** Of one node: writes that took up to a millisecond, in batches of two events. */
  private static String figures(long upMillis, long reads, long writes) {
    String nanos = "{\"count\":%d,\"sum\":0.5,\"buckets\":[0,%d,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}";
    String none = nanos.formatted(0, 0);
    return """
    {"secondsBounds":[],"countBounds":[],"nodes":[{"name":"node-2","figures":null},
    {"name":"node-1","figures":{"upMillis":%d,
    "requests":{"reads":%s,"writes":%s,"refused":0,"failed":%d},
    "journal":{"takesWrites":true,"queued":0,"recovering":0,"events":%d,"commits":%s,
    "batches":{"count":%d,"sum":%d,"buckets":[0,%d,0,0,0,0,0,0,0,0,0]},"recoveries":%s},
    "memory":{"users":7,"unreadable":0,"heapUsed":67108864,"heapMax":1073741824}}}]}\
    """
        .formatted(
            upMillis,
            nanos.formatted(reads, reads),
            nanos.formatted(writes, writes),
            writes / 100,
            writes,
            none,
            writes / 2,
            writes,
            writes / 2,
            none);
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
