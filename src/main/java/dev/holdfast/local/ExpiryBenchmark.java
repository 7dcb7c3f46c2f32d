package dev.holdfast.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.local.ShopLoad.Kind;
import dev.holdfast.local.ShopLoad.Round;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Measures what it does to live traffic that very many sessions are over at once: one node with its
 * embedded journal, an open load of changes and reads at a steady rate, and beside it visitors
 * whose sessions all end within ten seconds. That each of them expired, and when, is read from the
 * feed afterwards.
 */
public final class ExpiryBenchmark {

  /** All sessions are due within this. */
  public static final Duration WITHIN = Duration.ofSeconds(10);

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Sessions opened in a second, at least; fewer would not be ready in time. */
  private static final int LEAST_OPENED_A_SECOND = 1_500;

  /** Timeouts are of whole seconds, and a tenth comes on top before the agenda ends a session. */
  private static final long GRAIN_MILLIS = 1_100;

  private static final int OPENERS = 32;
  private static final int PAGE = 1_000;

  /**
   * How to measure.
   *
   * @param connections for changes, and as many for reads
   * @param usersAConnection the users that a connection asks for
   * @param readsPerSecond that are due; each third as many changes
   * @param sessions that are over at once
   * @param warmUp of both kinds of requests
   * @param round of both kinds together
   * @param rounds before the surge, and after what the surge is given
   * @param surge how long from the first session's end on belongs to the surge
   */
  public record Plan(
      int connections,
      int usersAConnection,
      double readsPerSecond,
      int sessions,
      Duration warmUp,
      Duration round,
      int rounds,
      Duration surge) {}

  /** Both kinds of requests in the same seconds. */
  public record Traffic(Round changes, Round reads) {}

  /**
   * What was measured.
   *
   * @param without rounds of load before and after the surge
   * @param with those from the first session's end to the last expiry
   * @param expired sessions of which the journal holds an expiry
   * @param latestMillis how long after its time a session expired at most
   * @param tookMillis from the time of the first session to the last expiry
   */
  public record Result(
      List<Traffic> without, List<Traffic> with, int expired, long latestMillis, long tookMillis) {
    public Result {
      without = List.copyOf(without);
      with = List.copyOf(with);
    }
  }

  /** A round, and when it was, in milliseconds since 1970. */
  private record Timed(long began, long ended, Traffic traffic) {}

  /** What the feed tells of the surge. All times are in milliseconds since 1970. */
  private record Surge(int expired, long firstDue, long lastExpired, long latest) {}

  private final Plan plan;
  private final InstantSource clock;
  private final Consumer<String> progress;

  /**
   * A measurement.
   *
   * @param clock the one of this machine, which the node has too
   * @param progress is told what is being done
   */
  public ExpiryBenchmark(Plan plan, InstantSource clock, Consumer<String> progress) {
    this.plan = plan;
    this.clock = clock;
    this.progress = progress;
  }

  /**
   * Starts a node, measures it and ends it.
   *
   * @param data an empty folder
   * @throws IOException if the node cannot be started or gives a wrong answer, if the sessions
   *     cannot be opened in time, or if one of them does not expire
   */
  public Result run(Path data, List<String> jvmOptions) throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.start(data, jvmOptions, Map.of());
        var changes = new ShopLoad(List.of(node.url()), plan.connections(), "changed");
        var reads = new ShopLoad(List.of(node.url()), plan.connections(), "read")) {
      progress.accept("opening " + 2 * plan.connections() * plan.usersAConnection() + " users");
      changes.open(plan.usersAConnection());
      reads.open(plan.usersAConnection());
      progress.accept("warming up for " + plan.warmUp().toSeconds() + " s");
      for (int i = 0; i < 2; i++) {
        changes.closed(Kind.CHANGE, plan.warmUp().dividedBy(4));
        reads.closed(Kind.READ, plan.warmUp().dividedBy(4));
      }
      String before = end(node.url());
      long due =
          clock.millis()
              + plan.sessions() * 1_000L / LEAST_OPENED_A_SECOND
              + plan.round().multipliedBy(plan.rounds() + 1).toMillis();
      progress.accept("opening " + plan.sessions() + " sessions that end within 10 s");
      open(node.url(), due);
      var rounds = new ArrayList<Timed>();
      for (int i = 0; i < plan.rounds(); i++) {
        rounds.add(round(changes, reads));
      }
      long early = due - clock.millis();
      if (early < 0) {
        throw new IOException("the sessions were opened too slowly: they end already");
      }
      progress.accept("waiting for " + early + " ms, with the same load");
      both(changes, reads, Duration.ofMillis(early));
      progress.accept("measuring while they end");
      long more = plan.surge().dividedBy(plan.round()) + plan.rounds();
      for (int i = 0; i < more; i++) {
        rounds.add(round(changes, reads));
      }
      progress.accept("reading what became of them");
      return judge(rounds, surge(node.url(), before));
    }
  }

  private Result judge(List<Timed> rounds, Surge surge) throws IOException {
    if (surge.expired != plan.sessions()) {
      throw new IOException(
          surge.expired + " of " + plan.sessions() + " sessions have expired after all rounds");
    }
    var without = new ArrayList<Traffic>();
    var with = new ArrayList<Traffic>();
    for (Timed round : rounds) {
      boolean beside = round.ended < surge.firstDue || round.began > surge.lastExpired;
      (beside ? without : with).add(round.traffic);
    }
    return new Result(
        without, with, surge.expired, surge.latest, surge.lastExpired - surge.firstDue);
  }

  private Timed round(ShopLoad changes, ShopLoad reads) throws IOException, InterruptedException {
    long began = clock.millis();
    Traffic traffic = both(changes, reads, plan.round());
    return new Timed(began, clock.millis(), traffic);
  }

  private Traffic both(ShopLoad changes, ShopLoad reads, Duration time)
      throws IOException, InterruptedException {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Round> changed =
          threads.submit(() -> changes.open(Kind.CHANGE, time, plan.readsPerSecond() / 3));
      Future<Round> read = threads.submit(() -> reads.open(Kind.READ, time, plan.readsPerSecond()));
      return new Traffic(changed.get(), read.get());
    } catch (ExecutionException e) {
      throw new IOException("the load failed: " + e.getCause(), e.getCause());
    }
  }

  /** Opens visitors' sessions, each with the timeout that lets it end within the time. */
  private void open(URI node, long due) throws IOException, InterruptedException {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var openers = new ArrayList<Future<?>>();
      for (int i = 0; i < OPENERS; i++) {
        int first = i;
        openers.add(
            threads.submit(() -> {
              open(node, due, first);
              return null;
            }));
      }
      for (Future<?> opener : openers) {
        opener.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("an opener failed: " + e.getCause(), e.getCause());
    }
  }

  private void open(URI node, long due, int first) throws IOException {
    long spread = WITHIN.toMillis() - GRAIN_MILLIS;
    try (var connection = new HttpConnection(node)) {
      for (int i = first; i < plan.sessions(); i += OPENERS) {
        long left = due + spread * i / plan.sessions() - clock.millis();
        long seconds = Math.ceilDiv(left, GRAIN_MILLIS);
        HttpConnection.Response opened =
            connection.send(
                connection.request(
                    "POST", "/v1/sessions", null, "{\"idleTimeout\":\"PT" + seconds + "S\"}"));
        if (opened.status() != 201) {
          throw new IOException("a session was not opened: " + opened);
        }
      }
    }
  }

  // ---------------------------------------------------------------------------------------------

  @FunctionalInterface
  private interface Each {
    void event(JsonNode event);
  }

  /** {@return the cursor behind the events up to now} */
  private static String end(URI node) throws IOException {
    return follow(node, "", _ -> {});
  }

  private static Surge surge(URI node, String after) throws IOException {
    Map<String, Long> due = new HashMap<>();
    var surge =
        new Object() {
          int expired;
          long lastExpired;
          long latest;
        };
    follow(
        node,
        after,
        event -> {
          String owner = event.path("owner").asText();
          long at = Instant.parse(event.path("at").asText()).toEpochMilli();
          switch (event.path("type").asText()) {
            case "session.opened.v1" -> {
              long idle = Duration.parse(event.at("/data/idleTimeout").asText()).toMillis();
              due.put(owner, at + idle + idle / 10);
            }
            case "session.expired.v1" -> {
              Long wanted = due.get(owner);
              if (wanted != null) {
                surge.expired++;
                surge.lastExpired = Math.max(surge.lastExpired, at);
                surge.latest = Math.max(surge.latest, at - wanted);
              }
            }
            default -> {}
          }
        });
    long first = due.values().stream().mapToLong(Long::longValue).min().orElse(0);
    return new Surge(surge.expired, first, surge.lastExpired, surge.latest);
  }

  private static String follow(URI node, String after, Each each) throws IOException {
    try (var connection = new HttpConnection(node)) {
      String cursor = after;
      while (true) {
        HttpConnection.Response page =
            connection.send(
                connection.request(
                    "GET",
                    "/v1/admin/feed?limit=" + PAGE + (cursor.isEmpty() ? "" : "&after=" + cursor),
                    null,
                    null));
        if (page.status() != 200) {
          throw new IOException("the feed was not told: " + page);
        }
        JsonNode json = JSON.readTree(page.body());
        json.path("events").forEach(each::event);
        cursor = json.path("next").asText();
        if (!json.path("more").asBoolean()) {
          return cursor;
        }
      }
    }
  }
}
