package dev.holdfast.journal;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.sqlite.JDBC;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;

/** One connection to the journal's file with its prepared statements, for one thread at a time. */
final class SqliteSession implements AutoCloseable {

  /** How long a statement waits for a lock. Nobody holds one for long; a stranger's tool might. */
  private static final int BUSY_MILLIS = 5_000;

  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  private SqliteSession(Connection connection) {
    this.connection = connection;
  }

  /**
   * Opens a connection that writes. Every commit is synced before it returns.
   *
   * @param file must exist
   */
  static SqliteSession writing(Path file) throws SQLException {
    SQLiteConfig config = config();
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setCacheSize(-65_536); // KiB
    return open(file, config);
  }

  /** Opens a connection that only reads. */
  static SqliteSession reading(Path file) throws SQLException {
    SQLiteConfig config = config();
    config.setReadOnly(true);
    config.setCacheSize(-16_384); // KiB
    return open(file, config);
  }

  private static SQLiteConfig config() {
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout(BUSY_MILLIS);
    // A missing file is an error, never a reason to make an empty one.
    config.resetOpenMode(SQLiteOpenMode.CREATE);
    return config;
  }

  private static SqliteSession open(Path file, SQLiteConfig config) throws SQLException {
    Properties properties = config.toProperties();
    Connection connection = JDBC.createConnection("jdbc:sqlite:" + file, properties);
    return new SqliteSession(connection);
  }

  PreparedStatement prepare(String sql) throws SQLException {
    PreparedStatement statement = prepared.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      prepared.put(sql, statement);
    }
    return statement;
  }

  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The single number that a query without parameters gives. */
  long number(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** The single text that a query without parameters gives. */
  String text(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  /** Begins a transaction that will write: it holds the write lock from the start. */
  void beginWrite() throws SQLException {
    prepare("BEGIN IMMEDIATE").execute();
  }

  /** Begins a transaction that reads one moment's state. */
  void beginRead() throws SQLException {
    prepare("BEGIN").execute();
  }

  void commit() throws SQLException {
    prepare("COMMIT").execute();
  }

  /** Undoes the transaction; SQLite may have done so by itself already. */
  void rollback() throws SQLException {
    try {
      prepare("ROLLBACK").execute();
    } catch (SQLException e) {
      if (!String.valueOf(e.getMessage()).contains("no transaction is active")) {
        throw e;
      }
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
