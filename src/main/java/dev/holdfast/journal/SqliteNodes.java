package dev.holdfast.journal;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The nodes' rows in SQLite. A fence waits for a batch in flight by waiting for the write lock. */
final class SqliteNodes implements NodeRegistry {

  /** The store's clock, in milliseconds since the epoch. */
  private static final String NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

  private final SqliteStore store;

  SqliteNodes(SqliteStore store) {
    this.store = store;
  }

  @Override
  public Incarnation incarnation() {
    return store.read(session -> {
      try (ResultSet row =
          session.prepare("SELECT number, released FROM incarnation").executeQuery()) {
        row.next();
        return new Incarnation(row.getLong(1), row.getBoolean(2));
      }
    });
  }

  @Override
  public @Nullable Incarnation claim(NodeId node, long expected, Duration silence) {
    boolean claimed =
        store.transact(session -> {
          if (isKnown(session, node)) {
            return false;
          }
          PreparedStatement claim =
              session.prepare(
                  "UPDATE incarnation SET number = number + 1, holder = ?, released = 0,"
                      + " renewed_at = "
                      + NOW
                      + " WHERE number = ? AND (released OR ? = 0 OR renewed_at <= "
                      + NOW
                      + " - ?)");
          claim.setString(1, node.value());
          claim.setLong(2, expected);
          claim.setLong(3, silence.toMillis());
          claim.setLong(4, silence.toMillis());
          if (claim.executeUpdate() == 0) {
            return false;
          }
          PreparedStatement fence =
              session.prepare(
                  "UPDATE node SET fenced_at = " + NOW + ", fenced_by = ? WHERE fenced_at IS NULL");
          fence.setString(1, node.value());
          fence.executeUpdate();
          return insert(session, node, expected + 1);
        });
    return claimed ? new Incarnation(expected + 1, false) : null;
  }

  @Override
  public boolean renew(NodeId node, long number) {
    return store.transact(session -> {
      if (!SqliteStore.isUnfenced(session, node)) {
        return false;
      }
      PreparedStatement renew =
          session.prepare(
              "UPDATE incarnation SET holder = ?, renewed_at = "
                  + NOW
                  + " WHERE number = ? AND NOT released");
      renew.setString(1, node.value());
      renew.setLong(2, number);
      return renew.executeUpdate() == 1;
    });
  }

  @Override
  public boolean lives(Duration silence) {
    return store.read(session -> {
      PreparedStatement select =
          session.prepare(
              "SELECT 1 FROM incarnation WHERE NOT released AND renewed_at > " + NOW + " - ?");
      select.setLong(1, silence.toMillis());
      try (ResultSet row = select.executeQuery()) {
        return row.next();
      }
    });
  }

  @Override
  public boolean release(NodeId node, long number) {
    return store.transact(session -> {
      if (!isCurrent(session, number) || !SqliteStore.isUnfenced(session, node)) {
        return false;
      }
      fence(session, node, node);
      PreparedStatement release =
          session.prepare(
              "UPDATE incarnation SET holder = ?1, released = 1 WHERE number = ?2 AND NOT EXISTS"
                  + " (SELECT 1 FROM node WHERE incarnation = ?2 AND fenced_at IS NULL)");
      release.setString(1, node.value());
      release.setLong(2, number);
      release.executeUpdate();
      return true;
    });
  }

  @Override
  public boolean register(NodeId node, long number) {
    return store.transact(session ->
        isCurrent(session, number)
            && (insert(session, node, number) || SqliteStore.isUnfenced(session, node)));
  }

  private static boolean isCurrent(SqliteSession session, long number) throws SQLException {
    PreparedStatement current =
        session.prepare("SELECT 1 FROM incarnation WHERE number = ? AND NOT released");
    current.setLong(1, number);
    try (ResultSet row = current.executeQuery()) {
      return row.next();
    }
  }

  @Override
  public boolean announce(NodeId node, String address, List<String> tokenKeys) {
    return store.transact(session -> {
      PreparedStatement announce =
          session.prepare(
              "UPDATE node SET address = ?, token_keys = ? WHERE id = ? AND fenced_at IS NULL");
      announce.setString(1, address);
      announce.setString(2, String.join(",", tokenKeys));
      announce.setString(3, node.value());
      return announce.executeUpdate() == 1;
    });
  }

  @Override
  public List<Registered> registered(long number) {
    return store.read(session -> {
      PreparedStatement select =
          session.prepare(
              "SELECT id, address, token_keys FROM node WHERE incarnation = ? AND fenced_at IS NULL"
                  + " ORDER BY id");
      select.setLong(1, number);
      var found = new ArrayList<Registered>();
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          found.add(Registered.of(row.getString(1), row.getString(2), row.getString(3)));
        }
      }
      return found;
    });
  }

  private static boolean isKnown(SqliteSession session, NodeId node) throws SQLException {
    PreparedStatement select = session.prepare("SELECT 1 FROM node WHERE id = ?");
    select.setString(1, node.value());
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  /** False if the node has a row already: a process that was fenced never writes again. */
  private static boolean insert(SqliteSession session, NodeId node, long number)
      throws SQLException {
    PreparedStatement insert =
        session.prepare(
            "INSERT INTO node (id, incarnation, registered_at) VALUES (?, ?, "
                + NOW
                + ") ON CONFLICT (id) DO NOTHING");
    insert.setString(1, node.value());
    insert.setLong(2, number);
    return insert.executeUpdate() == 1;
  }

  @Override
  public int form() {
    return store.read(session -> {
      try (ResultSet row = session.prepare("SELECT form FROM incarnation").executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    });
  }

  @Override
  public void raiseForm(int form) {
    int _ =
        store.transact(session -> {
          PreparedStatement raise =
              session.prepare("UPDATE incarnation SET form = ?1 WHERE form < ?1");
          raise.setInt(1, form);
          return raise.executeUpdate();
        });
  }

  @Override
  public FenceResult fence(NodeId by, NodeId other) {
    return store.transact(session -> {
      if (!SqliteStore.isUnfenced(session, by)) {
        return FenceResult.FENCED_ONESELF;
      }
      return fence(session, by, other) ? FenceResult.FENCED : FenceResult.FENCED_ALREADY;
    });
  }

  /** Also a node that has no row yet: it must not be able to get one afterwards. */
  private static boolean fence(SqliteSession session, NodeId by, NodeId other) throws SQLException {
    PreparedStatement fence =
        session.prepare(
            "INSERT INTO node (id, incarnation, registered_at, fenced_at, fenced_by) VALUES (?1, 0,"
                + " "
                + NOW
                + ", "
                + NOW
                + ", ?2) ON CONFLICT (id) DO UPDATE SET fenced_at = excluded.fenced_at,"
                + " fenced_by = excluded.fenced_by WHERE fenced_at IS NULL");
    fence.setString(1, other.value());
    fence.setString(2, by.value());
    return fence.executeUpdate() == 1;
  }

  @Override
  public boolean isFenced(NodeId node) {
    return store.read(session -> !SqliteStore.isUnfenced(session, node));
  }
}
