package dev.holdfast.journal;

import dev.holdfast.journal.NotWritten.Reason;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whose turn it is to write to the embedded journal: one thread's, of one process. A turn is one
 * transaction.
 *
 * <p>Threads take turns by a fair lock. Where several processes share the journal, the thread whose
 * turn it is in its process then waits for the turn of its process: for locks on two bytes of a
 * file, in which the kernel lets it sleep. It waits for {@code next}, then for {@code now}, and
 * then lets go of {@code next}. So a process that writes without end cannot take {@code now} again
 * before the one that waits for it, since that one has {@code next}. (One byte would do for
 * exclusion. But the kernel gives a lock to whoever asks while it is free, and a process that has
 * just let go of it asks before one that is yet to be woken.)
 *
 * <p>The kernel takes the locks back when a process ends, however it ends. It does not from one
 * that is stopped: {@link TurnWatch} ends that one.
 */
final class WriteTurn implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(WriteTurn.class);

  /** Empty: there are only locks on it. */
  static final String FILE = "journal.turn";

  private static final long NEXT = 0;
  private static final long NOW = 1;
  private static final long BYTES = 2;

  private static final long LONG_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Fair, so that a fence does not wait behind one batch after another. */
  private final ReentrantLock threads = new ReentrantLock(true);

  /** Null where no other process is. */
  private final @Nullable Path file;

  /** Null likewise. */
  private final @Nullable TurnWatch watch;

  /** Guarded by {@link #threads}, as is what follows. */
  private @Nullable FileChannel channel;

  private @Nullable FileLock now;

  private boolean closed;

  private WriteTurn(@Nullable Path file) {
    this.file = file;
    this.watch = file == null ? null : new TurnWatch(file, BYTES);
  }

  /** Among the threads of this process, which is alone. */
  static WriteTurn amongThreads() {
    return new WriteTurn(null);
  }

  /** Also among all processes that use {@code folder}. */
  static WriteTurn amongProcesses(Path folder) {
    return new WriteTurn(folder.resolve(FILE));
  }

  /**
   * Waits for the turn of this thread. An interrupt does not end that; it is passed on.
   *
   * @throws NotWritten if the file cannot be used, or this was closed; it is no turn then
   */
  void begin() {
    threads.lock();
    if (file != null && watch != null) {
      boolean done = false;
      try {
        if (closed) {
          throw NotWritten.closed();
        }
        watch.waiting();
        beginAmongProcesses(file);
        done = true;
      } catch (IOException e) {
        forget();
        throw new NotWritten(
            Reason.UNAVAILABLE, "the lock for writing cannot be taken: " + file + ": " + e, e);
      } finally {
        watch.done();
        if (!done) {
          threads.unlock();
        }
      }
    }
  }

  private void beginAmongProcesses(Path path) throws IOException {
    boolean interrupted = false;
    try {
      while (now == null) {
        try {
          now = attempt(path);
        } catch (FileLockInterruptionException e) {
          // It closed the channel, and with it all that was locked. The wait begins anew.
          interrupted |= Thread.interrupted();
          forget();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private FileLock attempt(Path path) throws IOException {
    FileChannel turns = channel;
    if (turns == null) {
      turns =
          FileChannel.open(
              path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      channel = turns;
    }
    long began = System.nanoTime();
    FileLock next = turns.lock(NEXT, 1, false);
    FileLock taken = turns.lock(NOW, 1, false);
    next.release();
    long waited = System.nanoTime() - began;
    if (waited > LONG_WAIT_NANOS) {
      LOG.warn(
          "another process has kept this one from writing for {} ms",
          TimeUnit.NANOSECONDS.toMillis(waited));
    }
    return taken;
  }

  /** Ends the turn of this thread. */
  void end() {
    try {
      if (now != null) {
        now.release();
      }
    } catch (IOException e) {
      LOG.warn("the lock for writing was let go of with its file: {}", e.toString());
      forget();
    } finally {
      now = null;
      threads.unlock();
    }
  }

  /** Keeps the threads of this process from writing, whoever's turn it is among processes. */
  ReentrantLock threads() {
    return threads;
  }

  /** Gives up all locks; the next turn begins with a file opened anew. */
  private void forget() {
    FileChannel current = channel;
    channel = null;
    if (current != null) {
      try {
        current.close();
      } catch (IOException e) {
        LOG.warn("the file of the lock for writing did not close: {}", e.toString());
      }
    }
  }

  /** To be called when nobody writes any more. */
  @Override
  public void close() {
    threads.lock();
    try {
      closed = true;
      forget();
      if (watch != null) {
        watch.close();
      }
    } finally {
      threads.unlock();
    }
  }
}
