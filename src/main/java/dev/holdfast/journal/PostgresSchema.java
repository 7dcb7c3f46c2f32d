package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import dev.holdfast.journal.PostgresSession.Use;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/**
 * Brings the journal's schema into being and up to date, and refuses what is not a journal.
 *
 * <p>Several nodes may start at once: one of them makes the change, in one transaction, while the
 * others wait. Where nothing is to be changed, no right to change the schema is needed.
 */
final class PostgresSchema {

  private static final int LATEST = 6;

  /** The script that leads to version 1, to version 2, and so on. */
  private final List<String> scripts;

  PostgresSchema(List<String> scripts) {
    this.scripts = List.copyOf(scripts);
  }

  /** The schema of this program. */
  static PostgresSchema current() {
    return new PostgresSchema(SchemaScripts.upTo(LATEST, "postgres"));
  }

  private int version() {
    return scripts.size();
  }

  /**
   * Makes the journal if there is none, and brings an older one up to date.
   *
   * @throws JournalUnusable if what is there is not a journal that this program can read; nothing
   *     is changed then
   */
  void prepare(PostgresOptions options) throws JournalUnusable, SQLException {
    try (PostgresSession session = PostgresSession.open(options, Use.MIGRATING)) {
      if (check(session, options) < version()) {
        migrate(session, options);
      }
    }
  }

  /**
   * Checks that there is a journal of just this version.
   *
   * @throws JournalUnusable if there is none, or one of another version
   */
  void require(PostgresOptions options) throws JournalUnusable, SQLException {
    try (PostgresSession session = PostgresSession.open(options, Use.READING)) {
      int found = check(session, options);
      if (found == 0) {
        throw new JournalUnusable(Problem.MISSING, "there is no journal in " + options.place());
      }
      if (found < version()) {
        throw new JournalUnusable(
            Problem.FOREIGN,
            "the journal in " + options.place() + " is of an earlier version: start a node on it");
      }
    }
  }

  /** The version that is there, 0 for none. */
  private int check(PostgresSession session, PostgresOptions options)
      throws SQLException, JournalUnusable {
    PreparedStatement tables =
        session.prepare(
            """
            SELECT count(*), count(*) FILTER (WHERE c.relname = 'journal_version')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ? AND c.relkind IN ('r', 'p', 'v', 'm', 'f')\
            """);
    tables.setString(1, options.schema());
    try (ResultSet row = tables.executeQuery()) {
      row.next();
      if (row.getLong(1) == 0) {
        return 0;
      }
      if (row.getLong(2) == 0) {
        throw new JournalUnusable(
            Problem.FOREIGN, options.place() + " holds tables that are not a journal's");
      }
    }
    int found;
    try (ResultSet row = session.prepare("SELECT version FROM journal_version").executeQuery()) {
      found = row.next() ? row.getInt(1) : 0;
    }
    if (found > version()) {
      throw new JournalUnusable(
          Problem.NEWER,
          "the journal in "
              + options.place()
              + " was written by a later version of this program (schema "
              + found
              + ", this one knows "
              + version()
              + ")");
    }
    return found;
  }

  private void migrate(PostgresSession session, PostgresOptions options)
      throws SQLException, JournalUnusable {
    session.begin();
    // Held to the end of the transaction.
    PreparedStatement lock =
        session.prepare("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))");
    lock.setString(1, "holdfast journal " + options.schema());
    lock.execute();
    int found = check(session, options);
    if (found == 0) {
      session.execute("CREATE SCHEMA IF NOT EXISTS " + options.schema());
      session.execute(
          "CREATE TABLE journal_version (version integer NOT NULL);"
              + " INSERT INTO journal_version VALUES (0)");
    }
    for (String script : scripts.subList(found, version())) {
      session.execute(script);
    }
    session.execute("UPDATE journal_version SET version = " + version());
    session.commit();
  }
}
