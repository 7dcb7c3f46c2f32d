package dev.holdfast.journal;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

/** A real PostgreSQL for the tests of this JVM, started when the first of them asks. */
public final class TestPostgres {

  private static final AtomicInteger SCHEMAS = new AtomicInteger();

  private TestPostgres() {}

  private static final class Shared {
    static final EmbeddedPostgres SERVER = start();

    private static EmbeddedPostgres start() {
      try {
        EmbeddedPostgres server = builder().start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(server)));
        return server;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A server that keeps what it has acknowledged: by itself, the library's does not. */
  static EmbeddedPostgres.Builder builder() {
    return EmbeddedPostgres.builder()
        .setServerConfig("fsync", "on")
        .setServerConfig("synchronous_commit", "on")
        .setServerConfig("full_page_writes", "on")
        .setServerConfig("shared_buffers", "64MB");
  }

  static void close(EmbeddedPostgres server) {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A journal of its own on the shared server; there is nothing in it yet. */
  public static PostgresOptions fresh() {
    return new PostgresOptions(url(), "test_" + SCHEMAS.incrementAndGet(), 2, 2);
  }

  /** The shared server. */
  public static String url() {
    return url(Shared.SERVER.getPort());
  }

  static String url(int port) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres";
  }

  /** What a query says that counts. */
  static long count(PostgresOptions options, String sql) {
    try (Connection connection = connect(options);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs SQL as anybody with another client might. */
  public static void execute(PostgresOptions options, String sql) throws SQLException {
    try (Connection connection = connect(options);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static Connection connect(PostgresOptions options) throws SQLException {
    Connection connection = DriverManager.getConnection(options.url());
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET search_path = " + options.schema());
    }
    return connection;
  }
}
