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

  /**
   * A log so many times as long as one that is to be moved: it did not begin anew though all of it
   * was moved, since whoever wrote next found somebody reading from it.
   */
  private static final int FAR_TOO_LONG = 4;

  /** How long writers may then be kept waiting for those who read. */
  private static final int AWAIT_READERS_MILLIS = 200;

  /** Pages that may be left for the end, while the writer waits. */
  private static final int LEFT_FOR_THE_END = 256;

  /**
   * Rounds beside the writer; each has less to move than the one before, unless the disk is too
   * slow.
   */
  private static final int ROUNDS = 4;

  private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(1);

  /** Somebody who reads may go on for hours, and each attempt is a new connection. */
  private static final Duration PAUSE_WHILE_KEPT = Duration.ofMillis(20);

  private final Path file;
  private final WriteTurn turn;
  private final int moveAt;
  private final int lookAfter;
  private final Thread thread =
      Thread.ofPlatform().daemon().name("holdfast-journal-checkpoint").unstarted(this::run);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /**
   * Pages in the log that are not moved yet, at a guess. At first as many as have it looked at: the
   * log of an earlier process may be there. Guarded by {@link #lock}.
   */
  private long pages;

  /** Those of them that this process wrote since it last looked. Guarded by {@link #lock}. */
  private long unseen;

  /** Guarded by {@link #lock}. */
  private boolean closed;

  /**
   * Pages in the log, and how many of them are moved.
   *
   * @param busy somebody else is moving it, and none of this is known
   */
  private record Log(boolean busy, long pages, long moved) {
    long left() {
      return pages - moved;
    }
  }

  /**
   * A checkpointer of {@code file}.
   *
   * @param turn of whoever writes
   * @param moveAt pages in the log at which it is moved
   * @param lookAfter pages written by this process after which it looks how long the log is; fewer
   *     than {@code moveAt} where others write, too
   */
  SqliteCheckpointer(Path file, WriteTurn turn, int moveAt, int lookAfter) {
    this.file = file;
    this.turn = turn;
    this.moveAt = moveAt;
    this.lookAfter = lookAfter;
    this.pages = moveAt;
  }

  void start() {
    thread.start();
  }

  /** Hears of a commit of about {@code written} pages. */
  void committed(long written) {
    lock.lock();
    try {
      pages += written;
      unseen += written;
      if (isToBeLookedAt()) {
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isToBeLookedAt() {
    return pages >= moveAt || unseen >= lookAfter;
  }

  private void run() {
    while (awaitPages()) {
      try (SqliteSession session = SqliteSession.writing(file)) {
        if (!moveWhenLong(session)) {
          pause(PAUSE_WHILE_KEPT);
        }
      } catch (SQLException | NotWritten e) {
        LOG.warn(
            "the journal's log could not be moved into its file, and grows: {}", e.getMessage());
        pause(PAUSE_AFTER_FAILURE);
      }
    }
  }

  /** Waits for enough to do. False once there is nothing to be done any more. */
  private boolean awaitPages() {
    lock.lock();
    try {
      while (!isToBeLookedAt() && !closed) {
        changed.awaitUninterruptibly();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void pause(Duration time) {
    lock.lock();
    try {
      long left = time.toNanos();
      while (left > 0 && !closed) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    } finally {
      lock.unlock();
    }
  }

  /** {@return false if it is long, and somebody who reads has kept all of it from being moved} */
  private boolean moveWhenLong(SqliteSession session) throws SQLException {
    Log log = checkpoint(session, "NOOP");
    if (log.left() < moveAt) {
      guessed(log.left());
      return true;
    }
    long movedBefore = log.moved();
    for (int round = 0; round < ROUNDS && log.left() > LEFT_FOR_THE_END; round++) {
      if (checkpoint(session, "PASSIVE").busy()) {
        // Another process is at it, and comes to the end of it.
        guessed(0);
        return true;
      }
      log = checkpoint(session, "NOOP");
    }
    turn.begin();
    try {
      log = checkpoint(session, "PASSIVE");
      if (!log.busy() && log.pages() > (long) FAR_TOO_LONG * moveAt) {
        session.execute("PRAGMA busy_timeout = " + AWAIT_READERS_MILLIS);
        log = checkpoint(session, "RESTART");
      }
    } finally {
      turn.end();
    }
    guessed(log.busy() ? 0 : log.left());
    return log.busy() || log.left() < moveAt || log.moved() != movedBefore;
  }

  /** Puts what is known in the place of the guess. */
  private void guessed(long left) {
    lock.lock();
    try {
      pages = left;
      unseen = 0;
    } finally {
      lock.unlock();
    }
  }

  private static Log checkpoint(SqliteSession session, String mode) throws SQLException {
    try (ResultSet row = session.prepare("PRAGMA wal_checkpoint(" + mode + ")").executeQuery()) {
      row.next();
      return new Log(row.getBoolean(1), row.getLong(2), row.getLong(3));
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
