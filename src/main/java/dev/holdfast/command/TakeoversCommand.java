package dev.holdfast.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cluster.Takeover;
import dev.holdfast.local.AdminClient.ClusterView;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code takeovers}: which nodes went, and how long their users were without one. */
@Command(
    name = "takeovers",
    description = {
      "Shows the last takeovers that the node that answers saw, the newest first: which node went"
          + " without handing its users over, and how long it took until others had them.",
      "Exit status 0: told, though there may be none; 1: not."
    },
    mixinStandardHelpOptions = true)
final class TakeoversCommand implements Callable<Integer> {

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Mixin private final ServerOptions server = new ServerOptions();

  @Option(names = "--json", description = "Print what the server tells, as it is.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    ClusterView view;
    try (var client = server.client()) {
      view = client.cluster();
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(new ObjectMapper().readTree(view.json()).path("takeovers"));
    } else if (view.takeovers().isEmpty()) {
      out.println("no takeovers");
    } else {
      var table = new Table("node", "seen by", "at", "shards", "took");
      for (Takeover takeover : view.takeovers()) {
        table.row(
            takeover.node(),
            takeover.tier().name().toLowerCase(Locale.ROOT),
            takeover.at().truncatedTo(ChronoUnit.MILLIS).toString(),
            Integer.toString(takeover.shards()),
            took(takeover));
      }
      table.print(out);
    }
    out.flush();
    return 0;
  }

  private static String took(Takeover takeover) {
    Duration took = takeover.took();
    return took == null
        ? "not yet over"
        : String.format(Locale.ROOT, "%.3f s", took.toMillis() / 1000.0);
  }
}
