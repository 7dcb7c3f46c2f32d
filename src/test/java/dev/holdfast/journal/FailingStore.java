package dev.holdfast.journal;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store that fails on command, as no real one can be made to: with a commit whose outcome nobody
 * knows, or for a chosen time. In all else it is the store behind it.
 */
public final class FailingStore implements JournalStore {

  private final JournalStore store;
  private final AtomicReference<@Nullable RuntimeException> outage = new AtomicReference<>();
  private final AtomicReference<@Nullable RuntimeException> afterNextCommit =
      new AtomicReference<>();
  private final AtomicReference<@Nullable RuntimeException> snapshots = new AtomicReference<>();
  private final AtomicReference<@Nullable RuntimeException> erasures = new AtomicReference<>();
  private final AtomicReference<@Nullable RuntimeException> unreadable = new AtomicReference<>();
  private final AtomicReference<@Nullable RuntimeException> stream = new AtomicReference<>();
  private final AtomicReference<@Nullable Runnable> beforeNextStream = new AtomicReference<>();
  private final AtomicReference<@Nullable CountDownLatch> silence = new AtomicReference<>();
  private final AtomicReference<@Nullable CountDownLatch> heldAnswer = new AtomicReference<>();
  private final Set<Owner> damaged = ConcurrentHashMap.newKeySet();
  private final AtomicInteger recoveries = new AtomicInteger();
  private final AtomicInteger probes = new AtomicInteger();
  private final AtomicLong history = new AtomicLong();

  /** Fails on command, and is {@code store} in all else. */
  public FailingStore(JournalStore store) {
    this.store = store;
  }

  /** From now on nothing is written, and every attempt fails with {@code failure}. */
  public void breakDown(RuntimeException failure) {
    outage.set(failure);
  }

  /** From now on everything is as before. */
  public void repair() {
    outage.set(null);
    erasures.set(null);
  }

  /** From now on nothing can be read. */
  public void breakReading() {
    unreadable.set(new StoreUnreadable("the store is down", null));
  }

  /** From now on everything can be read again, and whoever was kept waiting gets an answer. */
  public void repairReading() {
    unreadable.set(null);
    CountDownLatch silent = silence.getAndSet(null);
    if (silent != null) {
      silent.countDown();
    }
  }

  /** From now on nobody who reads gets an answer. */
  public void fallSilent() {
    silence.set(new CountDownLatch(1));
  }

  /**
   * The next recovery reads, and is not answered until this is counted down: it may be old by then.
   */
  public CountDownLatch holdNextRecovery() {
    var held = new CountDownLatch(1);
    heldAnswer.set(held);
    return held;
  }

  /** What the store holds of {@code owner} cannot be made sense of, by a fault of the program. */
  public void damage(Owner owner) {
    damaged.add(owner);
  }

  /** The next time that events are read as a stream, it ends in the middle. */
  public void failNextStream() {
    stream.set(new StoreUnreadable("the connection was lost", null));
  }

  /** Something happens between the next two times that events are read as a stream. */
  public void beforeNextStreamButOne(Runnable happens) {
    beforeNextStream.set(() -> beforeNextStream.set(happens));
  }

  /** Says that the history may be another one from now on. */
  public void changeHistory() {
    history.incrementAndGet();
  }

  /** How often owners were read, one or many. */
  public int recoveries() {
    return recoveries.get();
  }

  private void read() {
    CountDownLatch silent = silence.get();
    if (silent != null) {
      waitFor(silent);
    }
    throwIfSet(unreadable.get());
  }

  private static void waitFor(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new StoreUnreadable("interrupted", e);
    }
  }

  /** The next batch is written, and fails nevertheless. */
  public void failAfterNextCommit(RuntimeException failure) {
    afterNextCommit.set(failure);
  }

  /** Every batch with a snapshot in it fails. */
  public void refuseSnapshots(RuntimeException failure) {
    snapshots.set(failure);
  }

  /** From now on batches with snapshots are taken again. */
  public void takeSnapshots() {
    snapshots.set(null);
  }

  /** From now on nobody is erased, until the next {@link #repair}. */
  public void refuseToErase(RuntimeException failure) {
    erasures.set(failure);
  }

  /** How often it was probed. */
  int probes() {
    return probes.get();
  }

  private void failIfBroken() {
    throwIfSet(outage.get());
  }

  private static void throwIfSet(@Nullable RuntimeException failure) {
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public int batchesAtOnce() {
    return store.batchesAtOnce();
  }

  @Override
  public Outcome write(NodeId node, List<OwnerWrite> writes, List<SnapshotWrite> riding) {
    failIfBroken();
    if (!riding.isEmpty()) {
      throwIfSet(snapshots.get());
    }
    Outcome outcome = store.write(node, writes, riding);
    throwIfSet(afterNextCommit.getAndSet(null));
    return outcome;
  }

  @Override
  public void probe(int bytes) {
    probes.incrementAndGet();
    failIfBroken();
    store.probe(bytes);
  }

  @Override
  public List<Recovered> recover(List<Owner> owners, int maxEvents) {
    recoveries.incrementAndGet();
    read();
    if (owners.stream().anyMatch(damaged::contains)) {
      throw new IllegalArgumentException("no such thing can be in a row");
    }
    List<Recovered> recovered = store.recover(owners, maxEvents);
    CountDownLatch held = heldAnswer.getAndSet(null);
    if (held != null) {
      waitFor(held);
    }
    return recovered;
  }

  @Override
  public long highest(Owner owner) {
    read();
    return store.highest(owner);
  }

  @Override
  public long read(Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    read();
    Runnable next = beforeNextStream.getAndSet(null);
    if (next != null) {
      next.run();
    }
    RuntimeException lost = stream.getAndSet(null);
    if (lost != null) {
      store.read(owner, from, to, Math.min(max, 3), consumer);
      throw lost;
    }
    return store.read(owner, from, to, max, consumer);
  }

  @Override
  public int feed(long position, int max, Consumer<StoredEvent> consumer) {
    return store.feed(position, max, consumer);
  }

  @Override
  public int delete(NodeId node, Owner owner, long upTo) {
    failIfBroken();
    return store.delete(node, owner, upTo);
  }

  @Override
  public Trimmed trim(
      NodeId node, OwnerRange range, @Nullable Owner after, KeepRule keep, int work) {
    failIfBroken();
    return store.trim(node, range, after, keep, work);
  }

  @Override
  public Set<Owner> purge(NodeId node, Map<Owner, Long> newest, long later) {
    failIfBroken();
    return store.purge(node, newest, later);
  }

  @Override
  public boolean erase(NodeId node, Owner owner, long number, long newest, long deadline) {
    failIfBroken();
    throwIfSet(erasures.get());
    return store.erase(node, owner, number, newest, deadline);
  }

  @Override
  public List<DueOwner> due(
      List<OwnerRange> ranges, long now, int limit, @Nullable DueOwner after) {
    return store.due(ranges, now, limit, after);
  }

  @Override
  public long historyNumber() {
    return store.historyNumber() + history.get();
  }

  @Override
  public FeedReaders feedReaders() {
    return store.feedReaders();
  }

  @Override
  public @Nullable String ownerSecret() {
    return store.ownerSecret();
  }

  @Override
  public boolean replaceOwnerSecret(String expected, String sealed) {
    return store.replaceOwnerSecret(expected, sealed);
  }

  @Override
  public NodeRegistry nodes() {
    return store.nodes();
  }

  @Override
  public void scan(OwnerRange range, Scan scan) {
    store.scan(range, scan);
  }

  @Override
  public void load(Consumer<Scan> rows) throws JournalUnusable {
    store.load(rows);
  }

  @Override
  public List<String> damages() {
    return store.damages();
  }

  @Override
  public void close() {
    store.close();
  }
}
