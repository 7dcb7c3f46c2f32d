package dev.holdfast.benchmarks.journal;

import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Properties;
import org.sqlite.SQLiteConfig;

/** One connection that inserts into a table such as Holdfast's, batch after batch. */
final class BareSqliteContestant implements Contestant {

  private static final String INSERT =
      "INSERT INTO event (owner, seq, at, due, name, payload) VALUES (?, ?, ?, ?, ?, ?)";

  /** As long as Holdfast lets the log become. */
  private static final int MOVE_AT = 8_192;

  private final String url;
  private final Connection connection;
  private final PreparedStatement insert;
  private BareLoad load = new BareLoad(0);
  private byte[][] keys = new byte[0][];

  BareSqliteContestant(Path folder) throws Exception {
    // Makes the same tables and indexes.
    SqliteStore.open(folder, SqliteOptions.defaults()).close();
    url = "jdbc:sqlite:" + folder.resolve(Main.SQLITE_FILE);
    var config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setCacheSize(-65_536);
    Properties properties = config.toProperties();
    connection = DriverManager.getConnection(url, properties);
    try (Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA wal_autocheckpoint = " + MOVE_AT);
    }
    connection.setAutoCommit(false);
    insert = connection.prepareStatement(INSERT);
  }

  @Override
  public void fill(long population, int owners, int events, boolean snapshot) throws Exception {
    if (snapshot) {
      throw new UnsupportedOperationException("nobody reads here");
    }
    byte[][] them = keysOf(population, owners);
    Filling.run(
        owners,
        events,
        (indexes, number) -> {
          long[] numbers = new long[indexes.length];
          Arrays.fill(numbers, number);
          write(them, indexes, numbers);
        });
  }

  private static byte[][] keysOf(long seed, int owners) {
    var population = new Population(seed, owners);
    byte[][] all = new byte[owners][];
    Arrays.setAll(all, i -> population.owner(i).bytes());
    return all;
  }

  @Override
  public void open(int owners) {
    keys = keysOf(Population.WRITERS, owners);
    load = new BareLoad(owners);
  }

  @Override
  public WriteRound write(WriteOrder order) throws Exception {
    byte[][] them = keys;
    return load.run(
        new WriteOrder(order.loops(), order.rampMillis(), order.millis(), order.batch(), 1),
        (_, owners, numbers) -> write(them, owners, numbers));
  }

  private void write(byte[][] them, int[] owners, long[] numbers) throws SQLException {
    long now = System.currentTimeMillis();
    for (int i = 0; i < owners.length; i++) {
      insert.setBytes(1, them[owners[i]]);
      insert.setLong(2, numbers[i]);
      insert.setLong(3, now);
      insert.setLong(4, now + Payloads.DEADLINE_MILLIS);
      insert.setString(5, Payloads.EVENT_NAME);
      insert.setBytes(6, Payloads.EVENT);
      insert.executeUpdate();
    }
    connection.commit();
  }

  @Override
  public long stored() throws SQLException {
    return HoldfastContestant.count(url, "event");
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
