package dev.holdfast.benchmarks.journal;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What was measured, in Markdown: medians, with the least and greatest in brackets. */
final class Report {

  private final Plan plan;
  private final StringBuilder text = new StringBuilder();
  private final double loadBefore = load();
  private String serverVersion = "";

  Report(Plan plan) {
    this.plan = plan;
  }

  /** Tells which PostgreSQL it was. */
  void server(String version) {
    serverVersion = version;
  }

  void postgres(Plan what, Map<Kind, List<WriteBenchmark.Round>> rounds) {
    heading(
        "Writing to PostgreSQL",
        "%d closed loops over %,d owners; %,d other events in each journal before."
            .formatted(
                what.loops(), what.owners(), (long) what.earlierOwners() * Plan.EARLIER_EVENTS));
    line("| | durable events/s | p50 ms | p99 ms | longest ms |");
    line("|---|---|---|---|---|");
    rounds.forEach(this::writing);
    line("");
    line("| Holdfast's journal against (ratios of each round) | events/s | p99 | required |");
    line("|---|---|---|---|");
    against(rounds, Kind.HOLDFAST_POSTGRES, Kind.PEKKO_JDBC, "at least 1.6, p99 at most 1");
    against(rounds, Kind.HOLDFAST_POSTGRES, Kind.BARE_POSTGRES, "at least 0.6");
    line("");
    line(
        "| | events a batch | processor µs an event: client | server | WAL bytes an event | events"
            + " a sync |");
    line("|---|---|---|---|---|---|");
    rounds.forEach((kind, all) ->
        line(
            "| %s | %s | %s | %s | %s | %s |"
                .formatted(
                    kind.title(),
                    all.getFirst().eventsABatch() > 0
                        ? figure(all, WriteBenchmark.Round::eventsABatch, "%,.0f")
                        : "–",
                    figure(all, WriteBenchmark.Round::processorMicros, "%.1f"),
                    figure(all, WriteBenchmark.Round::serverMicros, "%.1f"),
                    figure(all, WriteBenchmark.Round::walBytes, "%,.0f"),
                    figure(all, WriteBenchmark.Round::eventsASync, "%,.0f"))));
    line("");
  }

  void sqlite(Map<Kind, List<WriteBenchmark.Round>> rounds) {
    heading(
        "Writing to SQLite",
        "%d closed loops over %,d owners; %,d other events in each journal before."
            .formatted(
                plan.loops(), plan.owners(), (long) plan.earlierOwners() * Plan.EARLIER_EVENTS));
    line("| | durable events/s | p50 ms | p99 ms | longest ms |");
    line("|---|---|---|---|---|");
    rounds.forEach(this::writing);
    line("");
    line("| Holdfast's journal against (ratios of each round) | events/s | p99 | required |");
    line("|---|---|---|---|");
    against(rounds, Kind.HOLDFAST_SQLITE, Kind.BARE_SQLITE, "at least 0.6");
    line("");
  }

  void recovery(RecoveryBenchmark.Result result) {
    heading(
        "Recovery",
        "%,d users with a snapshot and five later events each; server restarted before each round, %s."
            .formatted(
                plan.recovered(),
                result.cachesDropped()
                    ? "the operating system's cache emptied too"
                    : "the operating system's cache kept"));
    line("| | users/s |");
    line("|---|---|");
    result
        .perSecond()
        .forEach((kind, all) ->
            line("| %s | %s |".formatted(kind.title(), figure(all, one -> one, "%,.0f"))));
    List<Double> ours = result.perSecond().getOrDefault(Kind.HOLDFAST_POSTGRES, List.of());
    List<Double> theirs = result.perSecond().getOrDefault(Kind.PEKKO_JDBC, List.of());
    if (!ours.isEmpty() && !theirs.isEmpty()) {
      List<Double> ratios =
          IntStream.range(0, ours.size()).mapToObj(i -> ours.get(i) / theirs.get(i)).toList();
      line(
          "| ratio of each round (required: at least 5) | %s |"
              .formatted(figure(ratios, one -> one, "%.1f")));
    }
    line("");
    line("| a request for a cold user | p50 ms | p99 ms | longest ms | requests a round |");
    line("|---|---|---|---|---|");
    probing("on an idle server", result.idle());
    probing("while %,d others recover in the background".formatted(plan.crowd()), result.behind());
    difference("difference of each round (required: at most 25)", result.behind(), result.idle());
    probing(
        "among %,d others who are asked for, %d at a time"
            .formatted(plan.crowd(), plan.crowdWindow()),
        result.crowded());
    difference("difference of each round", result.crowded(), result.idle());
    line("");
  }

  private void difference(
      String title,
      List<RecoveryBenchmark.Probing> rounds,
      List<RecoveryBenchmark.Probing> others) {
    List<Double> more =
        IntStream.range(0, others.size())
            .mapToObj(i -> rounds.get(i).p99() - others.get(i).p99())
            .toList();
    line("| %s | | %s | | |".formatted(title, figure(more, one -> one, "%.1f")));
  }

  private void probing(String title, List<RecoveryBenchmark.Probing> rounds) {
    line(
        "| %s | %s | %s | %s | %s |"
            .formatted(
                title,
                figure(rounds, RecoveryBenchmark.Probing::p50, "%.1f"),
                figure(rounds, RecoveryBenchmark.Probing::p99, "%.1f"),
                figure(rounds, RecoveryBenchmark.Probing::max, "%.1f"),
                figure(rounds, RecoveryBenchmark.Probing::probes, "%.0f")));
  }

  private void writing(Kind kind, List<WriteBenchmark.Round> rounds) {
    line(
        "| %s | %s | %s | %s | %s |"
            .formatted(
                kind.title(),
                figure(rounds, WriteBenchmark.Round::perSecond, "%,.0f"),
                figure(rounds, WriteBenchmark.Round::p50, "%.1f"),
                figure(rounds, WriteBenchmark.Round::p99, "%.1f"),
                figure(rounds, WriteBenchmark.Round::max, "%.1f")));
  }

  private void against(
      Map<Kind, List<WriteBenchmark.Round>> all, Kind ours, Kind theirs, String required) {
    List<WriteBenchmark.Round> us = all.getOrDefault(ours, List.of());
    List<WriteBenchmark.Round> them = all.getOrDefault(theirs, List.of());
    if (us.isEmpty() || them.isEmpty()) {
      return;
    }
    List<double[]> ratios = new ArrayList<>();
    for (int i = 0; i < us.size(); i++) {
      ratios.add(
          new double[] {
            us.get(i).perSecond() / them.get(i).perSecond(), us.get(i).p99() / them.get(i).p99()
          });
    }
    line(
        "| %s | %s | %s | %s |"
            .formatted(
                theirs.title(),
                figure(ratios, ratio -> ratio[0], "%.2f"),
                figure(ratios, ratio -> ratio[1], "%.2f"),
                required));
  }

  private static <T> String figure(List<T> rounds, ToDoubleFunction<T> figure, String form) {
    return Range.of(rounds, figure).text(form);
  }

  private void heading(String title, String what) {
    line("### " + title);
    line("");
    line(what);
    line("");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  /**
   * All of it.
   *
   * @param seconds that it took
   */
  String text(long seconds) {
    return """
    Measured on %s: JDK %s, %s, %d processors (%s), %s%d rounds, load average %.1f before and %.1f after, %d s in all.
    %s%s\
    """
        .formatted(
            LocalDate.now(),
            Runtime.version(),
            System.getProperty("os.name"),
            Runtime.getRuntime().availableProcessors(),
            processor(),
            serverVersion.isEmpty() ? "" : "PostgreSQL " + serverVersion + ", ",
            plan.rounds(),
            loadBefore,
            load(),
            seconds,
            serverVersion.isEmpty()
                ? "\n"
                : PostgresServer.SETTINGS.entrySet().stream()
                    .map(setting -> setting.getKey() + "=" + setting.getValue())
                    .sorted()
                    .collect(Collectors.joining(", ", "The server's settings: ", ".\n\n")),
            text);
  }

  private static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  private static String processor() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("unknown");
    } catch (IOException notLinux) {
      return System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    }
  }
}
