package dev.holdfast.benchmarks.journal;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Contestants write in turn, round after round, on one server or one disk. */
final class WriteBenchmark {

  private final Plan plan;
  private final @Nullable PostgresServer server;
  private final Consumer<String> progress;

  /** Acknowledged to each so far. */
  private final Map<Kind, Long> written = new EnumMap<>(Kind.class);

  /**
   * A round of one contestant.
   *
   * @param processorMicros of its process, for each event
   * @param serverMicros of the server's processes, for each event
   * @param walBytes of the server, for each event, with those of the ramp
   * @param eventsASync of the server's log, with those of the ramp
   */
  record Round(
      double perSecond,
      double p50,
      double p99,
      double max,
      double eventsABatch,
      double processorMicros,
      double serverMicros,
      double walBytes,
      double eventsASync) {}

  /**
   * A benchmark.
   *
   * @param server null for contestants that have none
   */
  WriteBenchmark(Plan plan, @Nullable PostgresServer server, Consumer<String> progress) {
    this.plan = plan;
    this.server = server;
    this.progress = progress;
  }

  /** Measures contestants that were just started, in their order. Holdfast must come first. */
  Map<Kind, List<Round>> run(List<ContestantProcess> contestants) throws IOException, SQLException {
    Map<Kind, List<Round>> rounds = new EnumMap<>(Kind.class);
    for (ContestantProcess contestant : contestants) {
      rounds.put(contestant.kind(), new ArrayList<>());
      progress.accept("filling: " + contestant.kind().title());
      contestant.order(
          Line.of(
              "fill",
              "population",
              Population.EARLIER,
              "owners",
              plan.earlierOwners(),
              "events",
              Plan.EARLIER_EVENTS,
              "snapshot",
              false),
          "filled");
      written.put(contestant.kind(), (long) plan.earlierOwners() * Plan.EARLIER_EVENTS);
      settle(contestant);
      contestant.order(Line.of("open", "owners", plan.owners()), "opened");
    }
    // What the bare clients put in a batch: as much as Holdfast did the last time.
    int batch = plan.loops() / (server == null ? 2 : plan.connections());
    for (int i = 1 - plan.warmUps(); i <= plan.rounds(); i++) {
      for (ContestantProcess contestant : contestants) {
        Round round = measure(contestant, batch);
        progress.accept(
            "%s %d, %s: %,.0f events/s, p99 %.1f ms%s"
                .formatted(
                    i < 1 ? "warm-up" : "round",
                    i < 1 ? i + plan.warmUps() : i,
                    contestant.kind().title(),
                    round.perSecond,
                    round.p99,
                    round.eventsABatch > 0
                        ? ", %.0f events a batch".formatted(round.eventsABatch)
                        : ""));
        if (i >= 1) {
          rounds.get(contestant.kind()).add(round);
        }
        if (contestant == contestants.getFirst()) {
          batch = (int) Math.max(1, Math.round(round.eventsABatch));
        }
      }
    }
    for (ContestantProcess contestant : contestants) {
      check(contestant);
    }
    return rounds;
  }

  private void settle(ContestantProcess contestant) throws SQLException {
    if (server != null) {
      server.settle(contestant.store());
    }
  }

  private Round measure(ContestantProcess contestant, int batch) throws IOException, SQLException {
    settle(contestant);
    PostgresServer.Work before = server == null ? PostgresServer.Work.NONE : server.work();
    double processor = contestant.processorTime().toNanos() / 1e3;
    Line line =
        contestant.order(
            Line.of(
                "write",
                "loops",
                plan.loops(),
                "rampMillis",
                plan.rampSeconds() * 1000L,
                "millis",
                plan.seconds() * 1000L,
                "batch",
                batch,
                "connections",
                server == null ? 1 : plan.connections()),
            "written");
    processor = contestant.processorTime().toNanos() / 1e3 - processor;
    PostgresServer.Work done = server == null ? before : server.work().since(before);
    double events = Double.parseDouble(line.text("written"));
    written.merge(contestant.kind(), (long) events, Long::sum);
    return new Round(
        line.figure("perSecond"),
        line.figure("p50"),
        line.figure("p99"),
        line.figure("max"),
        line.figure("eventsABatch"),
        processor / events,
        done.processorMicros() / events,
        done.walBytes() / events,
        events / Math.max(1, done.walSyncs()));
  }

  /** What was acknowledged must be there, or nothing here counts. */
  private void check(ContestantProcess contestant) throws IOException {
    long stored = Long.parseLong(contestant.order(Line.of("count"), "counted").text("events"));
    if (stored != written.getOrDefault(contestant.kind(), 0L)) {
      throw new IOException(
          "%s acknowledged %d events, and %d are in its store"
              .formatted(contestant.kind().title(), written.get(contestant.kind()), stored));
    }
  }
}
