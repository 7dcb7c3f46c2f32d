package dev.holdfast.command;

import dev.holdfast.app.Settings;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresStore;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that works on a journal: which one. */
final class JournalOptions {

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Folder of the embedded journal (holdfast-data). No node may run on it.")
  private @Nullable Path data;

  @Option(
      names = "--postgres",
      paramLabel = "URL",
      description = {
        "The journal in PostgreSQL: postgresql://user:password@host/database or a JDBC URL.",
        "A password is better given as HOLDFAST_POSTGRES, or in a file that HOLDFAST_POSTGRES_FILE",
        "names: arguments are seen by everybody."
      })
  private @Nullable String postgres;

  @Option(
      names = "--postgres-schema",
      paramLabel = "NAME",
      description = "The journal's schema in PostgreSQL (holdfast).")
  private @Nullable String schema;

  /**
   * Opens an existing journal to look at it, and changes nothing in it.
   *
   * @throws JournalUnusable if there is none, or it cannot be read
   */
  JournalStore openToRead() throws JournalUnusable {
    PostgresOptions server = server();
    return server == null ? SqliteStore.openToRead(folder()) : PostgresStore.openExisting(server);
  }

  /**
   * Opens a journal to fill it, and makes it if it is missing.
   *
   * @throws JournalUnusable if it cannot be used
   */
  JournalStore openToFill() throws JournalUnusable {
    PostgresOptions server = server();
    return server == null
        ? SqliteStore.open(folder(), SqliteOptions.defaults())
        : PostgresStore.open(server);
  }

  /** {@return the folder of the embedded journal, null for a journal in PostgreSQL} */
  @Nullable Path embedded() {
    return server() == null ? folder() : null;
  }

  /** {@return where the journal is, for people} */
  String place() {
    PostgresOptions server = server();
    return server == null ? folder().toAbsolutePath().normalize().toString() : server.place();
  }

  private Path folder() {
    if (data != null) {
      return data;
    }
    String other = Settings.ofEnvironment("data");
    return Path.of(other == null ? Settings.DEFAULT_DATA : other);
  }

  /** Null for the embedded journal. An option wins over the environment. */
  private @Nullable PostgresOptions server() {
    if (data != null && postgres != null) {
      throw new ParameterException(
          spec.commandLine(), "a journal is in a folder (--data) or in PostgreSQL (--postgres)");
    }
    String url = postgres == null ? Settings.ofEnvironment("postgres") : postgres;
    if (url == null || url.isBlank() || data != null) {
      return null;
    }
    String name = schema == null ? Settings.ofEnvironment("postgres-schema") : schema;
    try {
      return new PostgresOptions(
          PostgresOptions.jdbc(url), name == null ? PostgresOptions.DEFAULT_SCHEMA : name, 1, 1);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--postgres: " + e.getMessage());
    }
  }
}
