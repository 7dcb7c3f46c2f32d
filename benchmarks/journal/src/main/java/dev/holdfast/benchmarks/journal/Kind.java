package dev.holdfast.benchmarks.journal;

import java.util.Locale;

/** What is measured. */
enum Kind {
  HOLDFAST_POSTGRES("Holdfast's journal on PostgreSQL"),
  PEKKO_JDBC("pekko-persistence-jdbc 1.1.1"),
  BARE_POSTGRES("bare client, multi-row inserts"),
  HOLDFAST_SQLITE("Holdfast's journal on SQLite"),
  BARE_SQLITE("bare SQLite loop");

  private final String title;

  Kind(String title) {
    this.title = title;
  }

  /** For people. */
  String title() {
    return title;
  }

  /** For files, databases and command lines. */
  String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean onPostgres() {
    return switch (this) {
      case HOLDFAST_POSTGRES, PEKKO_JDBC, BARE_POSTGRES -> true;
      case HOLDFAST_SQLITE, BARE_SQLITE -> false;
    };
  }

  static Kind of(String id) {
    return valueOf(id.toUpperCase(Locale.ROOT));
  }
}
