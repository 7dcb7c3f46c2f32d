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
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of an embedded journal, held by this process alone, or shared with other processes
 * that share it. The kernel gives it back when the process ends, however it ends.
 *
 * <p>Locks on bytes of one file say who holds it. Whoever is alone has all of them. Whoever shares
 * has the first one together with the others, the second one as well once the journal is open
 * there, and the third one, which only one process has at a time, while they open or close the
 * journal. So one that opens it and finds the second one free knows that nobody else has the
 * journal open.
 */
final class DataDirectory implements AutoCloseable {

  static final String LOCK_FILE = "journal.lock";
  static final String JOURNAL_FILE = "journal.db";

  /**
   * What this process holds. POSIX drops all locks of a process on a file as soon as it closes any
   * of its descriptors, so a second attempt must not even open the lock file.
   */
  private static final Set<Path> HELD = new HashSet<>();

  private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);

  private static final long PRESENT = 0;
  private static final long USING = 1;
  private static final long OPENING = 2;

  /** Longer than it takes to open a journal whose last process was killed. */
  private static final Duration OPENING_AT_MOST = Duration.ofSeconds(30);

  private static final Duration CLOSING_AT_MOST = Duration.ofSeconds(10);

  private static final long BETWEEN_ATTEMPTS_MILLIS = 10;

  private final Path path;
  private final FileChannel channel;
  private final boolean shared;

  /** While a shared folder is opened: nobody else has the journal open. */
  private final boolean first;

  /** While a shared folder is opened or closed. */
  private @Nullable FileLock opening;

  /** While a shared folder is opened by the first. */
  private @Nullable FileLock firstUse;

  private DataDirectory(
      Path path, FileChannel channel, @Nullable FileLock opening, @Nullable FileLock firstUse) {
    this.path = path;
    this.channel = channel;
    this.shared = opening != null;
    this.first = !shared || firstUse != null;
    this.opening = opening;
    this.firstUse = firstUse;
  }

  /**
   * Takes hold of a folder, which is made if it is missing.
   *
   * @throws JournalUnusable if another live process, or another journal of this one, holds it
   */
  static DataDirectory hold(Path folder) throws JournalUnusable {
    return take(folder, DataDirectory::lockAlone);
  }

  /**
   * Takes hold of a folder together with other processes that share it. No other process opens or
   * closes the journal in it until {@link #opened}.
   *
   * @throws JournalUnusable if another process holds it alone, or another journal of this process
   *     holds it, or another process does not come to the end of opening it
   */
  static DataDirectory share(Path folder) throws JournalUnusable {
    return take(folder, DataDirectory::lockShared);
  }

  @FunctionalInterface
  private interface Locking {
    DataDirectory lock(Path path, FileChannel channel) throws IOException, JournalUnusable;
  }

  private static DataDirectory take(Path folder, Locking locking) throws JournalUnusable {
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
      DataDirectory directory = lock(path, locking);
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

  private static DataDirectory lock(Path path, Locking locking)
      throws IOException, JournalUnusable {
    FileChannel channel =
        FileChannel.open(
            path.resolve(LOCK_FILE),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    boolean done = false;
    try {
      DataDirectory directory = locking.lock(path, channel);
      done = true;
      return directory;
    } finally {
      if (!done) {
        channel.close();
      }
    }
  }

  private static DataDirectory lockAlone(Path path, FileChannel channel)
      throws IOException, JournalUnusable {
    if (channel.tryLock() == null) {
      throw held(path, holders(channel));
    }
    name(channel, List.of());
    return new DataDirectory(path, channel, null, null);
  }

  private static DataDirectory lockShared(Path path, FileChannel channel)
      throws IOException, JournalUnusable {
    if (channel.tryLock(PRESENT, 1, true) == null) {
      throw held(path, holders(channel));
    }
    FileLock opening = awaitOpening(path, channel, OPENING_AT_MOST);
    if (opening == null) {
      throw new JournalUnusable(
          Problem.HELD,
          "the data folder "
              + path
              + " is shared with "
              + holders(channel)
              + ", of which one has not finished opening or closing it for "
              + OPENING_AT_MOST.toSeconds()
              + " s");
    }
    FileLock firstUse = channel.tryLock(USING, 1, false);
    if (firstUse == null) {
      use(channel);
    }
    name(channel, firstUse == null ? alive(channel) : List.of());
    return new DataDirectory(path, channel, opening, firstUse);
  }

  private static void use(FileChannel channel) throws IOException {
    if (channel.tryLock(USING, 1, true) == null) {
      throw new IOException("a lock that only the opening process takes alone is taken");
    }
  }

  /** Waits for those who open or close it. Null if they take too long, or this is interrupted. */
  private static @Nullable FileLock awaitOpening(Path path, FileChannel channel, Duration atMost)
      throws IOException {
    long giveUpAt = System.nanoTime() + atMost.toNanos();
    FileLock opening = channel.tryLock(OPENING, 1, false);
    while (opening == null && System.nanoTime() - giveUpAt < 0) {
      try {
        TimeUnit.MILLISECONDS.sleep(BETWEEN_ATTEMPTS_MILLIS);
      } catch (InterruptedException e) {
        LOG.warn("interrupted while others open or close {}", path);
        Thread.currentThread().interrupt();
        return null;
      }
      opening = channel.tryLock(OPENING, 1, false);
    }
    return opening;
  }

  /** Writes down who holds it, for those who are refused. */
  private static void name(FileChannel channel, List<Long> others) throws IOException {
    StringBuilder text = new StringBuilder();
    for (long other : others) {
      text.append(other).append('\n');
    }
    text.append(ProcessHandle.current().pid()).append('\n');
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.US_ASCII)), 0);
  }

  /** Those who hold it, as far as they are alive. */
  private static List<Long> alive(FileChannel channel) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(4_096);
    channel.read(content, 0);
    return new String(content.array(), 0, content.position(), StandardCharsets.US_ASCII)
        .lines()
        .filter(line -> line.matches("[0-9]{1,18}"))
        .map(Long::valueOf)
        .filter(pid -> ProcessHandle.of(pid).isPresent())
        .toList();
  }

  private static String holders(FileChannel channel) throws IOException {
    List<Long> alive = alive(channel);
    return switch (alive.size()) {
      case 0 -> "another process";
      case 1 -> "process " + alive.getFirst();
      default ->
          "processes " + alive.stream().map(String::valueOf).collect(Collectors.joining(", "));
    };
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

  /** Whether other processes may use the folder, too. */
  boolean isShared() {
    return shared;
  }

  /** Whether no other process had the journal open when this one took hold of the folder. */
  boolean isFirst() {
    return first;
  }

  /** Lets other processes open the journal, after this one has. */
  void opened() throws IOException {
    if (firstUse != null) {
      firstUse.release();
      firstUse = null;
      use(channel);
    }
    if (opening != null) {
      opening.release();
      opening = null;
    }
  }

  /**
   * Lets no other process open or close the journal until {@link #close}. If one does not come to
   * the end of it, this goes on all the same: it is for order at the end, nothing more.
   */
  void closing() {
    if (!shared || opening != null) {
      return;
    }
    try {
      opening = awaitOpening(path, channel, CLOSING_AT_MOST);
    } catch (IOException e) {
      LOG.warn("the data folder {} is closed while others may open it: {}", path, e.toString());
    }
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
      // With which all locks go.
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      release(path);
    }
  }
}
