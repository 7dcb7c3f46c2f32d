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
      description = "Folder of the embedded journal (holdfast-data). No node may run on it.",
      defaultValue = "${env:HOLDFAST_DATA}")
  private @Nullable Path data;

  @Option(
      names = "--postgres",
      paramLabel = "URL",
      description = {
        "The journal in PostgreSQL: postgresql://user:password@host/database or a JDBC URL.",
        "A password is better given as HOLDFAST_POSTGRES: arguments are seen by everybody."
      },
      defaultValue = "${env:HOLDFAST_POSTGRES}")
  private @Nullable String postgres;

  @Option(
      names = "--postgres-schema",
      paramLabel = "NAME",
      description = "The journal's schema in PostgreSQL (holdfast).",
      defaultValue = "${env:HOLDFAST_POSTGRES_SCHEMA}")
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
    return data == null ? Path.of(Settings.DEFAULT_DATA) : data;
  }

  /** Null for the embedded journal. An option wins over the environment. */
  private @Nullable PostgresOptions server() {
    boolean dataGiven = given("--data");
    if (dataGiven && given("--postgres")) {
      throw new ParameterException(
          spec.commandLine(), "a journal is in a folder (--data) or in PostgreSQL (--postgres)");
    }
    if (postgres == null || postgres.isBlank() || dataGiven) {
      return null;
    }
    try {
      return new PostgresOptions(
          PostgresOptions.jdbc(postgres),
          schema == null ? PostgresOptions.DEFAULT_SCHEMA : schema,
          1,
          1);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--postgres: " + e.getMessage());
    }
  }

  private boolean given(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }
}
