package dev.holdfast.drill;

import dev.holdfast.drill.DrillRun.Slice;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Shows reports as one page that needs nothing else: latency, errors and outages as SVG. */
final class DrillPage {

  private static final double WIDTH = 860;
  private static final double LEFT = 56;
  private static final double LATENCY_TOP = 14;
  private static final double LATENCY_HEIGHT = 150;
  private static final double ERRORS_TOP = 184;
  private static final double ERRORS_HEIGHT = 40;
  private static final double CURVE_HEIGHT = 170;

  private static final String STYLE =
      """
      body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:960px;padding:0 1rem;
        color:#1c2430;background:#fff}
      h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}
      table{border-collapse:collapse;width:100%;margin:1rem 0}
      th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid #d8dde4;
        vertical-align:top}
      td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
      .bad{color:#b00020;font-weight:600}.good{color:#0b6b34;font-weight:600}
      .hint{color:#5a6675;font-size:.87rem}
      svg{width:100%;height:auto}svg text{font-size:11px;fill:#5a6675}
      details{margin:.6rem 0}summary{cursor:pointer}
      """;

  private final StringBuilder page = new StringBuilder();
  private final Formatter form = new Formatter(page, Locale.ROOT);

  private DrillPage() {}

  static String of(List<DrillReport> reports) {
    var page = new DrillPage();
    page.write(reports);
    return page.page.toString();
  }

  private void write(List<DrillReport> reports) {
    page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        .append("<title>Holdfast drill</title><style>\n")
        .append(STYLE)
        .append("</style></head><body>\n<h1>Holdfast drill</h1>\n");
    for (DrillReport report : reports) {
      write(report);
    }
    page.append("</body></html>\n");
  }

  private void write(DrillReport report) {
    form.format(
        "<h2>%s: %s</h2>\n<p>%d nodes%s, journal %s, %d users who do %d things a second,"
            + " %d runs, begun %s.</p>\n",
        escape(report.fault()),
        escape(report.what()),
        report.nodes(),
        report.settings().equals("baseline") ? " with Pekko's default detection" : "",
        escape(report.journal()),
        report.users(),
        report.rate(),
        report.runs().size(),
        escape(report.at()));
    form.format(
        "<p class=\"%s\">%s</p>\n",
        report.holds() ? "good" : "bad",
        report.holds() ? "Every promise held." : "Not every promise held: see the runs.");
    report.grown().forEach(line -> form.format("<p class=\"bad\">%s</p>\n", escape(line)));
    List<Double> outages = report.outages();
    if (!outages.isEmpty()) {
      form.format(
          "<p>The users of lost nodes had answers again after %s (%d users).</p>\n",
          report.outage(), outages.size());
      curve(outages);
    }
    boolean spares = report.runs().stream().anyMatch(run -> run.vitals() != null);
    page.append("<table><tr><th class=\"n\">run</th><th>what was done</th>")
        .append("<th class=\"n\">users</th><th class=\"n\">p50 s</th><th class=\"n\">max s</th>")
        .append("<th class=\"n\">requests</th><th>failed at live nodes</th>")
        .append("<th>failed at the others</th><th>broken promises</th>")
        .append(spares ? "<th>the spared node</th>" : "")
        .append("</tr>\n");
    for (DrillRun run : report.runs()) {
      form.format(
          "<tr><td class=\"n\">%d</td><td>%s</td><td class=\"n\">%d</td><td class=\"n\">%.2f</td>"
              + "<td class=\"n\">%.2f</td><td class=\"n\">%,d</td><td>%s</td><td>%s</td>"
              + "<td>%s</td>%s</tr>\n",
          run.run(),
          escape(run.what()),
          run.affectedUsers(),
          run.outage().p50() / 1e3,
          run.outage().max() / 1e3,
          run.requests(),
          counts(run.failedAtLive()),
          counts(run.failedAtFaulty()),
          counts(run.violations()),
          run.vitals() == null ? "" : "<td>" + run.vitals() + "</td>");
    }
    page.append("</table>\n");
    for (DrillRun run : report.runs()) {
      form.format(
          "<details%s><summary>Run %d over time</summary>\n",
          run.run() == 1 || !run.holds() ? " open" : "", run.run());
      timeline(run);
      for (List<String> lines :
          List.of(run.notes(), run.remarks(), run.examples(), run.details(), run.takeovers())) {
        lines.forEach(line -> form.format("<p class=\"hint\">%s</p>\n", escape(line)));
      }
      page.append("</details>\n");
    }
  }

  private static String counts(Map<String, Long> counts) {
    return counts.isEmpty()
        ? "0"
        : counts.entrySet().stream()
            .map(count -> escape(count.getKey()) + " " + count.getValue())
            .sorted()
            .collect(Collectors.joining(", "));
  }

  // ---------------------------------------------------------------------------------------------
  // Pictures

  /** How many of the affected users had an answer again by when. */
  private void curve(List<Double> sorted) {
    double longest = Math.max(1, sorted.getLast() / 1e3) * 1.05;
    form.format(
        "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"Share of the affected users who"
            + " had an answer again, over the time since the fault\">",
        WIDTH, CURVE_HEIGHT + 40);
    for (int percent = 0; percent <= 100; percent += 25) {
      double y = 10 + CURVE_HEIGHT * (1 - percent / 100.0);
      horizontal(y, percent + " %");
    }
    seconds(0, longest, 10 + CURVE_HEIGHT);
    var points = new StringBuilder();
    points.append(point(x(0, 0, longest), 10 + CURVE_HEIGHT));
    for (int i = 0; i < sorted.size(); i++) {
      double x = x(sorted.get(i) / 1e3, 0, longest);
      points
          .append(point(x, 10 + CURVE_HEIGHT * (1 - (double) i / sorted.size())))
          .append(point(x, 10 + CURVE_HEIGHT * (1 - (i + 1.0) / sorted.size())));
    }
    form.format(
        "<polyline points=\"%s\" fill=\"none\" stroke=\"#1667b7\" stroke-width=\"2\"/></svg>\n"
            + "<p class=\"hint\">Affected users who had an answer from another node again, by"
            + " seconds since the fault.</p>\n",
        points);
  }

  /** Latency by when a request was sent, and below it what failed. */
  private void timeline(DrillRun run) {
    List<Slice> slices = run.slices();
    if (slices.isEmpty()) {
      return;
    }
    double from = slices.getFirst().atMillis() / 1e3;
    double to = slices.getLast().atMillis() / 1e3 + 0.1;
    double slowest = Math.max(1, slices.stream().mapToDouble(Slice::max).max().orElse(1));
    double decades = Math.ceil(Math.log10(slowest) + 1e-9);
    form.format(
        "<svg viewBox=\"0 0 %.0f 262\" role=\"img\" aria-label=\"Latency and failed requests over"
            + " time\">",
        WIDTH);
    for (int decade = 0; decade <= decades; decade++) {
      double y = LATENCY_TOP + LATENCY_HEIGHT * (1 - decade / decades);
      horizontal(
          y,
          decade >= 3
              ? "%.0f s".formatted(Math.pow(10, decade - 3))
              : "%.0f ms".formatted(Math.pow(10, decade)));
    }
    long most = Math.max(1, slices.stream().mapToLong(Slice::failed).max().orElse(1));
    horizontal(ERRORS_TOP + ERRORS_HEIGHT, "0");
    horizontal(ERRORS_TOP, most + " failed");
    seconds(from, to, ERRORS_TOP + ERRORS_HEIGHT);
    double fault = x(0, from, to);
    form.format(
        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\" stroke=\"#b00020\""
            + " stroke-dasharray=\"4 3\"/><text x=\"%.1f\" y=\"11\">fault</text>",
        fault, fault, LATENCY_TOP, ERRORS_TOP + ERRORS_HEIGHT, fault + 4);
    var p50 = new StringBuilder();
    var max = new StringBuilder();
    for (Slice slice : slices) {
      double x = x(slice.atMillis() / 1e3, from, to);
      if (slice.done() > 0) {
        p50.append(point(x, latency(slice.p50(), decades)));
        max.append(point(x, latency(slice.max(), decades)));
      }
      if (slice.failed() > 0) {
        double height = ERRORS_HEIGHT * slice.failed() / most;
        form.format(
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"3\" height=\"%.1f\" fill=\"#b00020\"/>",
            x, ERRORS_TOP + ERRORS_HEIGHT - height, height);
      }
    }
    form.format(
        "<polyline points=\"%s\" fill=\"none\" stroke=\"#d98a1f\"/><polyline points=\"%s\""
            + " fill=\"none\" stroke=\"#1667b7\" stroke-width=\"1.5\"/></svg>\n"
            + "<p class=\"hint\">By when a request was sent, in pieces of 100 ms: the median"
            + " latency (blue), the longest (orange), the failed ones (red), wherever they"
            + " entered.</p>\n",
        max, p50);
  }

  private static double latency(double millis, double decades) {
    double share = Math.log10(Math.max(1, millis)) / decades;
    return LATENCY_TOP + LATENCY_HEIGHT * (1 - share);
  }

  private static double x(double value, double from, double to) {
    return LEFT + (WIDTH - LEFT - 10) * (value - from) / (to - from);
  }

  private static String point(double x, double y) {
    return String.format(Locale.ROOT, "%.1f,%.1f ", x, y);
  }

  private void horizontal(double y, String text) {
    form.format(
        "<line x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e4e8ee\"/>"
            + "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
        LEFT, WIDTH - 10, y, y, LEFT - 6, y + 4, text);
  }

  private void seconds(double from, double to, double y) {
    double step = 0.1;
    double[] factors = {2, 2.5, 2};
    for (int i = 0; (to - from) / step > 12; i++) {
      step *= factors[i % factors.length];
    }
    for (double at = Math.ceil(from / step) * step; at <= to; at += step) {
      form.format(
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s s</text>",
          x(at, from, to),
          y + 16,
          step < 1 ? String.format(Locale.ROOT, "%.1f", at) : Math.round(at));
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
