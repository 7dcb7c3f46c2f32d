package dev.holdfast.journal;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections of one use, opened as they are needed and kept, up to a number. The one given back
 * last is taken first: it is warm, and the others show when they are not needed.
 */
final class PostgresPool implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PostgresPool.class);

  /** After so long a silence a connection is asked whether it still leads to the server. */
  private static final Duration LONG_IDLE = Duration.ofSeconds(1);

  private final PostgresOptions options;
  private final PostgresSession.Use use;
  private final Consumer<PostgresSession.History> onOpened;
  private final Predicate<PostgresSession.History> isCurrent;
  private final Semaphore room;

  /** Guarded by itself, as is {@link #closed}. */
  private final ArrayDeque<PostgresSession> idle = new ArrayDeque<>();

  private boolean closed;

  /**
   * A pool without connections yet.
   *
   * @param onOpened sees where each new connection leads to, before it is used
   * @param isCurrent whether that is where the newest connection of all pools leads to: one to
   *     another server, which may still run, is not used again
   */
  PostgresPool(
      PostgresOptions options,
      PostgresSession.Use use,
      int size,
      Consumer<PostgresSession.History> onOpened,
      Predicate<PostgresSession.History> isCurrent) {
    this.options = options;
    this.use = use;
    this.onOpened = onOpened;
    this.isCurrent = isCurrent;
    this.room = new Semaphore(size, true);
  }

  /**
   * A connection; waits until one of them is free. Whoever takes it gives it back or discards it.
   *
   * @throws SQLException if the server cannot be reached
   */
  PostgresSession take() throws SQLException {
    room.acquireUninterruptibly();
    boolean taken = false;
    try {
      PostgresSession session = fromIdle();
      while (session != null
          && !(isCurrent.test(session.history()) && session.isUsable(LONG_IDLE))) {
        close(session);
        session = fromIdle();
      }
      if (session == null) {
        session = PostgresSession.open(options, use);
        onOpened.accept(session.history());
      }
      taken = true;
      return session;
    } finally {
      if (!taken) {
        room.release();
      }
    }
  }

  private @Nullable PostgresSession fromIdle() throws SQLException {
    synchronized (idle) {
      if (closed) {
        throw new SQLException("the journal is closed", "08003");
      }
      return idle.poll();
    }
  }

  /** Takes back a connection that is as good as new. */
  void giveBack(PostgresSession session) {
    session.used();
    boolean kept;
    synchronized (idle) {
      kept = !closed;
      if (kept) {
        idle.push(session);
      }
    }
    if (!kept) {
      close(session);
    }
    room.release();
  }

  /** Takes back a connection that failed. The idle ones have most likely met the same end. */
  void discard(PostgresSession session) {
    close(session);
    closeIdle();
    room.release();
  }

  private void closeIdle() {
    synchronized (idle) {
      while (!idle.isEmpty()) {
        close(idle.pop());
      }
    }
  }

  private static void close(PostgresSession session) {
    try {
      session.close();
    } catch (SQLException e) {
      LOG.debug("a connection to PostgreSQL did not close: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    synchronized (idle) {
      closed = true;
    }
    closeIdle();
  }
}
