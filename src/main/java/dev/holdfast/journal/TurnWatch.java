package dev.holdfast.journal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a process that was stopped (SIGSTOP) while it keeps others from their {@link WriteTurn turn}
 * at the embedded journal. Nobody can write, nor fence it, until it goes on; and what it has
 * written without having committed is rolled back, as with any process that is killed.
 *
 * <p>Only Linux tells who has a lock and that a process is stopped ({@code /proc/locks} and {@code
 * /proc/PID/stat}, see proc(5)). Elsewhere, and where a process is frozen in another way, the
 * others wait. A process that is slow, or waits for its disk, is not stopped and is let alone.
 */
final class TurnWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(TurnWatch.class);

  /** A turn takes milliseconds; whoever stops a process for longer than this stops all of them. */
  static final Duration PATIENCE = Duration.ofSeconds(1);

  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  private static final long NOBODY_WAITS = 0;

  private static final Path LOCKS = Path.of("/proc/locks");

  /** A lock that is held; lines of those who wait for one have an arrow behind their number. */
  private static final Pattern HELD =
      Pattern.compile("\\d+: +POSIX +\\S+ +\\S+ +(\\d+) +[0-9a-f]+:[0-9a-f]+:(\\d+) +(\\d+) +\\S+");

  private final Path file;
  private final long bytes;
  private final Thread thread;

  private volatile long waitingSince = NOBODY_WAITS;
  private volatile boolean closed;

  /**
   * A watch on the first {@code bytes} bytes of {@code file}, which is there once somebody waits.
   */
  TurnWatch(Path file, long bytes) {
    this.file = file;
    this.bytes = bytes;
    this.thread = Thread.ofPlatform().daemon().name("holdfast-journal-turn").start(this::run);
  }

  /** A thread of this process begins to wait for the turn. One does so at a time. */
  void waiting() {
    long now = System.nanoTime();
    waitingSince = now == NOBODY_WAITS ? 1 : now;
  }

  /** It waits no longer. */
  void done() {
    waitingSince = NOBODY_WAITS;
  }

  private void run() {
    while (!closed) {
      LockSupport.parkNanos(LOOK_NANOS);
      long since = waitingSince;
      if (since != NOBODY_WAITS && System.nanoTime() - since > PATIENCE.toNanos()) {
        look();
      }
    }
  }

  private void look() {
    try {
      for (ProcessHandle holder : holders().toList()) {
        // In this order: the handle is of whoever has that number now, and has to be a holder.
        if (isStopped(holder.pid())
            && hasOpen(holder.pid())
            && holders().anyMatch(holder::equals)) {
          LOG.warn(
              "process {} was stopped while it keeps all others from writing to the journal: it is"
                  + " sent SIGKILL",
              holder.pid());
          holder.destroyForcibly();
        }
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("it cannot be seen who keeps this process from writing", e);
    }
  }

  /** Other processes that hold a lock on one of those bytes. */
  private Stream<ProcessHandle> holders() throws IOException {
    if (Files.notExists(LOCKS)) {
      return Stream.empty();
    }
    String inode = Files.getAttribute(file, "unix:ino").toString();
    List<String> locks = Files.readAllLines(LOCKS, StandardCharsets.US_ASCII);
    long self = ProcessHandle.current().pid();
    return locks.stream()
        .map(HELD::matcher)
        .filter(Matcher::matches)
        .filter(lock -> lock.group(2).equals(inode) && Long.parseLong(lock.group(3)) < bytes)
        .mapToLong(lock -> Long.parseLong(lock.group(1)))
        .filter(pid -> pid > 0 && pid != self)
        .distinct()
        .mapToObj(ProcessHandle::of)
        .flatMap(Optional::stream);
  }

  private static boolean isStopped(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    // The name, in brackets, may hold anything.
    return stat.startsWith(") T ", stat.lastIndexOf(')'));
  }

  /** Other files may have the same number on other disks. */
  private boolean hasOpen(long pid) throws IOException {
    Path same = file.toRealPath();
    try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      return open.anyMatch(descriptor -> isLinkTo(same, descriptor));
    }
  }

  private static boolean isLinkTo(Path file, Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (IOException e) {
      return false; // closed meanwhile
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    Threads.join(thread);
  }
}
