package dev.holdfast.journal;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Deletion in SQLite. What is to be deleted is looked up beside the writer; the transaction that
 * deletes it only checks that it still may.
 */
final class SqliteHousekeeping {

  /** As far as the stored snapshot includes them, and never the newest one. */
  private static final String DELETE_UP_TO =
      """
      DELETE FROM event WHERE owner = ?1 AND seq <= ?2
      AND seq <= (SELECT seq FROM snapshot WHERE owner = ?1)
      AND seq < (SELECT max(seq) FROM event WHERE owner = ?1) AND position <= ?3
      RETURNING position\
      """;

  private final SqliteStore store;

  SqliteHousekeeping(SqliteStore store) {
    this.store = store;
  }

  int delete(NodeId node, Owner owner, long upTo) {
    return store.transact(session -> {
      refuseFenced(session, node);
      return delete(session, List.of(new TrimPage.Cut(owner, upTo)));
    });
  }

  Trimmed trim(NodeId node, OwnerRange range, @Nullable Owner after, KeepRule keep, int work) {
    TrimPage page =
        store.read(session -> TrimPage.plan(new Logs(session, range), after, keep, work));
    if (page.cuts().isEmpty()) {
      return page.trimmed(0);
    }
    return page.trimmed(
        store.transact(
            page.rows(),
            session -> {
              refuseFenced(session, node);
              return delete(session, page.cuts());
            }));
  }

  /** One owner's log after another, each looked up when its turn comes. */
  private record Logs(SqliteSession session, OwnerRange range) implements TrimPage.Logs {

    @Override
    public TrimPage.@Nullable Log nextAfter(@Nullable Owner after) throws SQLException {
      PreparedStatement select =
          session.prepare(
              "SELECT owner, seq FROM event WHERE owner "
                  + (after == null ? ">=" : ">")
                  + " ? AND owner <= ? ORDER BY owner, seq LIMIT 1");
      select.setBytes(1, (after == null ? range.first() : after).bytes());
      select.setBytes(2, range.last().bytes());
      Owner owner;
      long first;
      try (ResultSet row = select.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        owner = Owner.of(row.getBytes(1));
        first = row.getLong(2);
      }
      return new TrimPage.Log(
          owner,
          first,
          SqliteStore.highest(session, owner.bytes()),
          snapshotNumber(session, owner));
    }

    @Override
    public long oldUpTo(TrimPage.Log log, long bound, long since) throws SQLException {
      PreparedStatement select =
          session.prepare(
              "SELECT seq FROM event WHERE owner = ? AND seq <= ? AND at >= ? ORDER BY seq LIMIT"
                  + " 1");
      select.setBytes(1, log.owner().bytes());
      select.setLong(2, bound);
      select.setLong(3, since);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) - 1 : bound;
      }
    }

    @Override
    public long passedUpTo(TrimPage.Log log, long bound) throws SQLException {
      long passed = SqliteReaders.passed(session);
      if (passed == Long.MAX_VALUE) {
        return bound;
      }
      PreparedStatement select =
          session.prepare(
              "SELECT seq FROM event WHERE owner = ? AND seq <= ? AND position > ? ORDER BY seq"
                  + " LIMIT 1");
      select.setBytes(1, log.owner().bytes());
      select.setLong(2, bound);
      select.setLong(3, passed);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) - 1 : bound;
      }
    }
  }

  private static int delete(SqliteSession session, List<TrimPage.Cut> cuts) throws SQLException {
    long passed = SqliteReaders.passed(session);
    PreparedStatement delete = session.prepare(DELETE_UP_TO);
    int deleted = 0;
    long highest = 0;
    for (TrimPage.Cut cut : cuts) {
      delete.setBytes(1, cut.owner().bytes());
      delete.setLong(2, cut.upTo());
      delete.setLong(3, passed);
      try (ResultSet rows = delete.executeQuery()) {
        while (rows.next()) {
          deleted++;
          highest = Math.max(highest, rows.getLong(1));
        }
      }
    }
    SqliteReaders.forgot(session, highest);
    return deleted;
  }

  private static long snapshotNumber(SqliteSession session, Owner owner) throws SQLException {
    PreparedStatement select = session.prepare("SELECT seq FROM snapshot WHERE owner = ?");
    select.setBytes(1, owner.bytes());
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  Set<Owner> purge(NodeId node, Map<Owner, Long> newest, long later) {
    return store.transact(
        newest.size(),
        session -> {
          refuseFenced(session, node);
          // The highest position of all must stay: the next event gets the one after it.
          long highest = session.number("SELECT coalesce(max(position), 0) FROM event");
          long passed = SqliteReaders.passed(session);
          long forgotten = 0;
          Set<Owner> gone = new HashSet<>();
          for (Map.Entry<Owner, Long> owner : newest.entrySet()) {
            long position = newestPosition(session, owner.getKey(), owner.getValue());
            if (position == 0 || (position > 0 && position != highest && position <= passed)) {
              forgotten = Math.max(forgotten, position);
              for (String table : List.of("event", "snapshot", "agenda")) {
                PreparedStatement delete =
                    session.prepare("DELETE FROM " + table + " WHERE owner = ?");
                delete.setBytes(1, owner.getKey().bytes());
                delete.executeUpdate();
              }
              gone.add(owner.getKey());
            } else if (position > 0) {
              postpone(session, owner.getKey(), owner.getValue(), later);
            }
          }
          SqliteReaders.forgot(session, forgotten);
          return gone;
        });
  }

  private static void postpone(SqliteSession session, Owner owner, long newest, long later)
      throws SQLException {
    PreparedStatement update =
        session.prepare("UPDATE event SET due = ?1 WHERE owner = ?2 AND seq = ?3 AND due < ?1");
    update.setLong(1, later);
    update.setBytes(2, owner.bytes());
    update.setLong(3, newest);
    if (update.executeUpdate() == 1) {
      PreparedStatement agenda = session.prepare("UPDATE agenda SET wake = ? WHERE owner = ?");
      agenda.setLong(1, later);
      agenda.setBytes(2, owner.bytes());
      agenda.executeUpdate();
    }
  }

  /** The position of the owner's newest event; 0 without one, -1 if it has another number. */
  private static long newestPosition(SqliteSession session, Owner owner, long newest)
      throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT seq, position FROM event WHERE owner = ? ORDER BY seq DESC LIMIT 1");
    select.setBytes(1, owner.bytes());
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        return 0;
      }
      return row.getLong(1) == newest ? row.getLong(2) : -1;
    }
  }

  boolean erase(NodeId node, Owner owner, long number, long newest, long deadline) {
    return store.transact(session -> {
      refuseFenced(session, node);
      PreparedStatement select =
          session.prepare("SELECT EXISTS (SELECT 1 FROM event WHERE owner = ? AND seq = ?)");
      select.setBytes(1, owner.bytes());
      select.setLong(2, number);
      try (ResultSet row = select.executeQuery()) {
        row.next();
        if (!row.getBoolean(1)) {
          return false;
        }
      }
      PreparedStatement update =
          session.prepare("UPDATE event SET due = ? WHERE owner = ? AND seq = ?");
      SqliteStore.setDeadline(update, 1, deadline);
      update.setBytes(2, owner.bytes());
      update.setLong(3, newest);
      update.executeUpdate();
      SqliteStore.wakeBy(session, owner, deadline);
      for (String table : List.of("event", "snapshot")) {
        PreparedStatement delete =
            session.prepare("DELETE FROM " + table + " WHERE owner = ? AND seq < ?");
        delete.setBytes(1, owner.bytes());
        delete.setLong(2, number);
        delete.executeUpdate();
      }
      return true;
    });
  }

  private static void refuseFenced(SqliteSession session, NodeId node) throws SQLException {
    if (!SqliteStore.isUnfenced(session, node)) {
      throw NotWritten.fenced(node);
    }
  }
}
