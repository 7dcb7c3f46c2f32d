package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.Sent;
import dev.holdfast.faults.Program.Launch;
import dev.holdfast.journal.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * A consumer reads the feed at whichever node answers, while 64 writers, two for each user, write
 * at three of them, which are killed in between. The session of each writer is watched by a stream,
 * which is opened again elsewhere, by {@code Last-Event-ID}, when its node is gone.
 */
@Isolated("what callers wait for is not to be that other tests run")
class FeedCrashIT {

  private static final int WRITERS = 64;
  private static final int WRITERS_A_USER = 2;
  private static final int REQUESTS_A_SECOND = 300;
  private static final int ACKNOWLEDGED_BETWEEN = 250;
  private static final String KEY = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
  private static final String FEED = "/v1/admin/feed?limit=500";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .executor(Executors.newVirtualThreadPerTaskExecutor())
          .build();

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  private final Random random = new Random(Seed.ofThisRun());
  private final Front front = new Front(REQUESTS_A_SECOND);
  private final ApiClient api = new ApiClient(front);
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicInteger acknowledged = new AtomicInteger();

  @SuppressWarnings("NullAway.Init") // set before each test
  private PostgresServer database;

  private int names;

  @BeforeEach
  void startDatabase() throws IOException {
    database = PostgresServer.start(dir.resolve("database"));
  }

  @AfterEach
  void stopDatabase() throws IOException {
    front.close();
    database.close();
  }

  @Test
  @Timeout(120)
  void tellsEachAcknowledgedEventOnceInOneOrderThoughANodeIsKilled() throws Exception {
    tellsAll(1);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void tellsEachAcknowledgedEventOnceInOneOrderThoughNodesAreKilledAgainAndAgain()
      throws Exception {
    tellsAll(10);
  }

  private void tellsAll(int kills) throws Exception {
    List<HoldfastProcess> nodes = new ArrayList<>(start(3));
    var consumer = new Consumer();
    List<Writer> writers = IntStream.range(0, WRITERS).mapToObj(Writer::new).toList();
    List<Watcher> watchers = writers.stream().map(Watcher::new).toList();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writing = writers.stream().<Future<?>>map(threads::submit).toList();
      Future<?> reading = threads.submit(consumer);
      List<Future<?>> watching = watchers.stream().<Future<?>>map(threads::submit).toList();
      awaitAcknowledged(ACKNOWLEDGED_BETWEEN);
      for (int kill = 0; kill < kills; kill++) {
        HoldfastProcess victim = nodes.remove(random.nextInt(nodes.size()));
        victim.kill9();
        front.remove(victim.url());
        awaitAcknowledged(ACKNOWLEDGED_BETWEEN);
        if (kill < kills - 1) {
          nodes.addAll(start(1));
        }
      }
      over.set(true);
      for (Future<?> one : writing) {
        one.get();
      }
      reading.get();
      for (Future<?> one : watching) {
        one.get(30, TimeUnit.SECONDS);
      }
    }
    consumer.readOn();
    System.out.printf(
        "%d writers, %d kills: %d changes acknowledged, %d events told, %d streams opened again%n",
        WRITERS,
        kills,
        acknowledged.get(),
        consumer.ids.size(),
        watchers.stream().filter(watcher -> watcher.opened > 1).count());
    assertThat(watchers).as("streams of the killed node").anyMatch(watcher -> watcher.opened > 1);

    for (Writer writer : writers) {
      List<Integer> told = consumer.changes.getOrDefault(writer.name, List.of());
      assertThat(told)
          .as("what writer %s was told is done, each once and in its order", writer.name)
          .isEqualTo(IntStream.rangeClosed(1, writer.done).boxed().toList());
    }
    // Who begins anew is told the same, under the same ids, in the same order.
    var anew = new Consumer();
    anew.readOn();
    assertThat(anew.ids).containsExactlyElementsOf(consumer.ids);
  }

  /** Sets an attribute of its own to 1, 2, 3…, each when the one before was acknowledged. */
  private final class Writer implements Runnable {
    private final String name;
    private final String user;
    private final CompletableFuture<String> opened = new CompletableFuture<>();
    private volatile int done;
    private volatile boolean ended;

    Writer(int number) {
      this.name = "w" + number;
      this.user = "user-" + number / WRITERS_A_USER;
    }

    @Override
    public void run() {
      String token =
          untilDone(
                  Call.of("POST", "/v1/sessions")
                      .json("{\"user\":\"%s\"}".formatted(user))
                      .key("open-" + name))
              .header("Session-Token");
      opened.complete(token);
      while (!over.get()) {
        int next = done + 1;
        untilDone(
            Call.of("PUT", "/v1/session/attributes/" + name)
                .json(Integer.toString(next))
                .token(token)
                .key(name + "-" + next));
        done = next;
        acknowledged.incrementAndGet();
      }
      ended = true;
    }

    /** Sends it, and the same again where it is not known what became of it. */
    private Answer untilDone(Call call) {
      while (true) {
        Sent sent = api.send(call);
        if (sent instanceof Answer answer && answer.ok()) {
          return answer;
        }
        if (sent instanceof Answer answer && answer.status() < 500) {
          throw new AssertionError(call + " was answered " + answer);
        }
      }
    }
  }

  /** Watches a writer's session until all of its changes were seen, each in its turn. */
  private final class Watcher implements Runnable {
    private final Writer writer;
    private @Nullable String last;
    private int value;
    private int opened;

    Watcher(Writer writer) {
      this.writer = writer;
    }

    @Override
    public void run() {
      String token = writer.opened.join();
      while (!sawAll()) {
        var request =
            HttpRequest.newBuilder(front.get().resolve("/v1/session/events"))
                .timeout(Duration.ofSeconds(20))
                .header("Session-Token", token);
        if (last != null) {
          request.header("Last-Event-ID", last);
        }
        try {
          HttpResponse<Stream<String>> stream =
              HTTP.send(request.build(), HttpResponse.BodyHandlers.ofLines());
          try (Stream<String> lines = stream.body()) {
            if (stream.statusCode() == 200) {
              opened++;
              follow(lines.iterator());
            } else {
              assertThat(stream.statusCode()).as("of an open session").isGreaterThan(499);
            }
          }
        } catch (IOException | UncheckedIOException gone) {
          // The node is: again, at another one.
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }

    private boolean sawAll() {
      return writer.ended && value == writer.done;
    }

    private void follow(Iterator<String> lines) throws IOException {
      String id = null;
      String type = "";
      while (!sawAll() && lines.hasNext()) {
        String line = lines.next();
        if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("event: ")) {
          type = line.substring(7);
        } else if (line.startsWith("data: ")) {
          take(type, JSON.readTree(line.substring(6)));
          last = id;
        }
      }
    }

    private void take(String type, JsonNode data) {
      if (type.equals("session")) {
        int shown = data.at("/attributes/" + writer.name).asInt();
        assertThat(shown).as("the session of %s", writer.name).isGreaterThanOrEqualTo(value);
        value = shown;
      } else {
        assertThat(type).isEqualTo("session.attributes-changed");
        int set = data.at("/data/set/" + writer.name).asInt();
        assertThat(set).as("the next change of %s", writer.name).isEqualTo(value + 1);
        value = set;
      }
    }
  }

  /** Follows the feed and sees to it that it is in order. */
  private final class Consumer implements Runnable {
    private final List<String> ids = new ArrayList<>();
    private final HashSet<String> known = new HashSet<>();
    private final Map<String, Long> numbers = new HashMap<>();
    private final Map<String, List<Integer>> changes = new HashMap<>();
    private @Nullable String cursor;

    @Override
    public void run() {
      while (!over.get()) {
        read("&wait=PT1S");
      }
    }

    void readOn() {
      while (read("")) {}
    }

    /** {@return whether there is more} */
    private boolean read(String wait) {
      String after = cursor == null ? "" : "&after=" + cursor;
      if (!(api.send(Call.get(FEED + wait + after)) instanceof Answer page) || !page.ok()) {
        return true; // the node is gone: again, at another one
      }
      page.body().path("events").forEach(this::take);
      cursor = page.body().path("next").asText();
      return page.body().path("more").asBoolean();
    }

    private void take(JsonNode event) {
      String id = event.path("id").asText();
      assertThat(known.add(id)).as("%s is told once", event).isTrue();
      ids.add(id);
      String owner = event.path("owner").asText();
      long number = event.path("number").asLong();
      Long before = numbers.put(owner, number);
      assertThat(number).as("%s", event).isEqualTo(before == null ? 1 : before + 1);
      event
          .at("/data/set")
          .properties()
          .forEach(set ->
              changes
                  .computeIfAbsent(set.getKey(), _ -> new ArrayList<>())
                  .add(set.getValue().asInt()));
    }
  }

  private List<HoldfastProcess> start(int count) {
    List<HoldfastProcess> started = IntStream.range(0, count).mapToObj(_ -> launch()).toList();
    started.forEach(node -> front.add(node.url()));
    return started;
  }

  private HoldfastProcess launch() {
    String name = "node-" + ++names;
    return program.start(
        Launch.of("serve", "--port", "0", "--node", name, "--data", dir.resolve(name).toString())
            .with(
                Map.of(
                    "HOLDFAST_POSTGRES",
                    database.url(),
                    "HOLDFAST_TOKEN_KEYS",
                    KEY,
                    "HOLDFAST_LIMITS_IDEMPOTENCY_KEYS",
                    "100000",
                    // Who watches and has seen all is woken by it.
                    "HOLDFAST_HTTP_HEARTBEAT",
                    "1s")));
  }

  private void awaitAcknowledged(int more) {
    int moment = acknowledged.get() + more;
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> acknowledged.get() >= moment);
  }
}
