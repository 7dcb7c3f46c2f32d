package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.entity.UserReplayer;
import dev.holdfast.http.Fuzzer.Made;
import dev.holdfast.journal.JournalAudit;
import dev.holdfast.journal.SqliteStore;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Thousands of requests, most of them wrong in some way: no fault of the server's, no answer that
 * the contract does not have, no change by a request that was refused, no secret in an answer or a
 * line of the log, and a journal that is sound at the end.
 */
class FuzzTest {

  /** The same requests in each build: one that fails, fails again. */
  private static final long SEED = 20_260_501;

  private static final String API_KEY = "api-key-9f86d081884c7d65";
  private static final String ADMIN_KEY = "admin-key-2c26b46b68ffc68f";
  private static final Pattern TOKEN =
      Pattern.compile("(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{72}(?![A-Za-z0-9_-])");
  private static final Set<String> GIVE_TOKENS =
      Set.of("POST /v1/sessions", "POST /v1/session/login", "POST /v1/session/rotate");

  @TempDir private Path folder;
  private final Map<Integer, Integer> statuses = new TreeMap<>();
  private final Set<String> tokens = ConcurrentHashMap.newKeySet();
  private final Set<String> leaks = ConcurrentHashMap.newKeySet();

  @Test
  @Timeout(120)
  void breaksNothingWithFiveThousandRequests() throws Exception {
    run(SEED, 5_000);
  }

  @Test
  @Tag("nightly")
  @Timeout(1_800)
  void breaksNothingWithAHundredThousandRequests() throws Exception {
    run(Long.getLong("holdfast.seed", new Random().nextLong()), 100_000);
  }

  private void run(long seed, int requests) throws Exception {
    System.out.println("seed: -Dholdfast.seed=" + seed);
    var log = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    var ours = (Logger) LoggerFactory.getLogger("dev.holdfast");
    var appender = new Listener();
    appender.start();
    log.addAppender(appender);
    ours.setLevel(Level.DEBUG);
    try (TestNode node = TestNode.start(folder)) {
      attack(node, seed, requests);
    } finally {
      ours.setLevel(null);
      log.detachAppender(appender);
    }
    assertThat(leaks).as("secrets in the log").isEmpty();
    try (var store = SqliteStore.openToRead(folder)) {
      var report = new JournalAudit<>(new UserReplayer()).run(store);
      assertThat(report.isSound()).as("%s", report.findings()).isTrue();
    }
    assertThat(secretsIn(folder)).as("secrets in the journal").isEmpty();
    System.out.println("answers by status (0: closed without one): " + statuses);
  }

  /** Tokens as they are sent, and what makes each one valid; keys of callers. */
  private List<String> secretsIn(Path journal) throws IOException {
    var found = new ArrayList<String>();
    List<String> some = tokens.stream().sorted().limit(200).toList();
    try (var files = Files.walk(journal)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (file.toString().contains("native")) {
          continue; // SQLite's library
        }
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        for (String token : some) {
          byte[] whole = Base64.getUrlDecoder().decode(token);
          String mac = new String(whole, 38, 16, StandardCharsets.ISO_8859_1);
          if (bytes.contains(token) || bytes.contains(mac)) {
            found.add("a token in " + file);
          }
        }
        if (bytes.contains(API_KEY) || bytes.contains(ADMIN_KEY)) {
          found.add("a key in " + file);
        }
      }
    }
    assertThat(some).hasSizeGreaterThan(50);
    return found;
  }

  private void attack(TestNode node, long seed, int requests) throws Exception {
    var usual = HttpSettings.Bounds.defaults();
    var bounds =
        new HttpSettings.Bounds(
            usual.bodyBytes(),
            usual.requestLineBytes(),
            usual.headerBytes(),
            usual.connections(),
            usual.requestsInHand(),
            Duration.ofMillis(300), // who announces more than it sends is waited for
            usual.answering(),
            usual.idle(),
            usual.streams(),
            usual.heartbeat(),
            usual.deadline(),
            usual.stopping());
    var keys =
        new ApiKeys(
            List.of(ApiKey.of(ApiKey.Kind.APPLICATION, TestNode.hash(API_KEY))),
            List.of(ApiKey.of(ApiKey.Kind.ADMINISTRATOR, TestNode.hash(ADMIN_KEY))));
    var client = new Client(node.start(bounds, keys).port());
    String victim = post(client).send(201).need("Session-Token");
    tokens.add(victim);
    authorized(client.put("/v1/cart/items/tea"))
        .token(victim)
        .json("{\"quantity\":2,\"unitPrice\":{\"amount\":\"6.90\",\"currency\":\"EUR\"}}")
        .send(201);
    String before = view(client, victim).need("ETag");

    var fuzzer = new Fuzzer(seed, API_KEY, ADMIN_KEY);
    var sampling = new Random(seed);
    for (int i = 0; i < 8; i++) {
      learn(fuzzer, post(client).json("{\"user\":\"customer-%d\"}".formatted(i)).send(201));
    }
    for (int number = 1; number <= requests; number++) {
      Made made = fuzzer.next();
      String what = "request %d with -Dholdfast.seed=%d: %s".formatted(number, seed, made);
      String token = sampling.nextInt(4) == 0 ? made.token() : null;
      @Nullable String tag = token == null ? null : tag(client, token);
      Received received = send(client, made, what);
      statuses.merge(received == null ? 0 : received.status(), 1, Integer::sum);
      if (received != null) {
        judge(made, received, what);
        if (tag != null && token != null && received.status() >= 400) {
          assertThat(tag(client, token)).as("refused, so nothing changed: %s", what).isEqualTo(tag);
        }
        learn(fuzzer, received);
        if (made.token() != null && received.body().contains(":session-invalid")) {
          fuzzer.forgetToken(made.token());
        }
      }
    }
    assertThat(statuses.getOrDefault(200, 0))
        .as("requests that were right")
        .isGreaterThan(requests / 20);
    // Of those in the journal at the end, the erased users' are gone.
    assertThat(node.eventsWritten()).as("changes").isGreaterThan(requests / 20);
    assertThat(view(client, victim).need("ETag")).isEqualTo(before);
    for (String token : tokens) {
      Received seen = authorized(client.get("/v1/session")).token(token).send();
      if (seen.status() == 200) {
        consistent(seen.json());
      }
    }
  }

  private static @Nullable Received send(Client client, Made made, String what) {
    if (made.intact()) {
      try {
        return client.raw(made.bytes());
      } catch (AssertionError broken) {
        throw new AssertionError(what, broken);
      }
    }
    try (Socket socket = client.connect()) {
      socket.getOutputStream().write(made.bytes());
      socket.shutdownOutput();
      return Received.read(socket.getInputStream(), made.method().equals("HEAD"));
    } catch (IOException reset) {
      return null;
    }
  }

  private void judge(Made made, Received received, String what) {
    assertThat(received.status()).as(what).isBetween(200, 504).isNotIn(500, 501, 502);
    String all = received.headers() + received.body();
    assertThat(all)
        .as(what)
        .doesNotContain(API_KEY, ADMIN_KEY, "Exception", "dev.holdfast", "io.helidon", "java.");
    boolean gives = GIVE_TOKENS.contains(made.operation()) && received.status() < 300;
    Matcher found = TOKEN.matcher(all);
    while (found.find()) {
      if (gives) {
        tokens.add(found.group());
      } else {
        assertThat(tokens).as(what).doesNotContain(found.group());
      }
    }
  }

  private void learn(Fuzzer fuzzer, Received received) {
    String token = received.header("Session-Token");
    if (token != null) {
      tokens.add(token);
      fuzzer.learnToken(token);
    }
    JsonNode body = Fuzzer.json(received.body());
    if (body.path("id").isTextual()) {
      fuzzer.learnId(body.path("id").asText());
    }
    if (body.path("cursor").isTextual()) {
      fuzzer.learnCursor(body.path("cursor").asText());
    }
  }

  /** What holds of every session that can be seen. */
  private static void consistent(JsonNode view) {
    JsonNode items = view.path("cart").path("items");
    int count = 0;
    var skus = new HashSet<String>();
    for (JsonNode item : items) {
      assertThat(item.path("quantity").asInt()).isBetween(1, 9_999);
      assertThat(skus.add(item.path("sku").asText())).isTrue();
      count += item.path("quantity").asInt();
    }
    assertThat(items.size()).isLessThanOrEqualTo(200);
    assertThat(view.path("cart").path("itemCount").asInt()).isEqualTo(count);
    assertThat(view.path("attributes").toString().length()).isLessThanOrEqualTo(64 * 1024);
  }

  private static Client.Ask authorized(Client.Ask ask) {
    return ask.header("Authorization", "Bearer " + API_KEY);
  }

  private static Client.Ask post(Client client) {
    return authorized(client.post("/v1/sessions"));
  }

  private static Received view(Client client, String token) {
    return authorized(client.get("/v1/session")).token(token).send(200);
  }

  private static @Nullable String tag(Client client, String token) {
    return authorized(client.get("/v1/session")).token(token).send().header("ETag");
  }

  /** Looks for secrets in every line. */
  private final class Listener extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      look(event.getFormattedMessage());
      for (@Nullable IThrowableProxy cause = event.getThrowableProxy();
          cause != null;
          cause = cause.getCause()) {
        look(String.valueOf(cause.getMessage()));
      }
    }

    private void look(String line) {
      if (line.contains(API_KEY) || line.contains(ADMIN_KEY)) {
        leaks.add(line);
      }
      Matcher found = TOKEN.matcher(line);
      while (found.find()) {
        if (tokens.contains(found.group())) {
          leaks.add(line);
        }
      }
    }
  }
}
