package dev.holdfast.feed;

import dev.holdfast.journal.StoreUnreadable;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets readers of the feed wait for the next event. However many wait, the journal is asked by one
 * thread, 20 times a second, and not at all while nobody waits.
 */
final class FeedTail implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(FeedTail.class);
  private static final long LOOK_MILLIS = 50;

  /** Whoever comes when so many wait is sent away at once, with what there is. */
  private static final int MOST_WAITING = 1_000;

  private final LongUnaryOperator firstAfter;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-feed-tail").factory());

  // Guarded by this.
  private final Set<Waiter> waiting = new HashSet<>();
  private boolean looking;
  private boolean closed;

  private static final class Waiter {
    final long position;
    final CompletableFuture<@Nullable Void> woken = new CompletableFuture<>();

    Waiter(long position) {
      this.position = position;
    }
  }

  /**
   * A tail.
   *
   * @param firstAfter the position of the first event after a position, or -1; may throw {@link
   *     StoreUnreadable}
   */
  FeedTail(LongUnaryOperator firstAfter) {
    this.firstAfter = firstAfter;
  }

  /**
   * Waits until there may be an event after {@code position}.
   *
   * @param until as {@link System#nanoTime} tells
   * @return false if there is none by then, or if there is no waiting
   */
  boolean await(long position, long until) {
    long left = until - System.nanoTime();
    var waiter = new Waiter(position);
    if (left <= 0 || !enter(waiter)) {
      return false;
    }
    try {
      waiter.woken.get(left, TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException | ExecutionException over) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      leave(waiter);
    }
  }

  private synchronized boolean enter(Waiter waiter) {
    if (closed || waiting.size() >= MOST_WAITING) {
      return false;
    }
    waiting.add(waiter);
    lookSoon();
    return true;
  }

  private synchronized void leave(Waiter waiter) {
    waiting.remove(waiter);
  }

  private synchronized void lookSoon() {
    if (!looking && !waiting.isEmpty() && !closed) {
      looking = true;
      try {
        var _ = thread.schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        looking = false;
      }
    }
  }

  private void look() {
    try {
      long lowest = lowest();
      if (lowest >= 0) {
        wakeBefore(firstAfter.applyAsLong(lowest));
      }
    } catch (StoreUnreadable e) {
      LOG.debug("whether there are new events is not known now", e);
    } catch (RuntimeException e) {
      LOG.error("looking for new events failed; the next look comes", e);
    } finally {
      synchronized (this) {
        looking = false;
      }
      lookSoon();
    }
  }

  private synchronized long lowest() {
    return waiting.stream().mapToLong(waiter -> waiter.position).min().orElse(-1);
  }

  /** Those who have not read that event; whoever is further is looked after next. */
  private synchronized void wakeBefore(long position) {
    for (Waiter waiter : waiting) {
      if (waiter.position < position) {
        waiter.woken.complete(null);
      }
    }
    waiting.removeIf(waiter -> waiter.position < position);
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      waiting.forEach(waiter -> waiter.woken.completeExceptionally(new IllegalStateException()));
      waiting.clear();
    }
    thread.shutdownNow();
  }
}
