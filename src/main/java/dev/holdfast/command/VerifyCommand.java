package dev.holdfast.command;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.holdfast.entity.UserReplayer;
import dev.holdfast.journal.JournalAudit;
import dev.holdfast.journal.JournalAudit.Finding;
import dev.holdfast.journal.JournalAudit.Report;
import dev.holdfast.json.JsonText;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code verify}: reads a whole journal and says what is wrong in it. */
@Command(
    name = "verify",
    description = {
      "Reads a journal (an embedded one only while no node runs on it), and changes nothing in it:"
          + " gaps and duplicates in the users' numbers, rows that cannot be decoded or replayed,"
          + " snapshots ahead of their events or other than what these lead to, damage of the"
          + " file.",
      "Exit status 0: sound; 1: not, or not readable."
    },
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Mixin private final JournalOptions journal = new JournalOptions();

  @Option(names = "--json", description = "Print the report as JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    Report report;
    try (var store = journal.openToRead();
        var progress = Progress.of("verifying")) {
      report = new JournalAudit<>(new UserReplayer()).run(store, progress);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      printJson(report, out);
    } else {
      print(journal.place(), report, out);
    }
    return report.isSound() ? 0 : 1;
  }

  private static void print(String place, Report report, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%s: %s%n%,d users, %,d events, %,d snapshots, %,d bytes%n"
            + "%,d snapshots compared with what their events lead to; %,d not, since events are"
            + " deleted%n",
        place,
        report.isSound() ? "sound" : report.faults() + " faults",
        report.owners(),
        report.events(),
        report.snapshots(),
        report.payloadBytes(),
        report.compared(),
        report.snapshots() - report.compared());
    for (Finding finding : report.findings()) {
      out.printf(
          "%s  %s  %s%n",
          finding.fault(),
          finding.owner() == null ? "-" : finding.owner() + " at " + finding.number(),
          finding.detail());
    }
    if (report.faults() > report.findings().size()) {
      out.printf("and %d more%n", report.faults() - report.findings().size());
    }
    out.flush();
  }

  private static void printJson(Report report, PrintWriter out) throws IOException {
    try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
      json.writeStartObject();
      json.writeBooleanField("sound", report.isSound());
      json.writeNumberField("users", report.owners());
      json.writeNumberField("events", report.events());
      json.writeNumberField("snapshots", report.snapshots());
      json.writeNumberField("snapshotsCompared", report.compared());
      json.writeNumberField("payloadBytes", report.payloadBytes());
      json.writeNumberField("faults", report.faults());
      json.writeArrayFieldStart("findings");
      for (Finding finding : report.findings()) {
        json.writeStartObject();
        json.writeStringField(
            "fault", finding.fault().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        if (finding.owner() != null) {
          json.writeStringField("owner", finding.owner().toString());
          json.writeNumberField("number", finding.number());
        }
        json.writeStringField("detail", finding.detail());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
      json.writeRaw('\n');
    }
    out.flush();
  }
}
