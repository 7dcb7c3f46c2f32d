package dev.holdfast.command;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drain}: a node hands its users over and ends. */
@Command(
    name = "drain",
    description = {
      "Has a node hand its users over to the others and then end, as SIGTERM does. Returns once the"
          + " node was told; `status` shows the rest. Whatever runs the node may start it again, as"
          + " `up` does.",
      "Exit status 0: the node was told; 1: not."
    },
    mixinStandardHelpOptions = true)
final class DrainCommand implements Callable<Integer> {

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Parameters(paramLabel = "NODE", description = "The node's name, as `status` shows it.")
  private String node = "";

  @Mixin private final ServerOptions server = new ServerOptions();

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    try (var client = server.client()) {
      client.drain(node);
    }
    PrintWriter out = spec.commandLine().getOut();
    // The server knows a node of this name, so it holds nothing that JSON would have to quote.
    out.println(json ? "{\"draining\":\"" + node + "\"}" : node + " was told to drain");
    out.flush();
    return 0;
  }
}
