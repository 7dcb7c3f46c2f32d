package dev.holdfast.journal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Purges and erases owners, on a thread of its own. Purges wait a moment for others, and are then
 * one transaction: nobody waits for them, many visitors end at about the same time, and each such
 * transaction holds up the batches of events (SQLite has one writer; PostgreSQL has the batch on
 * its way sent anew).
 */
final class Removals implements AutoCloseable {

  private static final int TOGETHER = 128;

  /** So there are at most twenty such transactions a second. */
  private static final long GATHERING_MILLIS = 50;

  private final JournalStore store;
  private final NodeId node;
  private final JournalMetrics metrics;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-journal-removals").factory());

  /** Guarded by itself. */
  private final ArrayDeque<Purge> waiting = new ArrayDeque<>();

  private record Purge(Owner owner, long number, long later, CompletableFuture<Boolean> gone) {}

  Removals(JournalStore store, NodeId node, JournalMetrics metrics) {
    this.store = store;
    this.node = node;
    this.metrics = metrics;
  }

  CompletableFuture<Boolean> purge(Owner owner, long number, long later) {
    Purge purge = new Purge(owner, number, later, new CompletableFuture<>());
    boolean alone;
    synchronized (waiting) {
      alone = waiting.isEmpty();
      waiting.add(purge);
    }
    if (alone) {
      try {
        Future<?> _ = thread.schedule(this::purgeAll, GATHERING_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        for (Purge refused : take(Integer.MAX_VALUE)) {
          refused.gone.completeExceptionally(NotWritten.closed());
        }
      }
    }
    return purge.gone;
  }

  CompletableFuture<Boolean> erase(Owner owner, long number, long newest, long deadline) {
    try {
      return CompletableFuture.supplyAsync(
          () -> {
            boolean erased = store.erase(node, owner, number, newest, deadline);
            if (erased) {
              metrics.erasedCount.increment();
            }
            return erased;
          },
          thread);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(NotWritten.closed());
    }
  }

  private void purgeAll() {
    List<Purge> together = take(TOGETHER);
    while (!together.isEmpty()) {
      purge(together);
      together = take(TOGETHER);
    }
  }

  private List<Purge> take(int most) {
    List<Purge> taken = new ArrayList<>();
    synchronized (waiting) {
      while (taken.size() < most && !waiting.isEmpty()) {
        taken.add(waiting.remove());
      }
    }
    return taken;
  }

  private void purge(List<Purge> together) {
    try {
      Map<Owner, Long> newest = new HashMap<>();
      together.forEach(purge -> newest.put(purge.owner, purge.number));
      long later = together.stream().mapToLong(Purge::later).max().orElseThrow();
      Set<Owner> gone = store.purge(node, newest, later);
      metrics.purgedCount.add(gone.size());
      together.forEach(purge -> purge.gone.complete(gone.contains(purge.owner)));
    } catch (RuntimeException | Error failure) {
      together.forEach(purge -> purge.gone.completeExceptionally(failure));
    }
  }

  /** Ends what is in hand, and what waits: that is a moment's work. */
  @Override
  public void close() {
    thread.close();
  }
}
