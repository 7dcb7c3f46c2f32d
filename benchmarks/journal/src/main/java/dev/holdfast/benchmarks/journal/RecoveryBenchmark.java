package dev.holdfast.benchmarks.journal;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Users come back from a server that has nothing in memory, into processes that are warm. */
final class RecoveryBenchmark {

  /** After the snapshot, which holds the first. */
  private static final int EVENTS = 5;

  private static final int WARMING = 20_000;

  /** Until the rate no longer grows with each turn. */
  private static final int WARM_UPS = 15;

  /** As the agenda of a node. */
  private static final int AHEAD = 32;

  /** So few that the server stays cold, and enough that every connection is open again. */
  private static final int RECONNECTING = 100;

  private static final int MOST_PROBES = 1_000;
  private static final int IDLE_PROBES = 500;
  private static final int PROBE_MILLIS = 5;

  private final Plan plan;
  private final PostgresServer server;
  private final Consumer<String> progress;
  private boolean cachesDropped;

  /**
   * What a cold user's request took.
   *
   * @param probes how many there were
   */
  record Probing(double perSecond, int probes, double p50, double p99, double max) {}

  /**
   * What was measured.
   *
   * @param perSecond users recovered, of each contestant
   * @param idle requests for cold users, and nothing else
   * @param behind the same while others recover for whom nobody waits
   * @param crowded the same while others recover who are asked for like them
   * @param cachesDropped whether the operating system's cache was empty as well
   */
  record Result(
      Map<Kind, List<Double>> perSecond,
      List<Probing> idle,
      List<Probing> behind,
      List<Probing> crowded,
      boolean cachesDropped) {}

  RecoveryBenchmark(Plan plan, PostgresServer server, Consumer<String> progress) {
    this.plan = plan;
    this.server = server;
    this.progress = progress;
  }

  /** Measures contestants that were just started. Requests are timed at the first of them. */
  Result run(List<ContestantProcess> contestants)
      throws IOException, SQLException, InterruptedException {
    Map<Kind, List<Double>> perSecond = new EnumMap<>(Kind.class);
    for (ContestantProcess contestant : contestants) {
      perSecond.put(contestant.kind(), new ArrayList<>());
      progress.accept("filling: " + contestant.kind().title());
      fill(contestant, Population.RECOVERED, Math.max(plan.recovered(), plan.crowd()));
      fill(contestant, Population.WARMING, WARMING);
      fill(contestant, Population.PROBED, MOST_PROBES);
      server.settle(contestant.store());
      progress.accept("warming up: " + contestant.kind().title());
      for (int i = 0; i < WARM_UPS; i++) {
        recover(contestant, "recover", Population.WARMING, WARMING, plan.window(), 0);
      }
      recover(contestant, "recover", Population.WARMING, WARMING, plan.crowdWindow(), MOST_PROBES);
    }
    for (int i = 1; i <= plan.rounds(); i++) {
      for (ContestantProcess contestant : contestants) {
        cold(contestant);
        Probing round =
            recover(
                contestant, "recover", Population.RECOVERED, plan.recovered(), plan.window(), 0);
        perSecond.get(contestant.kind()).add(round.perSecond);
        progress.accept(
            "round %d, %s: %,.0f users/s".formatted(i, contestant.kind().title(), round.perSecond));
      }
    }
    List<Probing> idle = new ArrayList<>();
    List<Probing> behind = new ArrayList<>();
    List<Probing> crowded = new ArrayList<>();
    ContestantProcess first = contestants.getFirst();
    for (int i = 1; i <= plan.rounds(); i++) {
      cold(first);
      idle.add(recover(first, "recover", Population.RECOVERED, 0, 1, IDLE_PROBES));
      cold(first);
      behind.add(
          recover(first, "recover", Population.RECOVERED, plan.crowd(), 0, MOST_PROBES, AHEAD));
      cold(first);
      crowded.add(
          recover(
              first,
              "recover",
              Population.RECOVERED,
              plan.crowd(),
              plan.crowdWindow(),
              MOST_PROBES));
      progress.accept(
          "round %d, a cold user's request: p99 %.1f ms idle, %.1f ms before %,d, %.1f ms among them"
              .formatted(
                  i,
                  idle.getLast().p99,
                  behind.getLast().p99,
                  plan.crowd(),
                  crowded.getLast().p99));
    }
    return new Result(perSecond, idle, behind, crowded, cachesDropped);
  }

  private void cold(ContestantProcess contestant)
      throws IOException, SQLException, InterruptedException {
    cachesDropped = server.restartCold();
    recover(contestant, "reconnect", Population.WARMING, RECONNECTING, RECONNECTING, 0);
  }

  private static void fill(ContestantProcess contestant, long population, int owners)
      throws IOException {
    contestant.order(
        Line.of(
            "fill",
            "population",
            population,
            "owners",
            owners,
            "events",
            1 + EVENTS,
            "snapshot",
            true),
        "filled");
  }

  private Probing recover(
      ContestantProcess contestant, String verb, long population, int count, int window, int probes)
      throws IOException {
    return recover(contestant, verb, population, count, window, probes, 0);
  }

  private Probing recover(
      ContestantProcess contestant,
      String verb,
      long population,
      int count,
      int window,
      int probes,
      int ahead)
      throws IOException {
    Line line =
        contestant.order(
            Line.of(
                verb,
                "population",
                population,
                "count",
                count,
                "window",
                window,
                "events",
                EVENTS,
                "probes",
                probes,
                "probeMillis",
                PROBE_MILLIS,
                "ahead",
                ahead),
            verb + "ed");
    return verb.equals("reconnect")
        ? new Probing(0, 0, 0, 0, 0)
        : new Probing(
            line.figure("perSecond"),
            line.number("probed"),
            line.figure("p50"),
            line.figure("p99"),
            line.figure("max"));
  }
}
