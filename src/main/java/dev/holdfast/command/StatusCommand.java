package dev.holdfast.command;

import dev.holdfast.cluster.NodeStatus;
import dev.holdfast.local.AdminClient.ClusterView;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code status}: the nodes of a running cluster. */
@Command(
    name = "status",
    description = {
      "Shows the nodes of a running cluster, as the node that answers sees them.",
      "Exit status 0: told, whatever it is; 1: not."
    },
    mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {

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
      out.println(view.json());
      out.flush();
      return 0;
    }
    var table = new Table("node", "state", "shards", "users", "http", "address", "pid");
    for (NodeStatus node : view.nodes()) {
      String http = node.http();
      table.row(
          node.name(),
          node.state().name().toLowerCase(Locale.ROOT) + (node.oldest() ? ", oldest" : ""),
          number(node.shards(), "%,d"),
          number(node.users(), "%,d"),
          http == null ? "-" : http,
          node.address(),
          number(node.pid(), "%d"));
    }
    table.print(out);
    return 0;
  }

  private static String number(OptionalLong value, String form) {
    return value.isPresent() ? String.format(Locale.ROOT, form, value.getAsLong()) : "-";
  }
}
