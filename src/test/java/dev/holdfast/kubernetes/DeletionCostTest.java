package dev.holdfast.kubernetes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.app.App;
import dev.holdfast.app.Settings;
import dev.holdfast.kubernetes.PlayedApiServer.Call;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DeletionCostTest {

  private static final DeletionCost.Pace QUICK =
      new DeletionCost.Pace(
          Duration.ofMillis(5),
          Duration.ofMillis(300),
          Duration.ofMillis(20),
          Duration.ofSeconds(5));

  @TempDir private Path account;

  private final AtomicBoolean oldest = new AtomicBoolean();
  private PlayedApiServer server;
  private @Nullable DeletionCost cost;

  @BeforeEach
  void play() throws IOException {
    server = new PlayedApiServer();
  }

  @AfterEach
  void end() {
    if (cost != null) {
      cost.close();
    }
    server.close();
  }

  @Test
  void asksKubernetesToTakeTheOldestNodeLast() throws IOException {
    keep();
    await().until(() -> !server.calls().isEmpty());
    assertThat(server.calls().getFirst().line())
        .isEqualTo(
            "PATCH /api/v1/namespaces/shop/pods/holdfast-5d9c7b-x2x4z"
                + " application/merge-patch+json");
    assertThat(server.calls().getFirst().body())
        .isEqualTo(
            "{\"metadata\":{\"annotations\":"
                + "{\"controller.kubernetes.io/pod-deletion-cost\":\"0\"}}}");

    oldest.set(true);
    await().until(() -> server.calls().size() == 2);
    assertThat(server.calls().getLast().body()).contains(":\"1000\"}}}");
  }

  @Test
  void writesItOnlyWhenItChanges() throws IOException {
    var looks = new CountDownLatch(50);
    cost =
        DeletionCost.keep(
            server.pod(account),
            () -> {
              looks.countDown();
              return true;
            },
            QUICK);
    await().until(() -> looks.getCount() == 0);
    assertThat(server.calls()).hasSize(1);
  }

  @Test
  void readsTheTokenAnewWhenKubernetesHasReplacedIt() throws IOException {
    keep();
    await().until(() -> server.calls().size() == 1);

    server.takes("second");
    oldest.set(true);
    await().until(() -> server.calls().size() >= 3); // refused with 401, again and again
    PlayedApiServer.give(account, "second");
    await().until(() -> server.accepted().size() == 2);
    assertThat(server.accepted().getLast()).contains(":\"1000\"");
  }

  @Test
  void waitsAsLongAsABusyServerAsks() throws IOException {
    server.is(
        exchange -> PlayedApiServer.reply(exchange, server.calls().size() == 1 ? 429 : 200, "1"));
    keep();
    await().until(() -> server.calls().size() == 2);
    assertThat(between(server.calls().get(0), server.calls().get(1)))
        .isGreaterThanOrEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void triesAgainEverMoreSeldomWhileTheServerFails() throws IOException {
    server.is(
        exchange -> PlayedApiServer.reply(exchange, server.calls().size() < 6 ? 500 : 200, null));
    keep();
    await().until(() -> !server.accepted().isEmpty());
    List<Call> calls = server.calls();
    assertThat(calls).hasSize(6);
    // 20, 40, 80, 160, 320 ms
    assertThat(between(calls.get(4), calls.get(5))).isGreaterThan(Duration.ofMillis(300));
    assertThat(between(calls.get(0), calls.get(5))).isGreaterThan(Duration.ofMillis(600));
  }

  @Test
  void givesACallUpThatIsNotAnsweredAndTriesAgain() throws IOException {
    var never = new CountDownLatch(1);
    server.is(exchange -> {
      if (server.calls().size() == 1) {
        hold(never);
      }
      PlayedApiServer.reply(exchange, 200, null);
    });
    keep();
    await().until(() -> server.calls().size() == 2 && !server.accepted().isEmpty());
    never.countDown();
  }

  @Test
  void givesACallUpWhoseAnswerNeverEnds() throws IOException {
    var never = new CountDownLatch(1);
    server.is(exchange -> {
      if (server.calls().size() == 1) {
        exchange.sendResponseHeaders(200, 1_000);
        exchange.getResponseBody().write('{');
        exchange.getResponseBody().flush();
        hold(never);
      } else {
        PlayedApiServer.reply(exchange, 200, null);
      }
    });
    keep();
    await().until(() -> server.calls().size() == 2 && !server.accepted().isEmpty());
    never.countDown();
  }

  @Test
  void goesOnTryingWhileTheServerOrItsFilesAreAbsent() throws IOException {
    PodSettings pod = server.pod(account);
    Files.delete(account.resolve("token"));
    cost = DeletionCost.keep(pod, oldest::get, QUICK);
    PlayedApiServer.give(account, "first");
    await().until(() -> server.calls().size() == 1);
  }

  @Test
  void endsAtOnceInTheMiddleOfACall() throws IOException, InterruptedException {
    var never = new CountDownLatch(1);
    server.is(exchange -> hold(never));
    keep(DeletionCost.Pace.CALM);
    await().until(() -> !server.calls().isEmpty());
    Thread thread =
        Thread.getAllStackTraces().keySet().stream()
            .filter(each -> each.getName().equals("holdfast-deletion-cost"))
            .findAny()
            .orElseThrow();
    cost().close();
    assertThat(thread.join(Duration.ofSeconds(2))).isTrue();
    never.countDown();
  }

  @Test
  void trustsTheAuthorityOfTheServiceAccountAndNobodyElse() throws Exception {
    try (var secure = new PlayedApiServer(context("server"));
        var stranger = new PlayedApiServer(context("stranger"))) {
      PodSettings pod = secure.pod(account);
      Files.copy(account.resolve("server.pem"), account.resolve("ca.crt"));
      var patch = new PodPatch(pod, Duration.ofSeconds(5));
      assertThat(patch.write(1).isDone()).isTrue();

      var astray = new PodPatch(stranger.pod(account), Duration.ofSeconds(5));
      assertThatThrownBy(() -> astray.write(1))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("SSLHandshakeException");
      assertThat(stranger.calls()).isEmpty();
    }
  }

  /** The node does not even notice: it starts, is ready, answers, and stops in good order. */
  @Test
  void doesTheNodeNoHarmWhateverTheServerDoes(@TempDir Path data) throws Exception {
    var never = new CountDownLatch(1);
    server.is(exchange -> {
      switch (server.calls().size() % 3) {
        case 0 -> hold(never);
        case 1 -> PlayedApiServer.reply(exchange, 500, null);
        default -> exchange.close();
      }
    });
    PodSettings pod = server.pod(account);
    Settings settings =
        Settings.load(
            null,
            Map.of(
                "HOLDFAST_KUBERNETES_POD", pod.name(),
                "HOLDFAST_KUBERNETES_API", pod.api().toString(),
                "HOLDFAST_KUBERNETES_ACCOUNT", pod.account().toString()),
            Map.of("port", "0", "data", data.toString()));
    var fenced = new AtomicBoolean();
    try (App app = App.start(settings, () -> fenced.set(true));
        HttpClient client = HttpClient.newHttpClient()) {
      await().until(() -> server.calls().size() >= 3);
      assertThat(status(client, app.url().resolve("/health/ready"))).isEqualTo(200);
      assertThat(status(client, app.url().resolve("/health/live"))).isEqualTo(200);
      assertThat(server.calls()).allMatch(call -> call.body().contains(":\"1000\""));
    }
    assertThat(fenced).isFalse();
    never.countDown();
  }

  private static int status(HttpClient client, URI uri) throws Exception {
    return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding()).statusCode();
  }

  private void keep() throws IOException {
    keep(QUICK);
  }

  private void keep(DeletionCost.Pace pace) throws IOException {
    cost = DeletionCost.keep(server.pod(account), oldest::get, pace);
  }

  private DeletionCost cost() {
    assertThat(cost).isNotNull();
    return cost;
  }

  private static Duration between(Call one, Call next) {
    return Duration.ofNanos(next.nanos() - one.nanos());
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  /** A key and a certificate of its own, which is left as {@code NAME.pem}, by the JDK's tool. */
  private SSLContext context(String name) throws Exception {
    Path store = account.resolve(name + ".p12");
    keytool(
        "-genkeypair",
        "-alias",
        name,
        "-keyalg",
        "EC",
        "-dname",
        "CN=" + name,
        "-ext",
        "san=ip:127.0.0.1",
        "-keystore",
        store.toString(),
        "-storepass",
        "changeit");
    KeyStore keys = KeyStore.getInstance("PKCS12");
    char[] password = "changeit".toCharArray();
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, password);
    }
    Files.writeString(
        account.resolve(name + ".pem"),
        "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
            .formatted(
                Base64.getMimeEncoder().encodeToString(keys.getCertificate(name).getEncoded())));
    var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  private static void keytool(String... arguments) throws Exception {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
  }
}
