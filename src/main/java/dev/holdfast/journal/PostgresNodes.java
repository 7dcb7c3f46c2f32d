package dev.holdfast.journal;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The nodes' rows in PostgreSQL. A fence waits for a batch in flight by waiting for its share lock
 * on the row; each of these is one statement, as batches are.
 */
final class PostgresNodes implements NodeRegistry {

  /** Beyond any clock, and yet no overflow when it is added to one. */
  private static final long LATER_THAN_ANY_MILLIS = 1L << 60;

  private final PostgresStore store;

  PostgresNodes(PostgresStore store) {
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
        store.change(session -> {
          PreparedStatement claim = session.prepare("SELECT claim_incarnation(?, ?, ?)");
          claim.setString(1, node.value());
          claim.setLong(2, expected);
          // Zero is for any case, also where the last renewal is of a time to come.
          claim.setLong(3, silence.isZero() ? -LATER_THAN_ANY_MILLIS : silence.toMillis());
          return isTrue(claim);
        });
    return claimed ? new Incarnation(expected + 1, false) : null;
  }

  @Override
  public boolean renew(NodeId node, long number) {
    return store.change(session -> {
      PreparedStatement renew =
          session.prepare(
              """
              UPDATE incarnation SET holder = ?, renewed_at = now_millis()
              WHERE number = ? AND NOT released
                AND EXISTS (SELECT FROM node WHERE id = ? AND fenced_at IS NULL)\
              """);
      renew.setString(1, node.value());
      renew.setLong(2, number);
      renew.setString(3, node.value());
      return renew.executeUpdate() == 1;
    });
  }

  @Override
  public boolean lives(Duration silence) {
    return store.read(session -> {
      PreparedStatement select =
          session.prepare(
              """
              SELECT EXISTS (
                SELECT FROM incarnation WHERE NOT released AND renewed_at > now_millis() - ?)\
              """);
      select.setLong(1, silence.toMillis());
      return isTrue(select);
    });
  }

  @Override
  public boolean release(NodeId node, long number) {
    return store.change(session -> {
      PreparedStatement release = session.prepare("SELECT release_node(?, ?)");
      release.setString(1, node.value());
      release.setLong(2, number);
      return isTrue(release);
    });
  }

  @Override
  public boolean register(NodeId node, long number) {
    return store.change(session -> {
      // The lock holds off a claim, which then finds this row and fences it.
      PreparedStatement register =
          session.prepare(
              """
              WITH current AS MATERIALIZED (
                SELECT number FROM incarnation WHERE number = ? AND NOT released FOR SHARE
              ), registered AS (
                INSERT INTO node (id, incarnation, registered_at)
                SELECT ?, number, now_millis() FROM current ON CONFLICT (id) DO NOTHING
              )
              SELECT EXISTS (SELECT FROM current)\
              """);
      register.setLong(1, number);
      register.setString(2, node.value());
      return isTrue(register) && isUnfenced(session, node);
    });
  }

  @Override
  public boolean announce(NodeId node, String address, List<String> tokenKeys) {
    return store.change(session -> {
      PreparedStatement announce =
          session.prepare(
              """
              UPDATE node SET address = ?, token_keys = ? WHERE id = ? AND fenced_at IS NULL\
              """);
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
              """
              SELECT id, address, token_keys FROM node
              WHERE incarnation = ? AND fenced_at IS NULL ORDER BY id\
              """);
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
        store.change(session -> {
          PreparedStatement raise =
              session.prepare("UPDATE incarnation SET form = ? WHERE form < ?");
          raise.setInt(1, form);
          raise.setInt(2, form);
          return raise.executeUpdate();
        });
  }

  @Override
  public FenceResult fence(NodeId by, NodeId other) {
    return store.change(session -> {
      PreparedStatement fence = session.prepare("SELECT fence_node(?, ?)");
      fence.setString(1, by.value());
      fence.setString(2, other.value());
      try (ResultSet row = fence.executeQuery()) {
        row.next();
        return switch (row.getInt(1)) {
          case 1 -> FenceResult.FENCED;
          case 0 -> FenceResult.FENCED_ALREADY;
          default -> FenceResult.FENCED_ONESELF;
        };
      }
    });
  }

  @Override
  public boolean isFenced(NodeId node) {
    return store.read(session -> !isUnfenced(session, node));
  }

  private static boolean isUnfenced(PostgresSession session, NodeId node) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT EXISTS (SELECT FROM node WHERE id = ? AND fenced_at IS NULL)");
    select.setString(1, node.value());
    return isTrue(select);
  }

  private static boolean isTrue(PreparedStatement select) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      row.next();
      return row.getBoolean(1);
    }
  }
}
