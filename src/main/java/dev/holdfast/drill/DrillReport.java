package dev.holdfast.drill;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * All that a drill has shown, as it is written to {@code report.json}; times in milliseconds.
 *
 * @param fault as on the command line
 * @param what happens, for people
 * @param settings whose nodes these are: {@code holdfast}, or {@code baseline}
 * @param nodes how many
 * @param journal where it is: {@code embedded} or {@code postgresql}
 * @param users of the load
 * @param rate things that they do a second, all together
 * @param at when it began, by RFC 3339
 * @param seed of what was left to chance
 * @param outage over the affected users of all runs
 * @param grown what a node that was spared has more and more of, for people
 * @param runs one after the other
 */
public record DrillReport(
    String fault,
    String what,
    String settings,
    int nodes,
    String journal,
    int users,
    int rate,
    String at,
    long seed,
    Quantiles outage,
    List<String> grown,
    List<DrillRun> runs) {

  private static final ObjectMapper JSON = new ObjectMapper();

  public DrillReport {
    grown = List.copyOf(grown);
    runs = List.copyOf(runs);
  }

  /** {@return whether every run held, and nothing has grown} */
  public boolean holds() {
    return grown.isEmpty() && runs.stream().allMatch(DrillRun::holds);
  }

  /** {@return it as JSON} */
  public String json() throws IOException {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this);
  }

  /** Writes {@code report.json} and {@code report.html}. */
  public static void write(List<DrillReport> reports, Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("report.json"),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsString(reports) + "\n");
    Files.writeString(folder.resolve("report.html"), DrillPage.of(reports));
  }

  /** {@return the outages of all affected users, the shortest first} */
  List<Double> outages() {
    var all = new ArrayList<Double>();
    runs.forEach(run -> all.addAll(run.outagesMillis()));
    all.sort(null);
    return all;
  }
}
