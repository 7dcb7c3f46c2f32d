package dev.holdfast.benchmarks.http;

import dev.holdfast.local.ShopLoad.Round;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Bars as SVG: the median of each server's rounds, with a line from the least to the greatest. */
final class Plot {

  private static final int LABELS = 310;
  private static final int BARS = 420;
  private static final int ROW = 34;
  private static final int TOP = 48;

  private Plot() {}

  static String perSecond(String title, Map<Server, List<Round>> all) {
    double most =
        all.values().stream().flatMap(List::stream).mapToDouble(Round::perSecond).max().orElse(1);
    var rows = new StringBuilder();
    int y = TOP;
    for (Map.Entry<Server, List<Round>> one : all.entrySet()) {
      if (!one.getValue().isEmpty()) {
        rows.append(row(one.getKey(), Range.of(one.getValue(), Round::perSecond), most, y));
        y += ROW;
      }
    }
    return String.format(
        Locale.ROOT,
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" \
        font-size="14">
        <rect width="100%%" height="100%%" fill="white"/>
        <text x="16" y="28" font-weight="bold">%s</text>
        %s</svg>
        """,
        LABELS + BARS + 110,
        y + 12,
        title,
        rows);
  }

  private static String row(Server server, Range range, double most, int y) {
    double scale = BARS / most;
    return String.format(
        Locale.ROOT,
        """
        <text x="%d" y="%d" text-anchor="end">%s</text>
        <rect x="%d" y="%d" width="%.0f" height="20" fill="%s"/>
        <line x1="%.0f" x2="%.0f" y1="%d" y2="%d" stroke="black"/>
        <text x="%.0f" y="%d">%,.0f</text>
        """,
        LABELS - 10,
        y + 15,
        server.title(),
        LABELS,
        y,
        range.median() * scale,
        server == Server.HOLDFAST ? "#2a6f97" : "#a9b4c2",
        LABELS + range.least() * scale,
        LABELS + range.greatest() * scale,
        y + 10,
        y + 10,
        LABELS + range.greatest() * scale + 8,
        y + 15,
        range.median());
  }
}
