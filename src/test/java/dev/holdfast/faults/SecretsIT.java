package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.faults.Program.Launch;
import dev.holdfast.http.Hashes;
import dev.holdfast.http.TestAuthority;
import dev.holdfast.tls.Pem;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two nodes that speak TLS to each other and to callers, and every secret of theirs replaced while
 * they run: certificates, keys of callers, and the key for session tokens, which reaches one node
 * long before the other.
 */
@Timeout(180)
class SecretsIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String FIRST_TOKEN_KEY = "1:" + tokenKey(1);
  private static final String SECOND_TOKEN_KEY = "2:" + tokenKey(2);

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;
  private final TestAuthority between = new TestAuthority("nodes");
  private final TestAuthority outside = new TestAuthority("callers");
  private HttpClient client = HttpClient.newHttpClient();

  private static String tokenKey(int number) {
    byte[] secret =
        ("a token key for tests, number " + number + ".....").getBytes(StandardCharsets.US_ASCII);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
  }

  @Test
  @Tag("nightly")
  void areReplacedWhileTwoNodesServeByTls() throws Exception {
    between.issue("holdfast-nodes", "RSA", dir.resolve("between"));
    TestAuthority.Issued shown = outside.issue("holdfast", "EC", dir.resolve("outside"));
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(Pem.client(shown.authority(), null, null))
            .build();
    for (int node = 1; node <= 2; node++) {
      write(node, "api-keys", "shop:" + hash("first") + "\n");
      write(node, "admin-keys", "operator:" + hash("root") + "\n");
      write(node, "token-keys", FIRST_TOKEN_KEY);
    }
    HoldfastProcess one = program.start(node(1)).awaitReady();
    HoldfastProcess two = program.start(node(2)).awaitReady();
    assertThat(one.url().getScheme()).isEqualTo("https");
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(admin(one).split("\"up\"", -1)).hasSize(3));

    HttpResponse<String> opened = open(one, "first", "order-1");
    assertThat(opened.statusCode()).isEqualTo(201);
    String token = token(opened);
    assertThat(look(two, "first", token)).isEqualTo(200);

    // A key of the same caller beside the first one, and then without it. Both nodes.
    for (int node = 1; node <= 2; node++) {
      write(node, "api-keys", "shop:" + hash("first") + "\nshop:" + hash("second") + "\n");
    }
    for (HoldfastProcess node : List.of(one, two)) {
      await().atMost(PATIENCE).until(() -> look(node, "second", token) == 200);
      assertThat(look(node, "first", token)).isEqualTo(200);
    }
    HttpResponse<String> repeated = open(two, "second", "order-1");
    assertThat(repeated.headers().firstValue("Idempotent-Replayed")).hasValue("true");
    assertThat(token(repeated)).isEqualTo(token);
    for (int node = 1; node <= 2; node++) {
      write(node, "api-keys", "shop:" + hash("second") + "\n");
    }
    for (HoldfastProcess node : List.of(one, two)) {
      await().atMost(PATIENCE).until(() -> look(node, "first", token) == 401);
      assertThat(look(node, "second", token)).isEqualTo(200);
    }

    // A key for tokens that one node has, and the other has not.
    write(1, "token-keys", SECOND_TOKEN_KEY + "," + FIRST_TOKEN_KEY);
    await().atMost(PATIENCE).until(() -> one.err().contains("token-keys have changed"));
    for (int i = 0; i < 20; i++) {
      assertThat(keyOf(token(open(one, "second", null)))).isEqualTo(1);
    }
    write(2, "token-keys", SECOND_TOKEN_KEY + "," + FIRST_TOKEN_KEY);
    for (HoldfastProcess node : List.of(one, two)) {
      await().atMost(PATIENCE).until(() -> keyOf(token(open(node, "second", null))) == 2);
      String fresh = token(open(node, "second", null));
      for (HoldfastProcess other : List.of(one, two)) {
        assertThat(look(other, "second", fresh)).isEqualTo(200);
        assertThat(look(other, "second", token)).isEqualTo(200);
      }
    }
    for (int node = 1; node <= 2; node++) {
      write(node, "token-keys", SECOND_TOKEN_KEY);
    }
    for (HoldfastProcess node : List.of(one, two)) {
      await().atMost(PATIENCE).until(() -> look(node, "second", token) == 401);
    }

    // Another certificate; and a file that is broken changes nothing.
    outside.issue("holdfast", "RSA", dir.resolve("outside"));
    await().atMost(PATIENCE).until(() -> one.err().contains("certificates have changed"));
    write(1, "api-keys", "not a hash " + hash("third"));
    await().atMost(PATIENCE).until(() -> one.err().contains("api-keys cannot be taken over"));
    assertThat(open(one, "second", null).statusCode()).isEqualTo(201);
    assertThat(metrics(one))
        .contains(
            "holdfast_secrets_refused{what=\"api-keys\"} 1.0",
            "holdfast_secrets_refused{what=\"token-keys\"} 0.0",
            "holdfast_secrets_reloaded_total{what=\"certificates\"} 1.0");

    for (HoldfastProcess node : List.of(one, two)) {
      var ended = node.terminate();
      assertThat(ended.status()).isZero();
      assertThat(ended.err())
          .doesNotContain(token, hash("first"), hash("third"), tokenKey(1), tokenKey(2));
    }

    // The users are found with the key that they have now, and not with the one taken away.
    write(2, "token-keys", FIRST_TOKEN_KEY);
    var refused = program.start(node(2)).awaitEnd();
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("was used with other token keys");
    write(2, "token-keys", SECOND_TOKEN_KEY);
    HoldfastProcess again = program.start(node(2)).awaitReady();
    assertThat(open(again, "second", null).statusCode()).isEqualTo(201);
  }

  /** A file is written beside and moved into its place, as whoever replaces secrets does. */
  private void write(int node, String name, String text) throws IOException {
    Path folder = Files.createDirectories(dir.resolve("secrets-" + node));
    Path draft = Files.writeString(folder.resolve(name + ".new"), text);
    Files.move(draft, folder.resolve(name), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
  }

  private Launch node(int number) {
    var environment = new TreeMap<String, String>();
    for (String list : List.of("api-keys", "admin-keys", "token-keys")) {
      environment.put(
          "HOLDFAST_" + list.toUpperCase(java.util.Locale.ROOT).replace('-', '_') + "_FILE",
          dir.resolve("secrets-" + number).resolve(list).toString());
    }
    environment.put("HOLDFAST_JOURNAL_SHARED", "true");
    for (Map.Entry<String, String> side :
        Map.of("HOLDFAST_CLUSTER_TLS_", "between", "HOLDFAST_HTTP_TLS_", "outside").entrySet()) {
      environment.put(
          side.getKey() + "CERTIFICATE",
          dir.resolve(side.getValue()).resolve("tls.crt").toString());
      environment.put(
          side.getKey() + "KEY", dir.resolve(side.getValue()).resolve("tls.key").toString());
    }
    environment.put(
        "HOLDFAST_CLUSTER_TLS_AUTHORITY", dir.resolve("between").resolve("ca.crt").toString());
    return Program.serving(dir.resolve("data")).and("--node", "node-" + number).with(environment);
  }

  private static String hash(String key) {
    return HexFormat.of().formatHex(Hashes.sha256().digest(key.getBytes(StandardCharsets.UTF_8)));
  }

  private HttpResponse<String> open(HoldfastProcess node, String key, @Nullable String repeat)
      throws IOException, InterruptedException {
    var request = request(node, "/v1/sessions", key).POST(BodyPublishers.noBody());
    if (repeat != null) {
      request.header("Idempotency-Key", repeat);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private static String token(HttpResponse<String> opened) {
    return opened.headers().firstValue("Session-Token").orElseThrow();
  }

  private static int keyOf(String token) {
    return Base64.getUrlDecoder().decode(token)[1];
  }

  private int look(HoldfastProcess node, String key, String token)
      throws IOException, InterruptedException {
    return client
        .send(
            request(node, "/v1/session", key).header("Session-Token", token).build(),
            BodyHandlers.ofString())
        .statusCode();
  }

  private String admin(HoldfastProcess node) throws IOException, InterruptedException {
    return client
        .send(request(node, "/v1/admin/cluster", "root").build(), BodyHandlers.ofString())
        .body();
  }

  private String metrics(HoldfastProcess node) throws IOException, InterruptedException {
    return client.send(request(node, "/metrics", "").build(), BodyHandlers.ofString()).body();
  }

  private static HttpRequest.Builder request(HoldfastProcess node, String path, String key) {
    return HttpRequest.newBuilder(URI.create(node.url() + path))
        .timeout(PATIENCE)
        .header("Authorization", "Bearer " + key);
  }
}
