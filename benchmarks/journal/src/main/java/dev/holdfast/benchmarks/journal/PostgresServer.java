package dev.holdfast.benchmarks.journal;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;

/** A PostgreSQL of our own, on loopback, that syncs every commit. */
final class PostgresServer implements AutoCloseable {

  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");

  /**
   * The same for everybody. Checkpoints and vacuum are asked for between rounds, so that they fall
   * on nobody's.
   */
  static final Map<String, String> SETTINGS =
      Map.of(
          "fsync", "on",
          "synchronous_commit", "on",
          "full_page_writes", "on",
          "shared_buffers", "512MB",
          "max_wal_size", "16GB",
          "checkpoint_timeout", "1h",
          "autovacuum", "off",
          "max_connections", "100");

  private final Path work;
  private final int port;
  private EmbeddedPostgres server;

  /**
   * What the server has done so far.
   *
   * @param processorMicros of all its processes that live
   */
  record Work(long walBytes, long walSyncs, double processorMicros) {

    static final Work NONE = new Work(0, 0, 0);

    Work since(Work before) {
      return new Work(
          walBytes - before.walBytes,
          walSyncs - before.walSyncs,
          processorMicros - before.processorMicros);
    }
  }

  PostgresServer(Path work) throws IOException, SQLException {
    this.work = work;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      this.port = free.getLocalPort();
    }
    this.server = start();
    for (String setting : new String[] {"fsync", "synchronous_commit", "full_page_writes"}) {
      String value = text("SHOW " + setting);
      if (!value.equals("on")) {
        throw new IllegalStateException(setting + " is " + value);
      }
    }
  }

  private EmbeddedPostgres start() throws IOException {
    EmbeddedPostgres.Builder builder =
        EmbeddedPostgres.builder()
            .setDataDirectory(work.resolve("data"))
            .setOverrideWorkingDirectory(work.resolve("binaries").toFile())
            .setCleanDataDirectory(false)
            .setRegisterShutdownHook(false)
            .setPort(port)
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            .setOutputRedirector(ProcessBuilder.Redirect.appendTo(log()))
            .setErrorRedirector(ProcessBuilder.Redirect.appendTo(log()));
    SETTINGS.forEach(builder::setServerConfig);
    return builder.start();
  }

  private java.io.File log() {
    return work.resolve("server.log").toFile();
  }

  /** Where {@code database} is. */
  String url(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=postgres";
  }

  void execute(String database, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url(database));
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private String text(String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url("postgres"));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  String version() throws SQLException {
    return text("SHOW server_version");
  }

  /** Cleans up after whoever wrote to {@code database} last. */
  void settle(String database) throws SQLException {
    execute(database, "VACUUM ANALYZE");
    execute("postgres", "CHECKPOINT");
  }

  Work work() throws SQLException, IOException {
    try (Connection connection = DriverManager.getConnection(url("postgres"));
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                SELECT wal_bytes,
                  (SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal')
                FROM pg_stat_wal\
                """)) {
      row.next();
      return new Work(row.getLong(1), row.getLong(2), processorMicros());
    }
  }

  private double processorMicros() throws IOException {
    long postmaster =
        Long.parseLong(Files.readAllLines(work.resolve("data/postmaster.pid")).getFirst().strip());
    return ProcessHandle.of(postmaster)
        .map(parent ->
            parent
                .children()
                .mapToDouble(
                    child -> child.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e3)
                .sum())
        .orElse(0.0);
  }

  /**
   * Restarts with nothing in memory.
   *
   * @return whether the operating system's cache is empty too, which only root can ask for
   */
  boolean restartCold() throws IOException, InterruptedException, SQLException {
    execute("postgres", "CHECKPOINT");
    server.close();
    boolean dropped = dropCaches();
    server = start();
    return dropped;
  }

  private static boolean dropCaches() throws IOException, InterruptedException {
    if (!Files.isWritable(DROP_CACHES)) {
      return false;
    }
    new ProcessBuilder("sync").inheritIO().start().waitFor();
    try {
      Files.writeString(DROP_CACHES, "3");
      return true;
    } catch (IOException refused) {
      return false; // a container may show the file and refuse the write
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
