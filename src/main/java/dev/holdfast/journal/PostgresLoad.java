package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the rows of another journal into PostgreSQL, within one transaction that lets nobody else
 * at the tables.
 */
final class PostgresLoad implements JournalStore.Scan {

  private static final int ROWS_AT_ONCE = 1_000;
  private static final long BYTES_AT_ONCE = 4 << 20;

  private final PostgresSession session;
  private final List<SnapshotWrite> snapshots = new ArrayList<>();
  private final List<StoredEvent> events = new ArrayList<>();
  private long bytes;

  private PostgresLoad(PostgresSession session) {
    this.session = session;
  }

  /**
   * Runs the whole of it.
   *
   * @param session is not in a transaction, and is closed by the caller if this fails
   */
  static void run(PostgresSession session, String place, Consumer<JournalStore.Scan> rows)
      throws SQLException, JournalUnusable {
    session.begin();
    session.execute("SET LOCAL lock_timeout = '10s'");
    session.execute("LOCK TABLE event, snapshot, agenda IN ACCESS EXCLUSIVE MODE");
    if (found(session, "SELECT FROM node WHERE fenced_at IS NULL")) {
      throw new JournalUnusable(
          Problem.HELD,
          "a node runs on the journal in " + place + ", or did not end in good order");
    }
    if (found(session, "SELECT FROM event UNION ALL SELECT FROM snapshot")) {
      throw new JournalUnusable(Problem.NOT_EMPTY, "the journal in " + place + " is not empty");
    }
    PostgresLoad load = new PostgresLoad(session);
    rows.accept(load);
    load.finish();
    session.commit();
  }

  private static boolean found(PostgresSession session, String query) throws SQLException {
    try (ResultSet row = session.prepare("SELECT EXISTS (" + query + ")").executeQuery()) {
      row.next();
      return row.getBoolean(1);
    }
  }

  @Override
  public void journal(String identity, long forgotten, @Nullable String ownerSecret) {
    try {
      PreparedStatement name = session.prepare("UPDATE feed SET identity = ?");
      name.setString(1, identity);
      name.executeUpdate();
      PreparedStatement gone = session.prepare("UPDATE forgotten SET position = ?");
      gone.setLong(1, forgotten);
      gone.executeUpdate();
      PreparedStatement secret = session.prepare("UPDATE owner_secret SET sealed = ?");
      secret.setString(1, ownerSecret);
      secret.executeUpdate();
    } catch (SQLException e) {
      throw PostgresErrors.notWritten(e);
    }
  }

  @Override
  public void snapshot(SnapshotWrite snapshot) {
    snapshots.add(snapshot);
    bytes += snapshot.snapshot().payload().length;
    writeMany();
  }

  @Override
  public void event(StoredEvent event) {
    events.add(event);
    bytes += event.event().payload().length;
    writeMany();
  }

  private void writeMany() {
    if (snapshots.size() + events.size() >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE) {
      try {
        write();
      } catch (SQLException e) {
        throw PostgresErrors.notWritten(e);
      }
    }
  }

  private void write() throws SQLException {
    PreparedStatement event =
        session.prepare(
            "INSERT INTO event (owner, seq, position, at, due, name, payload)"
                + " SELECT * FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], ?::bigint[],"
                + " ?::bigint[], ?::text[], ?::bytea[])");
    event.setArray(1, session.uuids(events.stream().map(StoredEvent::owner).toList()));
    event.setArray(
        2, session.array("int8", events.stream().mapToLong(StoredEvent::number).toArray()));
    event.setArray(
        3, session.array("int8", events.stream().mapToLong(StoredEvent::position).toArray()));
    event.setArray(
        4, session.array("int8", events.stream().mapToLong(e -> e.event().at()).toArray()));
    event.setArray(
        5,
        session.array(
            "int8",
            events.stream()
                .map(e ->
                    e.event().deadline() == JournalEvent.NO_DEADLINE ? null : e.event().deadline())
                .toArray(Long[]::new)));
    event.setArray(
        6,
        session.array("text", events.stream().map(e -> e.event().name()).toArray(String[]::new)));
    event.setArray(
        7,
        session.array(
            "bytea", events.stream().map(e -> e.event().payload()).toArray(byte[][]::new)));
    event.executeUpdate();
    PreparedStatement snapshot =
        session.prepare(
            "INSERT INTO snapshot (owner, seq, at, name, payload)"
                + " SELECT * FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], ?::text[],"
                + " ?::bytea[])");
    snapshot.setArray(1, session.uuids(snapshots.stream().map(SnapshotWrite::owner).toList()));
    snapshot.setArray(
        2, session.array("int8", snapshots.stream().mapToLong(SnapshotWrite::number).toArray()));
    snapshot.setArray(
        3, session.array("int8", snapshots.stream().mapToLong(SnapshotWrite::at).toArray()));
    snapshot.setArray(
        4,
        session.array(
            "text", snapshots.stream().map(s -> s.snapshot().name()).toArray(String[]::new)));
    snapshot.setArray(
        5,
        session.array(
            "bytea", snapshots.stream().map(s -> s.snapshot().payload()).toArray(byte[][]::new)));
    snapshot.executeUpdate();
    events.clear();
    snapshots.clear();
    bytes = 0;
  }

  private void finish() throws SQLException {
    write();
    session.execute(
        """
        INSERT INTO agenda (owner, wake)
        SELECT owner, due FROM (
          SELECT DISTINCT ON (owner) owner, due FROM event ORDER BY owner, seq DESC
        ) AS newest WHERE due IS NOT NULL\
        """);
    // Positions stay as they were; what is written from now on comes after them, and after those
    // that were deleted.
    session.execute(
        """
        UPDATE feed SET base = base + above.gap FROM (
          SELECT greatest(
              (SELECT coalesce(max(position), 0) FROM event), (SELECT position FROM forgotten))
            + 1 - (SELECT base FROM feed)
            - (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << 20) AS gap
        ) AS above WHERE above.gap > 0\
        """);
  }
}
