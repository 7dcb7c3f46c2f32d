package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The folder of an embedded journal, held by this process alone. The kernel gives it back when the
 * process ends, however it ends.
 */
final class DataDirectory implements AutoCloseable {

  static final String LOCK_FILE = "journal.lock";
  static final String JOURNAL_FILE = "journal.db";

  /**
   * What this process holds. POSIX drops all locks of a process on a file as soon as it closes any
   * of its descriptors, so a second attempt must not even open the lock file.
   */
  private static final Set<Path> HELD = new HashSet<>();

  private final Path path;
  private final FileChannel channel;
  private final FileLock lock;

  private DataDirectory(Path path, FileChannel channel, FileLock lock) {
    this.path = path;
    this.channel = channel;
    this.lock = lock;
  }

  /**
   * Takes hold of a folder, which is made if it is missing.
   *
   * @throws JournalUnusable if another live process, or another journal of this one, holds it
   */
  static DataDirectory hold(Path folder) throws JournalUnusable {
    Path path;
    try {
      Files.createDirectories(folder);
      path = folder.toRealPath();
    } catch (IOException e) {
      throw inaccessible(folder, e);
    }
    synchronized (HELD) {
      if (!HELD.add(path)) {
        throw held(path, "this process");
      }
    }
    boolean done = false;
    try {
      DataDirectory directory = lock(path);
      done = true;
      return directory;
    } catch (IOException e) {
      throw inaccessible(path, e);
    } finally {
      if (!done) {
        release(path);
      }
    }
  }

  private static DataDirectory lock(Path path) throws IOException, JournalUnusable {
    FileChannel channel =
        FileChannel.open(
            path.resolve(LOCK_FILE),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    @Nullable FileLock lock = null;
    try {
      lock = channel.tryLock();
      if (lock == null) {
        throw held(path, holder(channel));
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)),
          0);
      return new DataDirectory(path, channel, lock);
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(32);
    channel.read(content, 0);
    String pid = new String(content.array(), 0, content.position(), StandardCharsets.US_ASCII);
    return pid.isBlank() ? "another process" : "process " + pid.strip();
  }

  private static JournalUnusable held(Path path, String holder) {
    return new JournalUnusable(Problem.HELD, "the data folder " + path + " is in use by " + holder);
  }

  static JournalUnusable inaccessible(Path path, IOException e) {
    return new JournalUnusable(
        Problem.INACCESSIBLE, "the data folder " + path + " cannot be used: " + e, e);
  }

  private static void release(Path path) {
    synchronized (HELD) {
      HELD.remove(path);
    }
  }

  /** The folder. */
  Path path() {
    return path;
  }

  /** The journal's file in this folder. */
  Path journal() {
    return path.resolve(JOURNAL_FILE);
  }

  /** Makes the folder's entries durable, as a new file is only then. */
  static void sync(Path folder) throws IOException {
    try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  @Override
  public void close() {
    try {
      lock.release();
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      release(path);
    }
  }
}
