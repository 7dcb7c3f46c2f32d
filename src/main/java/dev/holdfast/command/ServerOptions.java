package dev.holdfast.command;

import dev.holdfast.local.AdminClient;
import java.net.URI;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that talks to a running server: which one. */
final class ServerOptions {

  private static final Duration LIMIT = Duration.ofSeconds(10);

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Option(
      names = "--url",
      paramLabel = "URL",
      description = {
        "The server (http://127.0.0.1:8080).",
        "The key of an administrator is taken from HOLDFAST_ADMIN_KEY."
      },
      defaultValue = "${env:HOLDFAST_URL:-http://127.0.0.1:8080}")
  private String url = "";

  @Mixin private final TlsOptions tls = new TlsOptions();

  /** {@return a client of that server, with the key in the environment} */
  AdminClient client() {
    return client(url, tls, spec);
  }

  /** {@return a client of a server, with the key in the environment} */
  static AdminClient client(String url, TlsOptions tls, CommandSpec spec) {
    URI server;
    try {
      server = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw notAUrl(url, spec);
    }
    boolean http = "http".equals(server.getScheme()) || "https".equals(server.getScheme());
    if (!http || server.getHost() == null || server.getQuery() != null) {
      throw notAUrl(url, spec);
    }
    String key = System.getenv("HOLDFAST_ADMIN_KEY");
    return new AdminClient(
        server, key == null || key.isBlank() ? null : key.strip(), LIMIT, tls.context(spec));
  }

  private static ParameterException notAUrl(String url, CommandSpec spec) {
    return new ParameterException(
        spec.commandLine(), "--url is " + url + "; it must be a URL such as http://127.0.0.1:8080");
  }
}
