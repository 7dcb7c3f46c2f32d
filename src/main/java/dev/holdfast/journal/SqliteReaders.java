package dev.holdfast.journal;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The readers of the feed in SQLite. */
final class SqliteReaders implements FeedReaders {

  private static final String FIRST_UNREAD =
      "(SELECT at FROM event WHERE position > consumer.position ORDER BY position LIMIT 1)";

  private final SqliteStore store;

  SqliteReaders(SqliteStore store) {
    this.store = store;
  }

  @Override
  public State state() {
    return store.read(SqliteReaders::state);
  }

  static State state(SqliteSession session) throws SQLException {
    try (ResultSet row =
        session
            .prepare(
                "SELECT identity, forgotten, (SELECT coalesce(max(position), 0) FROM event)"
                    + " FROM feed")
            .executeQuery()) {
      row.next();
      return new State(row.getString(1), row.getLong(2), row.getLong(3));
    }
  }

  /** Up to which position all consumers have read. */
  static long passed(SqliteSession session) throws SQLException {
    try (ResultSet row =
        session
            .prepare(
                "SELECT coalesce(min(position), 9223372036854775807) FROM consumer"
                    + " WHERE NOT lapsed")
            .executeQuery()) {
      row.next();
      return row.getLong(1);
    }
  }

  static void forgot(SqliteSession session, long position) throws SQLException {
    PreparedStatement update =
        session.prepare("UPDATE feed SET forgotten = ?1 WHERE forgotten < ?1");
    update.setLong(1, position);
    update.executeUpdate();
  }

  @Override
  public List<Consumer> consumers() {
    return store.read(session -> {
      List<Consumer> all = new ArrayList<>();
      try (ResultSet rows =
          session
              .prepare(
                  "SELECT name, position, read_at, moved_at, lapsed, "
                      + FIRST_UNREAD
                      + " FROM consumer ORDER BY name")
              .executeQuery()) {
        while (rows.next()) {
          long since = rows.getLong(6);
          boolean readAll = rows.wasNull();
          all.add(
              new Consumer(
                  rows.getString(1),
                  rows.getLong(2),
                  rows.getLong(3),
                  rows.getLong(4),
                  rows.getBoolean(5),
                  readAll ? OptionalLong.empty() : OptionalLong.of(since)));
        }
      }
      return all;
    });
  }

  @Override
  public boolean passed(String consumer, long position, long now) {
    return store.transact(session -> {
      PreparedStatement upsert =
          session.prepare(
              "INSERT INTO consumer (name, position, read_at, moved_at, lapsed)"
                  + " VALUES (?1, ?2, ?3, ?3, 0) ON CONFLICT (name) DO UPDATE"
                  + " SET position = excluded.position, read_at = excluded.read_at,"
                  + " moved_at = iif(position = excluded.position, moved_at, excluded.moved_at)"
                  + " WHERE NOT lapsed");
      upsert.setString(1, consumer);
      upsert.setLong(2, position);
      upsert.setLong(3, now);
      return upsert.executeUpdate() == 1;
    });
  }

  @Override
  public boolean forget(String consumer) {
    return store.transact(session -> {
      PreparedStatement delete = session.prepare("DELETE FROM consumer WHERE name = ?");
      delete.setString(1, consumer);
      return delete.executeUpdate() == 1;
    });
  }

  @Override
  public int lapse(long since) {
    return store.transact(session -> {
      PreparedStatement update =
          session.prepare(
              "UPDATE consumer SET lapsed = 1 WHERE NOT lapsed AND moved_at < ?1 AND "
                  + FIRST_UNREAD
                  + " < ?1");
      update.setLong(1, since);
      return update.executeUpdate();
    });
  }
}
