package dev.holdfast.journal;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Takes the rows of another journal into an SQLite file, within one transaction. */
final class SqliteLoad implements JournalStore.Scan {

  private final SqliteSession session;

  SqliteLoad(SqliteSession session) {
    this.session = session;
  }

  @Override
  public void journal(String identity, long forgotten, @Nullable String ownerSecret) {
    insert(() -> {
      PreparedStatement update =
          session.prepare("UPDATE feed SET identity = ?, forgotten = ?, owner_secret = ?");
      update.setString(1, identity);
      update.setLong(2, forgotten);
      update.setString(3, ownerSecret);
      update.executeUpdate();
    });
  }

  @Override
  public void snapshot(SnapshotWrite snapshot) {
    insert(() -> {
      PreparedStatement insert =
          session.prepare(
              "INSERT INTO snapshot (owner, seq, at, name, payload) VALUES (?, ?, ?, ?, ?)");
      insert.setBytes(1, snapshot.owner().bytes());
      insert.setLong(2, snapshot.number());
      insert.setLong(3, snapshot.at());
      insert.setString(4, snapshot.snapshot().name());
      insert.setBytes(5, snapshot.snapshot().payload());
      insert.executeUpdate();
    });
  }

  @Override
  public void event(StoredEvent event) {
    insert(() -> {
      PreparedStatement insert =
          session.prepare(
              "INSERT INTO event (position, owner, seq, at, due, name, payload)"
                  + " VALUES (?, ?, ?, ?, ?, ?, ?)");
      insert.setLong(1, event.position());
      insert.setBytes(2, event.owner().bytes());
      insert.setLong(3, event.number());
      insert.setLong(4, event.event().at());
      SqliteStore.setDeadline(insert, 5, event.event().deadline());
      insert.setString(6, event.event().name());
      insert.setBytes(7, event.event().payload());
      insert.executeUpdate();
    });
  }

  /**
   * Every owner whose newest event has a deadline goes on the agenda.
   *
   * <p>Where the newest events of all were deleted, positions would be given again that readers
   * have seen. Then this is another journal to them, and they begin anew.
   */
  void finish() throws SQLException {
    session
        .prepare(
            """
            UPDATE feed SET identity = lower(hex(randomblob(16))), forgotten = 0
            WHERE forgotten > (SELECT coalesce(max(position), 0) FROM event)\
            """)
        .executeUpdate();
    session
        .prepare(
            "INSERT INTO agenda (owner, wake) SELECT owner, due" + SqliteStore.NEWEST_WITH_DEADLINE)
        .executeUpdate();
  }

  private interface Insertion {
    void run() throws SQLException;
  }

  private static void insert(Insertion insertion) {
    try {
      insertion.run();
    } catch (SQLException e) {
      throw SqliteErrors.beforeCommit(e);
    }
  }
}
