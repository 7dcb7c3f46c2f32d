package dev.holdfast.journal;

import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves the write-ahead log into the journal's file beside the writer, on a thread and a connection
 * of its own.
 *
 * <p>SQLite would do it within a commit, which then takes some 20 to 100 ms instead of 1 or 2. Here
 * the writer goes on meanwhile. It is kept waiting only at the end, for what has come in during the
 * last round: the log begins anew only if nothing in it is left to move.
 *
 * <p>Nothing of this bears on durability: a commit is durable once it is synced in the log, and
 * what is not moved yet when the process ends is found there.
 */
final class SqliteCheckpointer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SqliteCheckpointer.class);

  /**
   * Pages in the log at which it is moved: 32 MiB. The longer, the more often-written pages are
   * moved once.
   */
  static final int MOVE_AT = 8_192;

  /** Pages that may be left for the end, while the writer waits. */
  private static final int LEFT_FOR_THE_END = 256;

  /**
   * Rounds beside the writer; each has less to move than the one before, unless the disk is too
   * slow.
   */
  private static final int ROUNDS = 4;

  private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(1);

  private final Path file;
  private final ReentrantLock writing;
  private final int moveAt;
  private final Thread thread =
      Thread.ofPlatform().daemon().name("holdfast-journal-checkpoint").unstarted(this::run);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Pages written since the log was last looked at, at a guess. Guarded by {@link #lock}. */
  private long pages;

  /** Guarded by {@link #lock}. */
  private boolean closed;

  /** Pages in the log, and how many of them are moved. */
  private record Log(long pages, long moved) {
    long left() {
      return pages - moved;
    }
  }

  /**
   * A checkpointer of {@code file}.
   *
   * @param writing what whoever writes holds
   * @param moveAt pages in the log at which it is moved
   */
  SqliteCheckpointer(Path file, ReentrantLock writing, int moveAt) {
    this.file = file;
    this.writing = writing;
    this.moveAt = moveAt;
  }

  void start() {
    thread.start();
  }

  /** Hears of a commit of about {@code written} pages. */
  void committed(long written) {
    lock.lock();
    try {
      pages += written;
      if (pages >= moveAt) {
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    while (awaitPages()) {
      try (SqliteSession session = SqliteSession.writing(file)) {
        moveWhenLong(session);
      } catch (SQLException e) {
        LOG.warn(
            "the journal's log could not be moved into its file, and grows: {}", e.getMessage());
        pause();
      }
    }
  }

  /** Waits for enough to do. False once there is nothing to be done any more. */
  private boolean awaitPages() {
    lock.lock();
    try {
      while (pages < moveAt && !closed) {
        changed.awaitUninterruptibly();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void pause() {
    lock.lock();
    try {
      long left = PAUSE_AFTER_FAILURE.toNanos();
      while (left > 0 && !closed) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    } finally {
      lock.unlock();
    }
  }

  private void moveWhenLong(SqliteSession session) throws SQLException {
    Log log = checkpoint(session, "NOOP");
    if (log.left() < moveAt) {
      guessed(log.left());
      return;
    }
    for (int round = 0; round < ROUNDS && log.left() > LEFT_FOR_THE_END; round++) {
      checkpoint(session, "PASSIVE");
      log = checkpoint(session, "NOOP");
    }
    writing.lock();
    try {
      log = checkpoint(session, "PASSIVE");
    } finally {
      writing.unlock();
    }
    guessed(log.left());
  }

  /** Puts what is known in the place of the guess. */
  private void guessed(long left) {
    lock.lock();
    try {
      pages = left;
    } finally {
      lock.unlock();
    }
  }

  private static Log checkpoint(SqliteSession session, String mode) throws SQLException {
    try (ResultSet row = session.prepare("PRAGMA wal_checkpoint(" + mode + ")").executeQuery()) {
      row.next();
      return new Log(row.getLong(2), row.getLong(3));
    }
  }

  /** Ends the thread after what it is moving. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
    Threads.join(thread);
  }
}
