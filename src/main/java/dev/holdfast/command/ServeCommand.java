package dev.holdfast.command;

import dev.holdfast.app.App;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code serve}: one node. */
@Command(
    name = "serve",
    description = "Runs one node in the foreground; ready is one line: ready http://HOST:PORT",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

  @Mixin private final NodeOptions options = new NodeOptions();

  @Override
  public Integer call() throws Exception {
    App app = RunningNode.start(options.settings());
    System.out.println("ready " + app.url());
    RunningNode.await();
    return 0;
  }
}
