package dev.holdfast.journal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes events that have been kept long enough, or that are too many: one page of owners after
 * another, at a low rate, over the ranges of owners that this node looks after.
 *
 * <p>A page is one small transaction, so writes wait for it no longer than for a batch. While the
 * journal takes no writes, or the clock cannot be trusted, nothing is deleted.
 */
public final class Retention implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

  private final Journal journal;
  private final RetentionSettings settings;
  private final Supplier<List<OwnerRange>> ranges;
  private final Supplier<OptionalLong> clock;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("holdfast-journal-retention").unstarted(this::run);

  // The sweep under way. Only the thread knows of it.
  private final Deque<OwnerRange> ahead = new ArrayDeque<>();
  private @Nullable Owner last;
  private long longest;
  private long overCap;
  private boolean first = true;

  private Retention(
      Journal journal,
      RetentionSettings settings,
      Supplier<List<OwnerRange>> ranges,
      Supplier<OptionalLong> clock) {
    this.journal = journal;
    this.settings = settings;
    this.ranges = ranges;
    this.clock = clock;
  }

  /**
   * Starts to sweep.
   *
   * @param ranges the owners that this node looks after; asked for at the beginning of each sweep
   * @param clock milliseconds since the epoch, or nothing while it cannot be trusted
   */
  public static Retention start(
      Journal journal,
      RetentionSettings settings,
      Supplier<List<OwnerRange>> ranges,
      Supplier<OptionalLong> clock) {
    Retention retention = new Retention(journal, settings, ranges, clock);
    retention.thread.start();
    return retention;
  }

  private void run() {
    long page = TimeUnit.SECONDS.toNanos(1) / settings.pagesPerSecond();
    Duration pause = Duration.ofNanos(page);
    try {
      while (!closing.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
        pause = sweepOn() ? settings.pause() : Duration.ofNanos(page);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  /** Looks at the next page. True if a sweep ended with it. */
  private boolean sweepOn() {
    try {
      OptionalLong now = clock.get();
      if (now.isEmpty() || !journal.health().isAvailable()) {
        return false;
      }
      if (ahead.isEmpty()) {
        ahead.addAll(ranges.get());
        if (ahead.isEmpty()) {
          return true;
        }
      }
      KeepRule keep =
          new KeepRule(now.getAsLong() - settings.history().toMillis(), settings.maxEvents());
      Trimmed page = journal.trim(ahead.getFirst(), last, keep, settings.pageWork());
      longest = Math.max(longest, page.longest());
      overCap += page.overCap();
      last = page.last();
      if (page.done()) {
        ahead.removeFirst();
        last = null;
      }
      if (ahead.isEmpty()) {
        publish();
        longest = 0;
        overCap = 0;
        first = false;
        return true;
      }
      if (first) {
        publish(); // so that there is a figure before the first sweep of a large journal has ended
      }
      return false;
    } catch (JournalFailure | StoreUnreadable e) {
      LOG.debug("old events cannot be deleted now", e);
      return false;
    } catch (RuntimeException e) {
      LOG.error("a sweep for old events failed; the next one begins anew", e);
      ahead.clear();
      last = null;
      return true;
    }
  }

  private void publish() {
    JournalMetrics metrics = journal.metrics();
    metrics.longestLog.set(longest);
    metrics.ownersOverCap.set(overCap);
  }

  /** Ends the sweep after the page in hand. */
  @Override
  public void close() {
    closing.countDown();
    Threads.join(thread);
  }
}
