package dev.holdfast.journal;

import java.nio.ByteBuffer;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.postgresql.Driver;
import org.postgresql.PGConnection;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/** One connection to the journal's database with its prepared statements, for one thread. */
final class PostgresSession implements AutoCloseable {

  /** What a connection is for. */
  enum Use {
    /** Batches and other short statements that write. */
    WRITING(4),
    /** Questions that find a bounded number of rows. */
    READING(8),
    /** What deletes all that there is of an owner, which may be much. */
    ERASING(120),
    /** The whole journal, which takes as long as it takes. */
    SCANNING(0),
    /** Changes of the schema, which take as long as they take. */
    MIGRATING(0);

    /**
     * Seconds until the server gives up a statement, and a little later the client; 0 for never.
     */
    private final int patience;

    Use(int patience) {
      this.patience = patience;
    }

    private boolean writes() {
      return switch (this) {
        case WRITING, ERASING, MIGRATING -> true;
        case READING, SCANNING -> false;
      };
    }
  }

  /**
   * Which history of which server a connection leads to. Another one means that the database failed
   * over, to a server that may lack what the one before has acknowledged.
   */
  record History(String system, String timeline) {}

  private static final int VERSION_WITH_TRANSACTION_TIMEOUT = 17;

  /** Ways to run a query that this journal's never should. */
  private static final List<String> FOR_FEW_OR_ALL_ROWS =
      List.of("seqscan", "bitmapscan", "hashjoin", "mergejoin");

  /** Values of synchronous_commit under which a commit may be lost after it was acknowledged. */
  private static final Set<String> WEAK = Set.of("off", "local");

  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();
  private final History history;
  private long lastUsed = System.nanoTime();

  private PostgresSession(Connection connection, History history) {
    this.connection = connection;
    this.history = history;
  }

  /**
   * Connects to the primary among the hosts of {@code options}.
   *
   * @throws SQLException if none can be reached within about a second each
   */
  static PostgresSession open(PostgresOptions options, Use use) throws SQLException {
    Properties properties = new Properties();
    // What stands in the URL wins over these.
    properties.setProperty("ApplicationName", "holdfast");
    properties.setProperty("connectTimeout", "1");
    properties.setProperty("loginTimeout", "3");
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("targetServerType", "primary");
    properties.setProperty("hostRecheckSeconds", "0");
    properties.setProperty("prepareThreshold", "1");
    Connection connection = new Driver().connect(options.url(), properties);
    if (connection == null) {
      throw new SQLException("the driver does not take this URL");
    }
    boolean ready = false;
    try {
      if (use.patience > 0) {
        // Above the server's own limit, whose error says that nothing was written.
        connection.setNetworkTimeout(
            Runnable::run, (int) Duration.ofSeconds(use.patience + 1L).toMillis());
      }
      PostgresSession session = new PostgresSession(connection, prepare(connection, options, use));
      ready = true;
      return session;
    } finally {
      if (!ready) {
        connection.close();
      }
    }
  }

  private static History prepare(Connection connection, PostgresOptions options, Use use)
      throws SQLException {
    StringBuilder set = new StringBuilder("SET search_path = ").append(options.schema());
    if (use.patience > 0) {
      // Every statement finds its rows by key, in nested loops. A plan that was made when a table
      // was still small must not stay in use when it is not.
      for (String other : FOR_FEW_OR_ALL_ROWS) {
        set.append("; SET enable_").append(other).append(" = off");
      }
    }
    set.append("; SET plan_cache_mode = force_generic_plan; SET jit = off");
    // A warning says that what was committed may not be on the standby; nothing else may look so.
    set.append("; SET client_min_messages = warning");
    set.append("; SET default_transaction_isolation = 'read committed'; SET work_mem = '32MB'");
    // The server ends what a client that was frozen or cut off has left behind.
    set.append("; SET tcp_user_timeout = '5s'; SET tcp_keepalives_idle = 5");
    set.append("; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3");
    set.append("; SET idle_in_transaction_session_timeout = '");
    set.append(use.patience).append("s'; SET statement_timeout = '").append(use.patience);
    set.append("s'");
    if (use == Use.WRITING) {
      set.append("; SET lock_timeout = '3s'");
      if (connection.getMetaData().getDatabaseMajorVersion() >= VERSION_WITH_TRANSACTION_TIMEOUT) {
        set.append("; SET transaction_timeout = '5s'");
      }
    }
    if (!use.writes()) {
      set.append("; SET default_transaction_read_only = on");
    }
    try (Statement statement = connection.createStatement()) {
      statement.execute(set.toString());
      boolean weak;
      try (ResultSet row =
          statement.executeQuery(
              "SELECT pg_is_in_recovery(), current_setting('synchronous_commit')")) {
        row.next();
        if (row.getBoolean(1)) {
          throw new SQLException("the server is a standby", PostgresErrors.READ_ONLY);
        }
        // Off and local acknowledge what a crash, or a fail-over, may lose.
        weak = use.writes() && WEAK.contains(row.getString(2));
      }
      if (weak) {
        statement.execute("SET synchronous_commit = on");
      }
      return new History(
          told(statement, "SELECT system_identifier FROM pg_control_system()"),
          told(statement, "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"));
    }
  }

  /** What the server says, or nothing where a hosted one does not let us ask. */
  private static String told(Statement statement, String query) throws SQLException {
    try (ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getString(1);
    } catch (SQLException e) {
      if (PostgresErrors.leavesOpen(e)) {
        throw e;
      }
      return "";
    }
  }

  /** The history that this connection leads to. */
  History history() {
    return history;
  }

  PreparedStatement prepare(String sql) throws SQLException {
    PreparedStatement statement = prepared.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      prepared.put(sql, statement);
    }
    return statement;
  }

  /**
   * Fails if a statement has brought a warning. A server that was told to stop waiting for its
   * synchronous standby, or whose patience with it is over, says so in a warning, and that the
   * transaction is committed all the same. Whoever reads later must not take it for safe: the
   * outcome is open until a later commit has gone through.
   */
  void refuseWarnings() throws SQLException {
    for (PreparedStatement statement : prepared.values()) {
      SQLWarning warning = statement.getWarnings();
      if (warning != null) {
        statement.clearWarnings();
        throw new SQLException(warning.getMessage(), "08007", warning);
      }
    }
  }

  /**
   * Owners as a parameter, in the form in which the server keeps them: as text each would be
   * printed here and parsed there.
   */
  Array uuids(Collection<Owner> owners) throws SQLException {
    int header = 5 * Integer.BYTES;
    ByteBuffer bytes = ByteBuffer.allocate(header + owners.size() * (Integer.BYTES + Owner.BYTES));
    bytes.putInt(1).putInt(0).putInt(Oid.UUID).putInt(owners.size()).putInt(1);
    for (Owner owner : owners) {
      bytes.putInt(Owner.BYTES).putLong(owner.high()).putLong(owner.low());
    }
    return new PgArray(connection.unwrap(BaseConnection.class), Oid.UUID_ARRAY, bytes.array());
  }

  /** An array as a parameter: of primitive numbers, of strings or of byte arrays. */
  Array array(String type, Object elements) throws SQLException {
    return connection.unwrap(PGConnection.class).createArrayOf(type, elements);
  }

  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Begins a transaction that reads one moment's state, some rows at a time. */
  void beginSnapshot() throws SQLException {
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
  }

  /** Begins a transaction of several statements. */
  void begin() throws SQLException {
    connection.setAutoCommit(false);
  }

  void commit() throws SQLException {
    connection.commit();
    connection.setAutoCommit(true);
  }

  /** Notes the moment, for {@link #isUsable}. */
  void used() {
    lastUsed = System.nanoTime();
  }

  /** Whether the connection still leads somewhere; asked only when it was idle for long. */
  boolean isUsable(Duration longIdle) {
    if (System.nanoTime() - lastUsed < longIdle.toNanos()) {
      return true;
    }
    try {
      return connection.isValid(1);
    } catch (SQLException e) {
      return false;
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
