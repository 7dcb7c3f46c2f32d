package dev.holdfast.journal;

import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Deletion in PostgreSQL. What is to be deleted is looked up beforehand; the statement that deletes
 * it checks that it still may.
 */
final class PostgresHousekeeping {

  /** Owners whose logs are looked up in one query. */
  private static final int LOGS_AT_ONCE = 64;

  private final PostgresStore store;

  PostgresHousekeeping(PostgresStore store) {
    this.store = store;
  }

  int delete(NodeId node, Owner owner, long upTo) {
    return store.change(session -> delete(session, node, List.of(new TrimPage.Cut(owner, upTo))));
  }

  Trimmed trim(NodeId node, OwnerRange range, @Nullable Owner after, KeepRule keep, int work) {
    TrimPage page =
        store.read(session ->
            TrimPage.plan(new Logs(session, range, keep.since(), work), after, keep, work));
    return page.trimmed(
        page.cuts().isEmpty() ? 0 : store.change(session -> delete(session, node, page.cuts())));
  }

  /** As far as the stored snapshots include them, and never the newest ones. */
  private static int delete(PostgresSession session, NodeId node, List<TrimPage.Cut> cuts)
      throws SQLException {
    PreparedStatement delete =
        session.prepare(
            """
            WITH alive AS MATERIALIZED (
              SELECT FROM node WHERE id = ? AND fenced_at IS NULL FOR SHARE
            ), cut AS MATERIALIZED (
              SELECT c.owner, least(c.up_to, s.seq, (
                SELECT seq FROM event WHERE event.owner = c.owner ORDER BY seq DESC LIMIT 1
              ) - 1) AS up_to
              FROM unnest(?::uuid[], ?::bigint[]) AS c (owner, up_to)
              JOIN snapshot s ON s.owner = c.owner
              WHERE EXISTS (SELECT FROM alive)
            ), deleted AS (
              DELETE FROM event USING cut
              WHERE event.owner = cut.owner AND event.seq <= cut.up_to
                AND event.position <= (SELECT passed())
              RETURNING event.position
            ), forgets AS (
              UPDATE forgotten SET position = gone.highest
              FROM (SELECT max(position) AS highest FROM deleted) AS gone
              WHERE forgotten.position < gone.highest
            )
            SELECT (SELECT count(*) FROM deleted), EXISTS (SELECT FROM alive)\
            """);
    delete.setString(1, node.value());
    delete.setArray(2, session.uuids(cuts.stream().map(TrimPage.Cut::owner).toList()));
    delete.setArray(
        3, session.array("int8", cuts.stream().mapToLong(TrimPage.Cut::upTo).toArray()));
    try (ResultSet row = delete.executeQuery()) {
      row.next();
      if (!row.getBoolean(2)) {
        throw NotWritten.fenced(node);
      }
      return row.getInt(1);
    }
  }

  /** One owner's log after another, looked up some at a time. */
  private static final class Logs implements TrimPage.Logs {

    private final PostgresSession session;
    private final OwnerRange range;
    private final long since;
    private final int work;
    private final ArrayDeque<Extent> page = new ArrayDeque<>();
    private long oldUpTo;
    private long passedUpTo;
    private boolean more = true;

    private record Extent(TrimPage.Log log, long oldUpTo, long passedUpTo) {}

    Logs(PostgresSession session, OwnerRange range, long since, int work) {
      this.session = session;
      this.range = range;
      this.since = since;
      this.work = work;
    }

    @Override
    public TrimPage.@Nullable Log nextAfter(@Nullable Owner after) throws SQLException {
      if (page.isEmpty() && more) {
        read(after);
      }
      Extent next = page.poll();
      if (next == null) {
        return null;
      }
      oldUpTo = next.oldUpTo;
      passedUpTo = next.passedUpTo;
      return next.log;
    }

    /** Looked up with the log, as far as one call may delete. */
    @Override
    public long oldUpTo(TrimPage.Log log, long bound, long at) {
      return Math.min(bound, oldUpTo);
    }

    @Override
    public long passedUpTo(TrimPage.Log log, long bound) {
      return Math.min(bound, passedUpTo);
    }

    private void read(@Nullable Owner after) throws SQLException {
      PreparedStatement select =
          session.prepare(
              """
              WITH RECURSIVE log AS (
                (SELECT owner, seq FROM event WHERE owner >= ?::uuid AND owner <= ?::uuid
                  AND (? OR owner > ?::uuid)
                ORDER BY owner, seq LIMIT 1)
                UNION ALL
                SELECT next.owner, next.seq FROM log CROSS JOIN LATERAL (
                  SELECT owner, seq FROM event WHERE owner > log.owner AND owner <= ?::uuid
                  ORDER BY owner, seq LIMIT 1
                ) AS next
              ), extent AS (
                SELECT log.owner, log.seq AS first, newest.seq AS newest,
                  coalesce(s.seq, 0) AS snapshot,
                  least(newest.seq - 1, coalesce(s.seq, 0), log.seq - 1 + ?) AS bound
                FROM (SELECT * FROM log LIMIT ?) AS log
                CROSS JOIN LATERAL (
                  SELECT seq FROM event WHERE event.owner = log.owner ORDER BY seq DESC LIMIT 1
                ) AS newest
                LEFT JOIN snapshot s ON s.owner = log.owner
              )
              SELECT owner, first, newest, snapshot, coalesce((
                SELECT seq - 1 FROM event
                WHERE event.owner = extent.owner AND seq <= bound AND at >= ?
                ORDER BY seq LIMIT 1
              ), bound), coalesce((
                SELECT seq - 1 FROM event
                WHERE event.owner = extent.owner AND seq <= bound
                  AND position > (SELECT passed())
                ORDER BY seq LIMIT 1
              ), bound) FROM extent ORDER BY owner\
              """);
      select.setString(1, PostgresStore.uuid(after == null ? range.first() : after));
      select.setString(2, PostgresStore.uuid(range.last()));
      select.setBoolean(3, after == null);
      select.setString(4, PostgresStore.uuid(after == null ? range.first() : after));
      select.setString(5, PostgresStore.uuid(range.last()));
      select.setLong(6, work);
      int limit = Math.min(work, LOGS_AT_ONCE);
      select.setInt(7, limit);
      select.setLong(8, since);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          TrimPage.Log log =
              new TrimPage.Log(
                  PostgresStore.owner(rows, 1), rows.getLong(2), rows.getLong(3), rows.getLong(4));
          page.add(new Extent(log, rows.getLong(5), rows.getLong(6)));
        }
      }
      more = page.size() == limit;
    }
  }

  Set<Owner> purge(NodeId node, Map<Owner, Long> newest, long later) {
    List<Map.Entry<Owner, Long>> owners = List.copyOf(newest.entrySet());
    return store.change(session -> {
      PreparedStatement purge = session.prepare("SELECT purge(?, ?::uuid[], ?::bigint[], ?)");
      purge.setString(1, node.value());
      purge.setArray(2, session.uuids(owners.stream().map(Map.Entry::getKey).toList()));
      purge.setArray(
          3, session.array("int8", owners.stream().mapToLong(Map.Entry::getValue).toArray()));
      purge.setLong(4, later);
      try (ResultSet row = purge.executeQuery()) {
        row.next();
        Array gone = row.getArray(1);
        if (gone == null) {
          throw NotWritten.fenced(node);
        }
        Set<Owner> owned = new HashSet<>();
        for (UUID uuid : (UUID[]) gone.getArray()) {
          owned.add(new Owner(uuid.getMostSignificantBits(), uuid.getLeastSignificantBits()));
        }
        return owned;
      }
    });
  }

  boolean erase(NodeId node, Owner owner, long number, long newest, long deadline) {
    return store.changeSlowly(session -> {
      PreparedStatement erase = session.prepare("SELECT erase(?, ?::uuid, ?, ?, ?)");
      erase.setString(1, node.value());
      erase.setString(2, PostgresStore.uuid(owner));
      erase.setLong(3, number);
      erase.setLong(4, newest);
      erase.setLong(5, deadline);
      try (ResultSet row = erase.executeQuery()) {
        row.next();
        if (row.getInt(1) < 0) {
          throw NotWritten.fenced(node);
        }
        return row.getInt(1) == 1;
      }
    });
  }
}
