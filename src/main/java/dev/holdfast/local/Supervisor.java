package dev.holdfast.local;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one node running: starts its process, and starts it again when it ended, under the same
 * name and on the same ports.
 */
final class Supervisor {

  private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

  /** A process that ran for so long before it ended did not fail at once. */
  private static final Duration ENDURING = Duration.ofSeconds(10);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  /** Who is told when one attempt after the other fails before the first success. */
  @FunctionalInterface
  interface FailedStart {
    /**
     * Tells of a process that ended before it was ready.
     *
     * @param times in succession
     * @param why as a sentence, for people
     */
    void ended(LocalNode node, int status, int times, String why);
  }

  private final LocalNode node;
  private final List<String> command;
  private final Map<String, String> environment;
  private final boolean restarts;
  private final NodeLog log;
  private final Consumer<News> news;
  private final FailedStart failedStart;
  private final Semaphore stop = new Semaphore(0);
  private final Thread thread;

  private volatile boolean stopping;
  private volatile @Nullable Process process;
  private volatile boolean ready;

  /** The log could not be rotated the last time; for the one who looks after it. */
  private boolean untidy;

  /**
   * @param command of the process, whole
   * @param environment all of it
   * @param restarts whether another process is started when one ended
   */
  Supervisor(
      LocalNode node,
      List<String> command,
      Map<String, String> environment,
      boolean restarts,
      NodeLog log,
      Consumer<News> news,
      FailedStart failedStart) {
    this.node = node;
    this.command = List.copyOf(command);
    this.environment = Map.copyOf(environment);
    this.restarts = restarts;
    this.log = log;
    this.news = news;
    this.failedStart = failedStart;
    this.thread =
        Thread.ofPlatform().daemon().name("supervisor-" + node.name()).unstarted(this::run);
  }

  /**
   * Starts the first process and goes on from there.
   *
   * @throws IOException if it cannot be started
   */
  void start() throws IOException {
    log.create();
    log.rotate();
    launch();
    thread.start();
  }

  LocalNode node() {
    return node;
  }

  /** {@return the process, if it lives} */
  @Nullable Process process() {
    Process running = process;
    return running != null && running.isAlive() ? running : null;
  }

  /** The node answers; tells so, once for each process. */
  synchronized void becameReady() {
    Process running = process();
    if (running != null && !ready) {
      ready = true;
      news.accept(new News.Ready(node.name(), running.pid()));
    }
  }

  boolean isReady() {
    return ready && process() != null;
  }

  /** {@return the process, if it lives and was ready; so it was a member of its cluster} */
  synchronized OptionalLong readyPid() {
    Process running = process();
    return ready && running != null ? OptionalLong.of(running.pid()) : OptionalLong.empty();
  }

  private synchronized Process launch() throws IOException {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(environment);
    File file = node.log().toFile();
    // Standard input stays a pipe: its end tells the process that this one is gone.
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(file));
    ready = false;
    Process started = builder.start();
    process = started;
    news.accept(new News.Started(node, started.pid()));
    return started;
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    int failures = 0;
    try {
      Process running = process;
      while (running != null && !stopping) {
        long began = System.nanoTime();
        int status = running.waitFor();
        if (stopping) {
          return;
        }
        boolean wasReady = ready;
        boolean endured = System.nanoTime() - began > ENDURING.toNanos();
        pause = endured || wasReady ? FIRST_PAUSE : pause;
        failures = wasReady ? 0 : failures + 1;
        news.accept(new News.Ended(node.name(), running.pid(), status, restarts ? pause : null));
        if (!wasReady) {
          String why = log.lastWords();
          failedStart.ended(node, status, failures, why == null ? "see " + node.log() : why);
        }
        running = restarts ? again(pause) : null;
        pause = min(pause.multipliedBy(2), LONGEST_PAUSE);
      }
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    }
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** {@return the next process, or null if there is to be none} */
  private @Nullable Process again(Duration pause) throws InterruptedException {
    Duration wait = pause;
    while (!stop.tryAcquire(wait.toNanos(), TimeUnit.NANOSECONDS)) {
      try {
        synchronized (this) {
          return stopping ? null : launch();
        }
      } catch (IOException e) {
        failedStart.ended(node, 1, 1, "the process cannot be started: " + e.getMessage());
        wait = LONGEST_PAUSE;
      }
    }
    return null;
  }

  /** Keeps the log within its bounds. */
  void tidy() {
    try {
      log.rotate();
      untidy = false;
    } catch (IOException e) {
      if (!untidy) {
        LOG.warn("the log {} cannot be kept within its bounds: {}", node.log(), e.toString());
      }
      untidy = true;
    }
  }

  /**
   * SIGKILL, if it is still that process. What follows is as if it had ended by itself.
   *
   * @param why as a sentence
   */
  synchronized void kill(long pid, String why) {
    Process running = process();
    if (running != null && running.pid() == pid && !stopping) {
      news.accept(new News.Killed(node.name(), pid, why));
      running.destroyForcibly();
    }
  }

  /** SIGTERM, and no other process after this one. */
  synchronized void stop() {
    stopping = true;
    stop.release();
    Process running = process;
    if (running != null) {
      running.destroy();
    }
  }

  /**
   * Waits until the process has ended; one that takes too long gets SIGKILL.
   *
   * @param end by {@link System#nanoTime}
   */
  void awaitEnd(long end) throws InterruptedException {
    Process running = process;
    if (running == null) {
      return;
    }
    if (!running.waitFor(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS)) {
      news.accept(
          new News.Killed(node.name(), running.pid(), "It did not end in time when told to."));
      running.destroyForcibly().waitFor();
    }
  }
}
