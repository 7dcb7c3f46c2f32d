package dev.holdfast.command;

import dev.holdfast.app.App;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code serve}: one node. */
@Command(
    name = "serve",
    description = "Runs one node in the foreground; ready is one line: ready http://HOST:PORT",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

  @Mixin private final NodeOptions options = new NodeOptions();

  @Option(names = "--node", paramLabel = "NAME", description = "Name of this node (node-1).")
  private @Nullable String node;

  @Option(
      names = "--until-eof",
      description = {
        "Ends in good order when standard input ends, as it does when the process that started this"
            + " one is gone."
      })
  private boolean untilEof;

  @Override
  public Integer call() throws Exception {
    if (untilEof || Boolean.parseBoolean(System.getenv("HOLDFAST_UNTIL_EOF"))) {
      Thread.ofPlatform().daemon().name("until-eof").start(ServeCommand::endWithInput);
    }
    var more = new HashMap<String, String>();
    if (node != null) {
      more.put("node", node);
    }
    App app = RunningNode.start(options.settings(Map.copyOf(more)));
    System.out.println("ready " + app.url());
    RunningNode.await();
    return 0;
  }

  private static void endWithInput() {
    try {
      int read = System.in.read();
      while (read >= 0) {
        read = System.in.read();
      }
    } catch (IOException broken) {
      // No more will come, which is what is waited for.
    }
    System.exit(0);
  }
}
