package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A PostgreSQL of one test, that may be killed, started again and replaced by its standby. */
public final class PostgresServer implements AutoCloseable {

  private static final String WAITING_FOR_STANDBY =
      "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

  private final Path data;
  private int port;
  private @Nullable EmbeddedPostgres running;

  private PostgresServer(Path data) {
    this.data = data;
  }

  /** Starts a server with an empty database cluster in {@code data}, on a free port. */
  public static PostgresServer start(Path data) throws IOException {
    PostgresServer server = new PostgresServer(data);
    server.start();
    return server;
  }

  /** Starts the server again: same data, same port. */
  public void start() throws IOException {
    EmbeddedPostgres.Builder builder =
        TestPostgres.builder()
            .setDataDirectory(data)
            .setCleanDataDirectory(false)
            .setRegisterShutdownHook(false)
            .setPGStartupWait(Duration.ofSeconds(30));
    if (port != 0) {
      builder.setPort(port);
    }
    running = builder.start();
    port = running.getPort();
  }

  /**
   * Starts a copy of this server, which must be stopped, as its standby. Starts this one as well;
   * its commits then wait for the standby.
   */
  PostgresServer startWithStandby(Path standbyData) throws IOException, InterruptedException {
    Process copy =
        new ProcessBuilder("cp", "-a", data.toString(), standbyData.toString()).inheritIO().start();
    assertThat(copy.waitFor()).isZero();
    Files.writeString(standbyData.resolve("standby.signal"), "");
    Files.writeString(
        standbyData.resolve("postgresql.auto.conf"),
        "primary_conninfo = 'host=127.0.0.1 port=%d user=postgres application_name=standby'\n"
            .formatted(port));
    start();
    waitForStandby("standby");
    PostgresServer standby = new PostgresServer(standbyData);
    standby.start();
    await()
        .until(() ->
            query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
                .equals("1"));
    return standby;
  }

  /** From now on commits wait for a standby that is not there. */
  public void loseStandby() {
    waitForStandby("absent");
    // The server takes the setting over some time later: until one commit does wait.
    try (var commits = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?>[] last = {commits.submit(this::commit)};
      await()
          .until(() -> {
            if (last[0].isDone()) {
              last[0] = commits.submit(this::commit);
            }
            return !query("SELECT count(*) " + WAITING_FOR_STANDBY).equals("0");
          });
      execute("SELECT pg_cancel_backend(pid) " + WAITING_FOR_STANDBY);
    }
  }

  private void commit() {
    execute("SELECT pg_logical_emit_message(true, 'test', 'any')");
  }

  private void waitForStandby(String name) {
    execute("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
    execute("SELECT pg_reload_conf()");
  }

  /** Lets them through again, also those that wait. */
  public void needNoStandby() {
    execute("ALTER SYSTEM RESET synchronous_standby_names");
    execute("SELECT pg_reload_conf()");
  }

  int port() {
    return port;
  }

  /** The JDBC URL of its database. */
  public String url() {
    return TestPostgres.url(port);
  }

  /** Kills every process of the server at once: nothing is flushed, nobody is told. */
  public void kill() throws IOException {
    long pid = Long.parseLong(Files.readAllLines(data.resolve("postmaster.pid")).getFirst());
    ProcessHandle postmaster = ProcessHandle.of(pid).orElseThrow();
    List<ProcessHandle> all =
        Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    await().until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
    close();
  }

  /** Stops the server in good order. */
  void stop() throws IOException {
    assertThat(running).isNotNull();
    close();
  }

  /** Runs a statement as the superuser, on a connection of its own. */
  void execute(String sql) {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new AssertionError(sql, e);
    }
  }

  /** The single value that a query gives, as text. */
  public String query(String sql) {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      assertThat(row.next()).isTrue();
      return String.valueOf(row.getString(1));
    } catch (SQLException e) {
      throw new AssertionError(sql, e);
    }
  }

  @Override
  public void close() throws IOException {
    if (running != null) {
      running.close();
      running = null;
    }
  }
}
