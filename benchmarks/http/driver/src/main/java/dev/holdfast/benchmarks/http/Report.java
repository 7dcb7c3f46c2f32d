package dev.holdfast.benchmarks.http;

import dev.holdfast.benchmarks.http.SideBySide.Result;
import dev.holdfast.benchmarks.http.SingleNode.Overload;
import dev.holdfast.benchmarks.http.SingleNode.Recovery;
import dev.holdfast.local.ShopLoad.Round;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What was measured, in Markdown: medians, with the least and greatest in brackets. */
final class Report {

  private final Plan plan;
  private final StringBuilder text = new StringBuilder();

  Report(Plan plan) {
    this.plan = plan;
  }

  void peers(Result result) {
    heading("Durable changes of a cart line");
    rounds(result.changes());
    heading("Reads of a session with its cart");
    rounds(result.reads());
    heading("Holdfast against (ratios of each round)");
    line("| | changes/s | p99 of a change | reads/s | p99 of a read |");
    line("|---|---|---|---|---|");
    for (Server server : result.reads().keySet()) {
      if (server != Server.HOLDFAST) {
        against(server, Server.HOLDFAST, result);
      }
    }
    line("");
  }

  void cluster(Result result) {
    heading("Three nodes against one on the same processors");
    line("Changes:");
    line("");
    rounds(result.changes());
    line("Reads:");
    line("");
    rounds(result.reads());
    line("| | changes/s | p99 of a change | reads/s | p99 of a read |");
    line("|---|---|---|---|---|");
    against(Server.ONE, Server.THREE, result);
    line("");
  }

  void starts(List<Double> seconds) {
    figure("Ready after `serve`, s", Range.of(seconds, one -> one).text("%.2f"));
  }

  void heap(List<Double> bytes) {
    figure(
        "Heap of an idle user with a cart of five lines, bytes",
        Range.of(bytes, one -> one).text("%,.0f"));
  }

  void recoveries(List<Recovery> all) {
    figure(
        "Cold users recovered per second, each by a read, %,d of them".formatted(plan.recovered()),
        "on a JVM that has just started "
            + Range.of(all, Recovery::justStarted).text("%,.0f")
            + ", on a warm one "
            + Range.of(all, Recovery::warm).text("%,.0f"));
  }

  void overload(String what, List<Overload> all) {
    figure(
        "Good answers under three times the peak of " + what + ", share of the peak",
        Range.of(all, Overload::goodput).text("%.2f")
            + "; p99 of them "
            + Range.of(all, one -> one.overloaded().p99Micros() / 1e3).text("%.0f")
            + " ms, refused/s "
            + Range.of(all, one -> one.overloaded().refusedPerSecond()).text("%,.0f")
            + ", live heap before and after "
            + Range.of(all, one -> one.heapBefore() / 1e6).text("%.0f")
            + " and "
            + Range.of(all, one -> one.heapAfter() / 1e6).text("%.0f")
            + " MB");
  }

  private void figure(String what, String figure) {
    line("- " + what + ": " + figure);
    line("");
  }

  private void rounds(Map<Server, List<Round>> all) {
    line("| | per second | p50 ms | p99 ms |");
    line("|---|---|---|---|");
    all.forEach((server, rounds) -> {
      if (!rounds.isEmpty()) {
        line(
            "| %s | %s | %s | %s |"
                .formatted(
                    server.title(),
                    Range.of(rounds, Round::perSecond).text("%,.0f"),
                    Range.of(rounds, round -> round.p50Micros() / 1e3).text("%.1f"),
                    Range.of(rounds, round -> round.p99Micros() / 1e3).text("%.1f")));
      }
    });
    line("");
  }

  private void against(Server other, Server us, Result result) {
    line(
        "| %s | %s | %s |"
            .formatted(
                other.title(),
                ratios(result.changes().get(us), result.changes().get(other)),
                ratios(result.reads().get(us), result.reads().get(other))));
  }

  private static String ratios(List<Round> ours, List<Round> theirs) {
    if (theirs.isEmpty()) {
      return "– | –";
    }
    List<double[]> ratios =
        IntStream.range(0, ours.size())
            .mapToObj(i ->
                new double[] {
                  ours.get(i).perSecond() / theirs.get(i).perSecond(),
                  ours.get(i).p99Micros() / theirs.get(i).p99Micros()
                })
            .toList();
    return Range.of(ratios, ratio -> ratio[0]).text("%.2f")
        + " | "
        + Range.of(ratios, ratio -> ratio[1]).text("%.2f");
  }

  private void heading(String heading) {
    line("### " + heading);
    line("");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  /**
   * All of it.
   *
   * @param stores what they are
   */
  String text(String stores, String heap) {
    return """
    Measured on %s: JDK %s, %s, %d processors (%s), %s. %d rounds of %d s, %d connections, \
    %d users each, every JVM with a heap of %s. PostgreSQL: %s.

    %s\
    """
        .formatted(
            LocalDate.now(),
            Runtime.version(),
            System.getProperty("os.name"),
            Runtime.getRuntime().availableProcessors(),
            processor(),
            stores,
            plan.rounds(),
            plan.turn().toSeconds(),
            plan.connections(),
            plan.users(),
            heap,
            Postgres.SETTINGS.entrySet().stream()
                .map(setting -> setting.getKey() + "=" + setting.getValue())
                .sorted()
                .toList(),
            text);
  }

  static double load() {
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
      return System.getProperty("os.arch");
    }
  }
}
