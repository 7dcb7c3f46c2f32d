package dev.holdfast.command;

import dev.holdfast.app.App;
import dev.holdfast.app.Settings;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code up}: everything on this machine, to try it and to develop against it. */
@Command(
    name = "up",
    description =
        "Runs Holdfast on this machine, with its embedded journal unless told otherwise, until"
            + " Ctrl-C.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {

  @Mixin private final NodeOptions options = new NodeOptions();

  @Override
  public Integer call() throws Exception {
    Settings settings = options.settings();
    App app = RunningNode.start(settings);
    System.out.printf(
        "%s  pid %d  %s%n", settings.node(), ProcessHandle.current().pid(), app.url());
    System.out.println("journal  " + settings.journalPlace());
    System.out.println("ready " + app.url());
    RunningNode.await();
    return 0;
  }
}
