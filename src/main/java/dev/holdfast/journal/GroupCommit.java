package dev.holdfast.journal;

import dev.holdfast.journal.JournalStore.Outcome;
import dev.holdfast.journal.NotWritten.Reason;
import dev.holdfast.telemetry.BatchWritten;
import dev.holdfast.telemetry.Traces;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what many owners hand in as one batch after another. There is no timer: whatever waits the
 * moment a batch is done is the next one, so a lone write leaves at once and batches grow with
 * load.
 *
 * <p>One thread writes. It is also the only one that changes {@link #status}, always under {@link
 * #lock} and together with emptying the queue, so nothing can wait in the queue of a journal that
 * is down.
 *
 * <p>Snapshots ride along: a few in each batch of events, more when no event waits. Where a batch
 * fails with snapshots in it, the events are tried once more without them.
 */
final class GroupCommit implements JournalHealth, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  private static final Status AVAILABLE = new Available();

  /** Snapshots that a batch of events takes along: a small part of its work, and no more syncs. */
  private static final int SNAPSHOTS_BESIDE_EVENTS = 8;

  private static final long SNAPSHOT_BYTES_BESIDE_EVENTS = 64 << 10;

  /** Snapshots written when no event waits; an event that comes meanwhile waits for these. */
  private static final int SNAPSHOTS_ALONE = 32;

  private static final long SNAPSHOT_BYTES_ALONE = 256 << 10;

  private static final int SMALLEST_PROBE = 64 << 10;
  private static final int LARGEST_PROBE = 1 << 20;

  private final JournalStore store;
  private final NodeId node;
  private final JournalSettings settings;
  private final InstantSource clock;
  private final Runnable onFenced;
  private final JournalMetrics metrics;
  private final long stallNanos;
  private final Thread writer;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private final LinkedHashMap<Owner, Offered> snapshots = new LinkedHashMap<>();
  private long waitingBytes;
  private boolean closed;

  /** Size of {@link #waiting}, for readers that take no lock. */
  private volatile int queued;

  private volatile Status status = AVAILABLE;

  /** {@link System#nanoTime} when the batch on its way began, 0 while there is none. */
  private volatile long batchBegan;

  /** Payload of the batch that failed last: what a probe must be able to write. */
  private long failedBytes;

  /**
   * A write that waits.
   *
   * @param trace that it is part of, as {@link Traces} has it; null for none
   */
  private record Waiting(
      OwnerWrite write,
      long bytes,
      long since,
      CompletableFuture<Void> outcome,
      @Nullable String trace) {}

  /** A snapshot, and the history of the database that its events were written to. */
  private record Offered(SnapshotWrite snapshot, long history) {}

  private record Batch(List<Waiting> events, List<SnapshotWrite> snapshots) {

    List<OwnerWrite> writes() {
      List<OwnerWrite> writes = new ArrayList<>(events.size());
      for (Waiting event : events) {
        writes.add(event.write);
      }
      return writes;
    }

    List<String> traces() {
      List<String> traces = List.of();
      for (Waiting event : events) {
        if (event.trace != null) {
          traces = traces.isEmpty() ? new ArrayList<>() : traces;
          traces.add(event.trace);
        }
      }
      return traces;
    }

    long bytes() {
      long bytes = 0;
      for (Waiting event : events) {
        bytes += event.bytes;
      }
      for (SnapshotWrite snapshot : snapshots) {
        bytes += snapshot.snapshot().payload().length;
      }
      return bytes;
    }
  }

  GroupCommit(
      JournalStore store,
      NodeId node,
      JournalSettings settings,
      InstantSource clock,
      JournalMetrics metrics,
      String name,
      Runnable onFenced) {
    this.store = store;
    this.node = node;
    this.settings = settings;
    this.clock = clock;
    this.onFenced = onFenced;
    this.metrics = metrics;
    this.stallNanos = settings.stallAfter().toNanos();
    this.writer = Thread.ofPlatform().name(name).unstarted(this::run);
  }

  void start() {
    writer.start();
  }

  @Override
  public Status now() {
    Status current = status;
    if (current instanceof Unavailable) {
      return current;
    }
    if (isStalled()) {
      return stalled();
    }
    // Refused before the queue is full: what is persisted meanwhile still finds room.
    if (queued > settings.maxQueuedWrites() / 4 * 3) {
      return new Unavailable(Reason.OVERLOADED, clock.instant(), overload());
    }
    return current;
  }

  /**
   * Hands in a write. The future ends with null once the write is durable, or with a {@link
   * JournalFailure}. It is completed on the writer's thread: what depends on it must be quick.
   */
  CompletableFuture<Void> write(OwnerWrite write) {
    Waiting entry =
        new Waiting(
            write,
            write.payloadBytes(),
            System.nanoTime(),
            new CompletableFuture<>(),
            Traces.current());
    NotWritten refusal = enqueue(entry);
    if (refusal != null) {
      metrics.refusedCount.increment();
      entry.outcome.completeExceptionally(refusal);
    }
    return entry.outcome;
  }

  private @Nullable NotWritten enqueue(Waiting entry) {
    lock.lock();
    try {
      if (closed) {
        return NotWritten.closed();
      }
      if (status instanceof Unavailable unavailable) {
        return unavailable.refusal();
      }
      if (isStalled()) {
        return stalled().refusal();
      }
      if (waiting.size() >= settings.maxQueuedWrites()
          || (!waiting.isEmpty() && waitingBytes + entry.bytes > settings.maxQueuedBytes())) {
        return new NotWritten(Reason.OVERLOADED, overload());
      }
      waiting.add(entry);
      waitingBytes += entry.bytes;
      queued = waiting.size();
      work.signal();
      return null;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Offers a snapshot. The newest of each owner is stored when there is room; there is no
   * acknowledgement.
   *
   * @param history of the database that its events were written to
   * @return false if it was dropped
   */
  boolean offer(SnapshotWrite snapshot, long history) {
    lock.lock();
    try {
      Offered earlier = snapshots.get(snapshot.owner());
      boolean room = earlier != null || snapshots.size() < settings.maxQueuedSnapshots();
      // The numbers of one history say nothing about those of another.
      boolean older =
          earlier != null
              && earlier.history == history
              && earlier.snapshot.number() >= snapshot.number();
      if (closed || !room || older || history != store.historyNumber()) {
        metrics.droppedSnapshotCount.increment();
        return false;
      }
      snapshots.put(snapshot.owner(), new Offered(snapshot, history));
      work.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses what waits behind a batch that has been on its way for too long. */
  void releaseStalled() {
    if (isStalled()) {
      List<Waiting> released;
      NotWritten refusal;
      lock.lock();
      try {
        released = takeAllWaiting();
        refusal = stalled().refusal();
      } finally {
        lock.unlock();
      }
      if (!released.isEmpty()) {
        LOG.warn("refused {} waiting writes: {}", released.size(), refusal.getMessage());
        refuse(released, refusal);
      }
    }
  }

  /** Takes nothing more, writes what waits, and ends. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      work.signal();
    } finally {
      lock.unlock();
    }
    Threads.join(writer);
  }

  private void run() {
    boolean more = true;
    while (more) {
      more = writeNext();
    }
  }

  /** False once the journal is closed and nothing waits. */
  private boolean writeNext() {
    @Nullable Batch batch = null;
    try {
      batch = next();
      if (batch == null) {
        return false;
      }
      write(batch);
    } catch (RuntimeException | Error fault) {
      // A fault of ours: what the store has done of the batch is unknown. The thread must go on.
      batchBegan = 0;
      LOG.error("the journal's writer failed", fault);
      fail(
          batch == null ? new Batch(List.of(), List.of()) : batch,
          new InDoubt("the journal's writer failed: " + fault, fault),
          Reason.UNAVAILABLE);
    }
    return true;
  }

  /** The next batch as soon as there is one; null once the journal is closed and nothing waits. */
  private @Nullable Batch next() {
    while (true) {
      lock.lock();
      try {
        if (status instanceof Available) {
          while (waiting.isEmpty() && snapshots.isEmpty() && !closed) {
            work.awaitUninterruptibly();
          }
          return waiting.isEmpty() && snapshots.isEmpty() ? null : take();
        }
        // Down: nothing waits in the queue, and nothing may, until a probe has gone through.
        awaitProbe();
        if (closed) {
          return null;
        }
      } finally {
        lock.unlock();
      }
      if (isProbed(status)) {
        probe();
      }
    }
  }

  private void awaitProbe() {
    long left = settings.probeInterval().toNanos();
    while (left > 0 && !closed) {
      try {
        left = work.awaitNanos(left);
      } catch (InterruptedException e) {
        // Nobody ends this thread but close.
        left = 0;
      }
    }
  }

  /** Whether a store that failed so may come back by itself. */
  private static boolean isProbed(Status status) {
    return status instanceof Unavailable unavailable
        && switch (unavailable.reason()) {
          case FULL, UNAVAILABLE, STALLED, OVERLOADED -> true;
          case CONFLICT, FENCED, CORRUPT, CLOSED -> false;
        };
  }

  private Batch take() {
    List<Waiting> events = new ArrayList<>();
    Set<Owner> owners = new HashSet<>();
    long bytes = 0;
    Waiting head = waiting.peek();
    // An owner's second write begins where the first one, in the batch before, has ended.
    while (head != null
        && events.size() < settings.maxBatchWrites()
        && (events.isEmpty() || bytes + head.bytes <= settings.maxBatchBytes())
        && owners.add(head.write.owner())) {
      waiting.remove();
      events.add(head);
      bytes += head.bytes;
      head = waiting.peek();
    }
    waitingBytes -= bytes;
    queued = waiting.size();
    return events.isEmpty()
        ? new Batch(events, takeSnapshots(SNAPSHOTS_ALONE, SNAPSHOT_BYTES_ALONE))
        : new Batch(events, takeSnapshots(SNAPSHOTS_BESIDE_EVENTS, SNAPSHOT_BYTES_BESIDE_EVENTS));
  }

  private List<SnapshotWrite> takeSnapshots(int max, long maxBytes) {
    List<SnapshotWrite> taken = new ArrayList<>();
    long bytes = 0;
    long history = store.historyNumber();
    Iterator<Offered> all = snapshots.values().iterator();
    while (all.hasNext() && taken.size() < max && bytes < maxBytes) {
      Offered next = all.next();
      all.remove();
      if (next.history == history) {
        taken.add(next.snapshot);
        bytes += next.snapshot.snapshot().payload().length;
      } else {
        metrics.droppedSnapshotCount.increment(); // of events that may have been lost since
      }
    }
    return taken;
  }

  private List<Waiting> takeAllWaiting() {
    List<Waiting> all = new ArrayList<>(waiting);
    waiting.clear();
    waitingBytes = 0;
    queued = 0;
    return all;
  }

  private void write(Batch batch) {
    if (batch.events.isEmpty() && batch.snapshots.isEmpty()) {
      return;
    }
    long began = System.nanoTime() | 1; // never 0, which stands for none
    batchBegan = began;
    var recorded = new BatchWritten();
    recorded.begin();
    Outcome outcome;
    try {
      outcome = commit(batch);
    } catch (NotWritten failure) {
      batchBegan = 0;
      fail(batch, failure, failure.reason());
      return;
    } catch (InDoubt failure) {
      batchBegan = 0;
      fail(batch, failure, Reason.UNAVAILABLE);
      return;
    }
    batchBegan = 0;
    recorded.end();
    switch (outcome) {
      case Outcome.Written written -> {
        acknowledge(batch, written.conflicts(), began);
        if (recorded.shouldCommit()) {
          recorded.writes = batch.events.size();
          recorded.snapshots = batch.snapshots.size();
          recorded.conflicts = written.conflicts().size();
          recorded.commit();
        }
      }
      case Outcome.Fenced _ -> fenced(batch);
    }
  }

  private Outcome commit(Batch batch) {
    try (var part = Traces.beginForAll("journal batch", batch.traces())) {
      try {
        Outcome outcome = stored(batch);
        trace(batch, null);
        return outcome;
      } catch (JournalFailure failure) {
        part.failed(failure);
        trace(batch, failure);
        throw failure;
      }
    }
  }

  /** To whoever looks at a trace: from when its write was handed in. */
  private static void trace(Batch batch, @Nullable JournalFailure failure) {
    for (Waiting event : batch.events) {
      Traces.past("journal write", event.trace, event.since, failure);
    }
  }

  private Outcome stored(Batch batch) {
    List<OwnerWrite> writes = batch.writes();
    if (writes.isEmpty() || batch.snapshots.isEmpty()) {
      return store.write(node, writes, batch.snapshots);
    }
    try {
      return store.write(node, writes, batch.snapshots);
    } catch (NotWritten failure) {
      // Events first: it may have been the snapshots that found no room.
      metrics.droppedSnapshotCount.add(batch.snapshots.size());
      LOG.warn("dropped {} snapshots: {}", batch.snapshots.size(), failure.getMessage());
      batch.snapshots.clear();
      return store.write(node, writes, List.of());
    }
  }

  /** Counts first: whoever hears of a write finds it counted. */
  private void acknowledge(Batch batch, List<Integer> conflicts, long began) {
    long nanos = System.nanoTime() - began;
    metrics.batchCount.increment();
    metrics.batchNanos.add(nanos);
    metrics.commitNanos.record(nanos);
    metrics.longestBatchNanos.accumulateAndGet(nanos, Math::max);
    metrics.snapshotCount.add(batch.snapshots.size());
    metrics.conflictCount.add(conflicts.size());
    List<Waiting> winners = new ArrayList<>(batch.events.size());
    List<Waiting> losers = new ArrayList<>(conflicts.size());
    long events = 0;
    long bytes = 0;
    long waited = 0;
    for (int i = 0; i < batch.events.size(); i++) {
      Waiting entry = batch.events.get(i);
      if (losers.size() < conflicts.size() && conflicts.get(losers.size()) == i) {
        losers.add(entry);
      } else {
        winners.add(entry);
        events += entry.write.events().size();
        bytes += entry.bytes;
        waited += began - entry.since;
      }
    }
    metrics.writeCount.add(winners.size());
    metrics.eventCount.add(events);
    metrics.batchEvents.record(events);
    metrics.byteCount.add(bytes);
    metrics.waitNanos.add(waited);
    for (Waiting winner : winners) {
      winner.outcome.complete(null);
    }
    for (Waiting loser : losers) {
      loser.outcome.completeExceptionally(conflict(loser.write));
    }
  }

  private static NotWritten conflict(OwnerWrite write) {
    return new NotWritten(
        Reason.CONFLICT,
        "event " + write.first() + " of " + write.owner() + " is not the next one in the journal");
  }

  private void fenced(Batch batch) {
    // On a thread of its own, and before anybody hears of the refusal: it ends this process.
    Thread.ofPlatform().name("holdfast-journal-fenced").start(onFenced);
    fail(batch, NotWritten.fenced(node), Reason.FENCED);
  }

  private void fail(Batch batch, JournalFailure failure, Reason reason) {
    failedBytes = batch.bytes();
    NotWritten refusal =
        failure instanceof NotWritten notWritten
            ? notWritten
            : new NotWritten(reason, String.valueOf(failure.getMessage()), failure);
    List<Waiting> behind = goDown(reason, String.valueOf(failure.getMessage()));
    metrics.droppedSnapshotCount.add(batch.snapshots.size());
    switch (failure) {
      case NotWritten _ -> metrics.refusedCount.add(batch.events.size());
      case InDoubt _ -> metrics.inDoubtCount.add(batch.events.size());
    }
    for (Waiting entry : batch.events) {
      entry.outcome.completeExceptionally(failure);
    }
    refuse(behind, refusal);
    LOG.error("the journal takes no writes: {}", failure.getMessage(), failure.getCause());
  }

  private List<Waiting> goDown(Reason reason, String detail) {
    lock.lock();
    try {
      metrics.outageCount.increment();
      status = new Unavailable(reason, clock.instant(), detail);
      return takeAllWaiting();
    } finally {
      lock.unlock();
    }
  }

  private void refuse(List<Waiting> entries, NotWritten refusal) {
    metrics.refusedCount.add(entries.size());
    for (Waiting entry : entries) {
      entry.outcome.completeExceptionally(refusal);
    }
  }

  private void probe() {
    try {
      store.probe(Math.clamp(failedBytes, SMALLEST_PROBE, LARGEST_PROBE));
    } catch (JournalFailure stillDown) {
      LOG.debug("the journal is still down: {}", stillDown.getMessage());
      return;
    } catch (RuntimeException | Error fault) {
      LOG.error("the journal's probe failed", fault);
      return;
    }
    lock.lock();
    try {
      status = AVAILABLE;
    } finally {
      lock.unlock();
    }
    LOG.info("the journal takes writes again");
  }

  private boolean isStalled() {
    long began = batchBegan;
    return began != 0 && System.nanoTime() - began > stallNanos;
  }

  private Unavailable stalled() {
    return new Unavailable(
        Reason.STALLED,
        clock.instant().minusNanos(stallNanos),
        "a batch has been on its way for more than "
            + TimeUnit.NANOSECONDS.toMillis(stallNanos)
            + " ms");
  }

  private String overload() {
    return queued + " writes wait for the journal";
  }

  int queuedWrites() {
    return queued;
  }

  int queuedSnapshots() {
    lock.lock();
    try {
      return snapshots.size();
    } finally {
      lock.unlock();
    }
  }
}
