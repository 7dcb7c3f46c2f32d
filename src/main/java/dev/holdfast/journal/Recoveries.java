package dev.holdfast.journal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads for owners that come back, on a few threads of its own. Owners that wait are recovered
 * together, many in one query.
 *
 * <p>Pekko asks for an owner's snapshot, highest number and events one after another. The first
 * question reads all three; what the later ones need is held here for a moment. That is safe
 * because:
 *
 * <ul>
 *   <li>each recovery begins with the question for the snapshot, and that one always reads anew;
 *   <li>what was held is used for one recovery only, and is dropped when the owner writes;
 *   <li>it is dropped after a short time in any case, and the oldest when there is too much.
 * </ul>
 */
final class Recoveries implements AutoCloseable {

  private final JournalStore store;
  private final JournalSettings settings;
  private final JournalMetrics metrics;
  private final ExecutorService readers;

  /** Guarded by itself, as is {@link #draining}. */
  private final ArrayDeque<Asked> asked = new ArrayDeque<>();

  private int draining;

  /** In the order of their age. Guarded by itself. */
  private final LinkedHashMap<Owner, Held> held = new LinkedHashMap<>();

  private record Asked(Owner owner, CompletableFuture<Recovered> answer) {}

  private record Held(Recovered recovered, long since) {}

  Recoveries(JournalStore store, JournalSettings settings, JournalMetrics metrics) {
    this.store = store;
    this.settings = settings;
    this.metrics = metrics;
    this.readers =
        Executors.newFixedThreadPool(
            settings.readers(),
            Thread.ofPlatform().daemon().name("holdfast-journal-reader-", 0).factory());
  }

  /** Reads the owner anew, together with others that wait. */
  CompletableFuture<Recovered> recover(Owner owner) {
    Asked question = new Asked(owner, new CompletableFuture<>());
    boolean drain;
    synchronized (asked) {
      asked.add(question);
      drain = draining < settings.readers();
      if (drain) {
        draining++;
      }
    }
    if (drain) {
      try {
        readers.execute(this::drain);
      } catch (RejectedExecutionException closed) {
        question.answer.completeExceptionally(new StoreUnreadable("the journal is closed", closed));
      }
    }
    return question.answer;
  }

  /** The first question: reads the owner anew and holds what the next two will ask for. */
  CompletableFuture<Recovered> begin(Owner owner) {
    return recover(owner)
        .thenApply(recovered -> {
          hold(recovered);
          return recovered;
        });
  }

  /** The second question. */
  CompletableFuture<Long> highest(Owner owner) {
    Held entry = heldNow(owner);
    return entry == null
        ? run(() -> store.highest(owner))
        : CompletableFuture.completedFuture(entry.recovered.highest());
  }

  /** The third question: uses up what is held. */
  CompletableFuture<Void> replay(
      Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    Held entry = heldNow(owner);
    forget(owner);
    if (entry == null || from <= entry.recovered.snapshotNumber()) {
      return run(() -> stream(owner, from, to, max, consumer));
    }
    Recovered recovered = entry.recovered;
    long replayed = 0;
    long last = recovered.snapshotNumber();
    for (StoredEvent event : recovered.events()) {
      last = event.number();
      if (last >= from && last <= to && replayed < max) {
        consumer.accept(event);
        replayed++;
      }
    }
    if (last >= Math.min(to, recovered.highest()) || replayed >= max) {
      return CompletableFuture.completedFuture(null);
    }
    // A log longer than a recovery holds in memory.
    long next = Math.max(from, last + 1);
    long left = max - replayed;
    return run(() -> stream(owner, next, to, left, consumer));
  }

  /** The owner writes: what is held of it is the past. */
  void forget(Owner owner) {
    synchronized (held) {
      held.remove(owner);
    }
  }

  /** Drops what was held for too long. */
  void expire() {
    long oldest = System.nanoTime() - settings.prefetchTtl().toNanos();
    synchronized (held) {
      Iterator<Held> byAge = held.values().iterator();
      while (byAge.hasNext() && byAge.next().since - oldest < 0) {
        byAge.remove();
      }
    }
  }

  /** Recoveries held now. */
  int heldCount() {
    synchronized (held) {
      return held.size();
    }
  }

  /** Ends the readers after what they are reading. Questions that wait fail. */
  @Override
  public void close() {
    readers.shutdown();
    List<Asked> left;
    synchronized (asked) {
      left = List.copyOf(asked);
      asked.clear();
    }
    for (Asked question : left) {
      question.answer.completeExceptionally(closed());
    }
    readers.close();
  }

  private @Nullable Void stream(
      Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    store.read(owner, from, to, max, consumer);
    return null;
  }

  /** Runs what blocks on one of the reading threads. */
  <T extends @Nullable Object> CompletableFuture<T> run(Supplier<T> reading) {
    try {
      return CompletableFuture.supplyAsync(reading, readers);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(closed());
    }
  }

  private static StoreUnreadable closed() {
    return new StoreUnreadable("the journal is closed", null);
  }

  private void drain() {
    List<Asked> group = nextGroup();
    while (!group.isEmpty()) {
      recover(group);
      group = nextGroup();
    }
  }

  /** The next questions to answer together; an empty group ends this reader's turn. */
  private List<Asked> nextGroup() {
    List<Asked> group = new ArrayList<>();
    synchronized (asked) {
      while (group.size() < settings.maxRecoveryGroup() && !asked.isEmpty()) {
        group.add(asked.remove());
      }
      if (group.isEmpty()) {
        draining--;
      }
    }
    return group;
  }

  private void recover(List<Asked> group) {
    long began = System.nanoTime();
    Map<Owner, Recovered> found = new HashMap<>();
    try {
      List<Owner> owners = group.stream().map(Asked::owner).distinct().toList();
      for (Recovered recovered : store.recover(owners, settings.maxRecoveryEvents())) {
        found.put(recovered.owner(), recovered);
      }
    } catch (RuntimeException | Error failure) {
      for (Asked question : group) {
        question.answer.completeExceptionally(failure);
      }
      return;
    }
    metrics.recoveryQueryCount.increment();
    metrics.recoveryCount.add(group.size());
    metrics.recoveryNanos.add(System.nanoTime() - began);
    for (Asked question : group) {
      question.answer.complete(found.get(question.owner));
    }
  }

  private void hold(Recovered recovered) {
    synchronized (held) {
      held.remove(recovered.owner()); // so that it goes to the young end
      if (held.size() >= settings.maxPrefetched()) {
        held.pollFirstEntry();
      }
      held.put(recovered.owner(), new Held(recovered, System.nanoTime()));
    }
  }

  private @Nullable Held heldNow(Owner owner) {
    synchronized (held) {
      Held entry = held.get(owner);
      boolean fresh =
          entry != null && System.nanoTime() - entry.since <= settings.prefetchTtl().toNanos();
      return fresh ? entry : null;
    }
  }
}
