package dev.holdfast.command;

import dev.holdfast.app.InvalidSetting;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The program's command line. */
@Command(
    name = "holdfast",
    description = "Keeps sessions and carts alive through everything that happens to their pods.",
    mixinStandardHelpOptions = true,
    versionProvider = HoldfastCommand.Version.class,
    subcommands = {
      UpCommand.class,
      ServeCommand.class,
      StatusCommand.class,
      TopCommand.class,
      DrainCommand.class,
      TakeoversCommand.class,
      VerifyCommand.class,
      ExportCommand.class,
      ImportCommand.class,
      UserCommand.class,
      DrillCommand.class,
      BenchCommand.class,
      RehearseCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Every option can be given as an environment variable too: --port is HOLDFAST_PORT.",
      "Exit status: 0 done, 1 failed, 2 wrong usage or settings."
    })
public final class HoldfastCommand implements Runnable {

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  /** {@return the exit status} */
  public static int run(String... args) {
    return commandLine().execute(args);
  }

  /** {@return the command line, which may be told where to print} */
  static CommandLine commandLine() {
    return new CommandLine(new HoldfastCommand())
        .setExecutionExceptionHandler((e, line, parsed) -> {
          line.getErr().println("holdfast: " + (e.getMessage() == null ? e : e.getMessage()));
          return e instanceof InvalidSetting
              ? CommandLine.ExitCode.USAGE
              : CommandLine.ExitCode.SOFTWARE;
        });
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "name a command; `holdfast help` lists them");
  }

  /** The version in the jar's manifest; {@code development} when run from class files. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = HoldfastCommand.class.getPackage().getImplementationVersion();
      return new String[] {"holdfast " + (version == null ? "development" : version)};
    }
  }
}
