package dev.holdfast.benchmarks.http;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;

/** A PostgreSQL of our own, on loopback, that syncs every commit. */
final class Postgres implements AutoCloseable {

  /** Checkpoints and vacuum are asked for between turns, so that they fall on nobody's. */
  static final Map<String, String> SETTINGS =
      Map.of(
          "fsync", "on",
          "synchronous_commit", "on",
          "full_page_writes", "on",
          "shared_buffers", "512MB",
          "max_wal_size", "16GB",
          "checkpoint_timeout", "1h",
          "autovacuum", "off",
          "max_connections", "200");

  private final Path work;
  private final int port;
  private EmbeddedPostgres server;

  Postgres(Path work) throws IOException, SQLException {
    this.work = work;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    server = start();
    for (String setting : new String[] {"fsync", "synchronous_commit", "full_page_writes"}) {
      if (!text("postgres", "SHOW " + setting).equals("on")) {
        throw new IllegalStateException(setting + " is not on");
      }
    }
  }

  private EmbeddedPostgres start() throws IOException {
    File log = work.resolve("postgres.log").toFile();
    EmbeddedPostgres.Builder builder =
        EmbeddedPostgres.builder()
            .setDataDirectory(work.resolve("postgres"))
            .setOverrideWorkingDirectory(work.resolve("binaries").toFile())
            .setCleanDataDirectory(false)
            .setRegisterShutdownHook(false)
            .setPort(port)
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            .setOutputRedirector(ProcessBuilder.Redirect.appendTo(log))
            .setErrorRedirector(ProcessBuilder.Redirect.appendTo(log));
    SETTINGS.forEach(builder::setServerConfig);
    return builder.start();
  }

  /** Where {@code database} is. */
  String url(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=postgres";
  }

  void create(String database) throws SQLException {
    execute("postgres", "CREATE DATABASE " + database);
  }

  /** Restarts with an empty cache of its own. */
  void restart() throws IOException, SQLException {
    execute("postgres", "CHECKPOINT");
    server.close();
    server = start();
  }

  /** Cleans up after whoever wrote to {@code database} last. */
  void settle(String database) throws SQLException {
    execute(database, "VACUUM ANALYZE");
    execute("postgres", "CHECKPOINT");
  }

  String version() throws SQLException {
    return text("postgres", "SHOW server_version");
  }

  /** The one value that a query gives. */
  String text(String database, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url(database));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  private void execute(String database, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url(database));
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
