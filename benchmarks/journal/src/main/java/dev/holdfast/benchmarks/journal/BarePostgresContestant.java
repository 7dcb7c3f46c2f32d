package dev.holdfast.benchmarks.journal;

import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A few connections that insert into tables such as Holdfast's, each batch one statement of many
 * rows that commits by itself.
 */
final class BarePostgresContestant implements Contestant {

  private static final String INSERT =
      "INSERT INTO event (owner, seq, position, at, due, name, payload) VALUES ";

  private static final String ROW = "(?, ?, ?, ?, ?, ?, ?)";

  private final String url;
  private final AtomicLong position = new AtomicLong();
  private final List<Writer> writers = new ArrayList<>();
  private BareLoad load = new BareLoad(0);
  private UUID[] keys = new UUID[0];

  /** A connection, and a statement for each size of a batch. */
  private record Writer(Connection connection, Map<Integer, PreparedStatement> inserts) {

    PreparedStatement insert(int rows) throws SQLException {
      PreparedStatement insert = inserts.get(rows);
      if (insert == null) {
        String[] all = new String[rows];
        Arrays.fill(all, ROW);
        insert = connection.prepareStatement(INSERT + String.join(", ", all));
        inserts.put(rows, insert);
      }
      return insert;
    }
  }

  /**
   * Makes the tables and opens the connections.
   *
   * @param connections at least one
   */
  BarePostgresContestant(String url, int connections) throws JournalUnusable, SQLException {
    // Makes the same tables and indexes.
    PostgresStore.open(PostgresOptions.of(url)).close();
    this.url = url + "&prepareThreshold=1&currentSchema=" + PostgresOptions.DEFAULT_SCHEMA;
    for (int i = 0; i < connections; i++) {
      writers.add(new Writer(DriverManager.getConnection(this.url), new HashMap<>()));
    }
  }

  @Override
  public void fill(long population, int owners, int events, boolean snapshot) throws Exception {
    if (snapshot) {
      throw new UnsupportedOperationException("nobody reads here");
    }
    UUID[] them = keysOf(population, owners);
    Filling.run(
        owners,
        events,
        (indexes, number) -> {
          long[] numbers = new long[indexes.length];
          Arrays.fill(numbers, number);
          write(writers.getFirst(), them, indexes, numbers);
        });
  }

  private static UUID[] keysOf(long seed, int owners) {
    var population = new Population(seed, owners);
    UUID[] all = new UUID[owners];
    Arrays.setAll(
        all,
        i -> {
          Owner owner = population.owner(i);
          return new UUID(owner.high(), owner.low());
        });
    return all;
  }

  @Override
  public void open(int owners) {
    keys = keysOf(Population.WRITERS, owners);
    load = new BareLoad(owners);
  }

  @Override
  public WriteRound write(WriteOrder order) throws Exception {
    UUID[] them = keys;
    return load.run(
        order,
        (connection, owners, numbers) -> write(writers.get(connection), them, owners, numbers));
  }

  private void write(Writer writer, UUID[] them, int[] owners, long[] numbers) throws SQLException {
    long now = System.currentTimeMillis();
    PreparedStatement insert = writer.insert(owners.length);
    int parameter = 0;
    for (int i = 0; i < owners.length; i++) {
      insert.setObject(++parameter, them[owners[i]]);
      insert.setLong(++parameter, numbers[i]);
      insert.setLong(++parameter, position.incrementAndGet());
      insert.setLong(++parameter, now);
      insert.setLong(++parameter, now + Payloads.DEADLINE_MILLIS);
      insert.setString(++parameter, Payloads.EVENT_NAME);
      insert.setBytes(++parameter, Payloads.EVENT);
    }
    insert.executeUpdate();
  }

  @Override
  public long stored() throws SQLException {
    return HoldfastContestant.count(url, "event");
  }

  @Override
  public void close() throws SQLException {
    for (Writer writer : writers) {
      writer.connection.close();
    }
  }
}
