package dev.holdfast.command;

import dev.holdfast.app.Settings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that starts a node. */
final class NodeOptions {

  @Option(names = "--host", paramLabel = "HOST", description = "What to listen on (127.0.0.1).")
  private @Nullable String host;

  @Option(names = "--port", paramLabel = "PORT", description = "Port of the API (8080); 0 for any.")
  private @Nullable String port;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Folder of the embedded journal (holdfast-data).")
  private @Nullable String data;

  @Option(
      names = "--postgres",
      paramLabel = "URL",
      description = {
        "Keep the journal in PostgreSQL: postgresql://user:password@host/database or a JDBC URL.",
        "A password is better given as HOLDFAST_POSTGRES: arguments are seen by everybody."
      })
  private @Nullable String postgres;

  @Option(
      names = "--insecure",
      description = "Serve callers without an API key from anywhere, not from this machine only.")
  private boolean insecure;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Settings in HOCON; reference.conf lists them all.",
      defaultValue = "${env:HOLDFAST_CONFIG}")
  private @Nullable Path config;

  /**
   * {@return the settings from the file, the environment and these options}
   *
   * @throws dev.holdfast.app.InvalidSetting if one of them cannot be used
   */
  Settings settings() {
    return settings(Map.of());
  }

  /**
   * {@return the same with further options}
   *
   * @param more by key below {@code holdfast}
   */
  Settings settings(Map<String, String> more) {
    return Settings.load(config, System.getenv(), given(more));
  }

  private Map<String, String> given(Map<String, String> more) {
    var options = new HashMap<String, String>(more);
    put(options, "host", host);
    put(options, "port", port);
    put(options, "data", data);
    put(options, "postgres", postgres);
    put(options, "insecure", insecure ? "true" : null);
    return options;
  }

  /** {@return the environment for a process that is to get the same settings} */
  Map<String, String> environment() {
    var environment = new HashMap<>(System.getenv());
    given(Map.of())
        .forEach((key, value) -> {
          String variable = Settings.variable(key);
          environment.remove(variable + "_FILE"); // which the option wins over
          environment.put(variable, value);
        });
    if (config != null) {
      environment.put("HOLDFAST_CONFIG", config.toAbsolutePath().toString());
    }
    return environment;
  }

  private static void put(Map<String, String> options, String key, @Nullable String value) {
    if (value != null) {
      options.put(key, value);
    }
  }
}
