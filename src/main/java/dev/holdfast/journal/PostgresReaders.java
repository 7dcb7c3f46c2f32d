package dev.holdfast.journal;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The readers of the feed in PostgreSQL. */
final class PostgresReaders implements FeedReaders {

  /** Below it nothing is still on its way: see {@link PostgresStore#feed}. */
  static final String HORIZON =
      "(SELECT base FROM feed) + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20)";

  private static final String FIRST_UNREAD =
      "(SELECT at FROM event WHERE position > consumer.position AND position < "
          + HORIZON
          + " ORDER BY position LIMIT 1)";

  private final PostgresStore store;

  PostgresReaders(PostgresStore store) {
    this.store = store;
  }

  @Override
  public State state() {
    return store.read(PostgresReaders::state);
  }

  static State state(PostgresSession session) throws SQLException {
    try (ResultSet row =
        session
            .prepare(
                "SELECT identity, (SELECT position FROM forgotten), " + HORIZON + " - 1 FROM feed")
            .executeQuery()) {
      row.next();
      return new State(row.getString(1), row.getLong(2), row.getLong(3));
    }
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
    return store.change(session -> {
      PreparedStatement upsert =
          session.prepare(
              "INSERT INTO consumer (name, position, read_at, moved_at, lapsed)"
                  + " VALUES (?, ?, ?, ?, false) ON CONFLICT (name) DO UPDATE"
                  + " SET position = excluded.position, read_at = excluded.read_at, moved_at ="
                  + " CASE WHEN consumer.position = excluded.position THEN consumer.moved_at"
                  + " ELSE excluded.moved_at END"
                  + " WHERE NOT consumer.lapsed");
      upsert.setString(1, consumer);
      upsert.setLong(2, position);
      upsert.setLong(3, now);
      upsert.setLong(4, now);
      return upsert.executeUpdate() == 1;
    });
  }

  @Override
  public boolean forget(String consumer) {
    return store.change(session -> {
      PreparedStatement delete = session.prepare("DELETE FROM consumer WHERE name = ?");
      delete.setString(1, consumer);
      return delete.executeUpdate() == 1;
    });
  }

  @Override
  public int lapse(long since) {
    return store.change(session -> {
      PreparedStatement update =
          session.prepare(
              "UPDATE consumer SET lapsed = true WHERE NOT lapsed AND moved_at < ? AND "
                  + FIRST_UNREAD
                  + " < ?");
      update.setLong(1, since);
      update.setLong(2, since);
      return update.executeUpdate();
    });
  }
}
