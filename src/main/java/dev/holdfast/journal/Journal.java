package dev.holdfast.journal;

import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The running journal of one node process: a few writers and readers, one store.
 *
 * <p>An owner's actor comes back by {@link #recover}, asks for {@link #health} before it decides
 * what must be written, has it written by {@link #write}, and offers a snapshot now and then by
 * {@link #offerSnapshot}. The cluster code reaches the fence by {@link #nodes}, and the agenda by
 * {@link #due}.
 *
 * <p>The node must be in the store's {@link NodeRegistry} before its first write: {@link
 * NodeRegistry#claim} as the first of a cluster, {@link NodeRegistry#register} as one that joins. A
 * node that is not counts as fenced.
 */
public final class Journal implements AutoCloseable {

  private static final long WATCH_MILLIS = 100;

  private final JournalStore store;
  private final NodeId node;
  private final WriteLanes writer;
  private final Recoveries recoveries;
  private final Removals removals;
  private final Thread watch;
  private final CountDownLatch closing = new CountDownLatch(1);

  private Journal(
      JournalStore store,
      NodeId node,
      JournalSettings settings,
      InstantSource clock,
      Runnable onFenced) {
    this.store = store;
    this.node = node;
    this.writer = new WriteLanes(store, node, settings, clock, onFenced);
    this.recoveries = new Recoveries(store, settings, writer.metrics());
    this.removals = new Removals(store, node, writer.metrics());
    this.watch = Thread.ofPlatform().daemon().name("holdfast-journal-watch").unstarted(this::watch);
  }

  /**
   * Starts the journal of this process.
   *
   * @param store where it is kept; {@link #close} closes it too
   * @param node this process
   * @param settings bounds and intervals
   * @param clock for the times in {@link JournalHealth}
   * @param onFenced called once, on a thread of its own, when a batch finds this node fenced: must
   *     halt the process
   */
  public static Journal start(
      JournalStore store,
      NodeId node,
      JournalSettings settings,
      InstantSource clock,
      Runnable onFenced) {
    Journal journal = new Journal(store, node, settings, clock, onFenced);
    journal.writer.start();
    journal.watch.start();
    return journal;
  }

  private void watch() {
    try {
      while (!closing.await(WATCH_MILLIS, TimeUnit.MILLISECONDS)) {
        writer.releaseStalled();
        recoveries.expire();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  /**
   * Makes the store commit a little, of no meaning. Blocking.
   *
   * @throws JournalFailure if it does not
   */
  public void probe() {
    store.probe(1);
  }

  /** Whether writes are taken. To be asked before each persist. */
  public JournalHealth health() {
    return writer;
  }

  /** What this journal has done so far. */
  public JournalMetrics metrics() {
    return writer.metrics();
  }

  /** This process, as the store knows it. */
  public NodeId node() {
    return node;
  }

  /** The fence, and the cluster's incarnation. Blocking. */
  public NodeRegistry nodes() {
    return store.nodes();
  }

  /**
   * Writes an owner's events. The future ends with null once they are durable, or with a {@link
   * JournalFailure}. It is completed on the writer's thread, so what depends on it must be quick.
   */
  public CompletableFuture<Void> write(OwnerWrite write) {
    recoveries.forget(write.owner());
    return writer
        .write(write)
        .whenComplete(
            // What was read ahead while it was on its way may be without it.
            (_, _) -> recoveries.forget(write.owner()));
  }

  /**
   * Offers a snapshot of journaled state, to be stored when there is room, without delaying events.
   * The newest of each owner wins; one may be dropped when the journal has too much to do, so offer
   * another one later. Never blocks.
   *
   * @param history the {@link #historyNumber} by which the state was journaled: in another one it
   *     may never have been, and the snapshot is dropped
   * @return false if it was dropped at once
   */
  public boolean offerSnapshot(SnapshotWrite snapshot, long history) {
    return writer.offer(snapshot, history);
  }

  /**
   * Reads what an owner needs to come back, together with other owners that wait. The future ends
   * with {@link StoreUnreadable} if the store does not answer, with {@link TooManyRecoveries} if
   * too many wait, and with something else if what is stored of this owner cannot be read. It is
   * completed on a thread that reads, so what depends on it must be quick.
   *
   * <p>Of a log longer than {@code recovery.max-events} the beginning is read, and the rest is to
   * be asked for by {@link #recoverMore}. Whoever has made use of what came says so by {@link
   * #replayed}, so that it no longer keeps others from being read.
   */
  public CompletableFuture<Recovered> recover(Owner owner) {
    return recoveries.recover(owner);
  }

  /**
   * Reads the next events of a long log, from {@code from} to {@code to}, both included, but at
   * most {@code recovery.max-events}. Ends as {@link #recover} does.
   */
  public CompletableFuture<List<StoredEvent>> recoverMore(Owner owner, long from, long to) {
    return recoveries.more(owner, from, to);
  }

  /** What {@link #recover} has handed out of this owner is replayed, or of no use any more. */
  public void replayed(Owner owner) {
    recoveries.replayed(owner);
  }

  /**
   * Reads owners ahead of their recovery, in groups, whenever nobody waits for others, and holds
   * them for a while ({@code recovery.prefetch-ttl}). Whoever starts an actor in that time finds it
   * read. Only for owners that no other node writes until then: a node that hands over owners or
   * takes them over must {@link #forgetPrefetched}.
   *
   * @return ends with null when all were read, or left out for want of room; with {@link
   *     StoreUnreadable} if the store does not answer
   */
  public CompletableFuture<@Nullable Void> prefetch(List<Owner> owners) {
    return recoveries.prefetch(owners);
  }

  /** Drops all that {@link #prefetch} has read and nobody has used. */
  public void forgetPrefetched() {
    recoveries.forgetPrefetched();
  }

  /** Owners that somebody waits for and that are not read yet. */
  public int waitingRecoveries() {
    return recoveries.waiting();
  }

  /** Bytes of recoveries that were read and are not replayed yet, about. */
  public long heldBytes() {
    return recoveries.heldBytes();
  }

  /**
   * Which history the journal holds: the number grows when acknowledged writes may be missing from
   * it, or others be there, as after a fail-over of its database. Whoever remembers what the
   * journal held under an earlier number must read it again before saying anything.
   */
  public long historyNumber() {
    return store.historyNumber();
  }

  /**
   * The owners whose deadline has come; see {@link JournalStore#due}. Blocking.
   *
   * @throws JournalFailure if the store does not take the moved deadlines
   * @throws StoreUnreadable if the store does not answer
   */
  public List<DueOwner> due(
      List<OwnerRange> ranges, long now, int limit, @Nullable DueOwner after) {
    return store.due(ranges, now, limit, after);
  }

  /**
   * Hands all events of {@code owner} that are still kept to {@code consumer}, in order, as they
   * are read. Blocking.
   *
   * @return how many there were
   * @throws StoreUnreadable if the store does not answer
   */
  public long eventsOf(Owner owner, Consumer<StoredEvent> consumer) {
    return store.read(owner, 1, Long.MAX_VALUE, Long.MAX_VALUE, consumer);
  }

  /**
   * The events of all owners in one order; see {@link JournalStore#feed}. Blocking.
   *
   * @throws StoreUnreadable if the store does not answer
   */
  public int feed(long position, int max, Consumer<StoredEvent> consumer) {
    return store.feed(position, max, consumer);
  }

  /** Who reads the feed, and what they rely on. Blocking. */
  public FeedReaders feedReaders() {
    return store.feedReaders();
  }

  /**
   * Hands the owner's events from number {@code from} to {@code to} to {@code consumer}; see {@link
   * JournalStore#read}. Blocking.
   *
   * @throws StoreUnreadable if the store does not answer
   */
  public long read(Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    return store.read(owner, from, to, max, consumer);
  }

  /**
   * What is stored of an owner besides the events, for whoever looks without taking the owner over:
   * snapshot and highest number, of one moment. Blocking.
   *
   * @throws StoreUnreadable if the store does not answer
   */
  public Recovered look(Owner owner) {
    return store.recover(List.of(owner), 1).getFirst();
  }

  /**
   * Deletes old events; see {@link JournalStore#delete}. Blocking.
   *
   * @throws JournalFailure if the store did not do it, or nobody knows
   */
  public int delete(Owner owner, long upTo) {
    return store.delete(node, owner, upTo);
  }

  /**
   * Deletes old events; see {@link JournalStore#trim}. Blocking.
   *
   * @throws JournalFailure if the store did not do it, or nobody knows
   * @throws StoreUnreadable if the store does not answer
   */
  Trimmed trim(OwnerRange range, @Nullable Owner after, KeepRule keep, int work) {
    Trimmed trimmed = store.trim(node, range, after, keep, work);
    writer.metrics().trimmedCount.add(trimmed.deleted());
    return trimmed;
  }

  /**
   * Removes everything of an owner, together with others that wait, if its newest event still has
   * that number; see {@link JournalStore#purge}. The future ends with whether nothing of the owner
   * is left, or with a {@link JournalFailure}. Whoever has the owner's state in memory must let go
   * of it, and write nothing meanwhile.
   *
   * @param later when it is worth another attempt if the owner must stay for now, in milliseconds
   *     since the epoch
   */
  public CompletableFuture<Boolean> purge(Owner owner, long number, long later) {
    return removals.purge(owner, number, later).whenComplete((_, _) -> recoveries.forget(owner));
  }

  /**
   * Deletes what an owner has from before event {@code number}; see {@link JournalStore#erase}. The
   * future ends with whether there is such an event, or with a {@link JournalFailure}.
   */
  public CompletableFuture<Boolean> erase(Owner owner, long number, long newest, long deadline) {
    return removals
        .erase(owner, number, newest, deadline)
        .whenComplete((_, _) -> recoveries.forget(owner));
  }

  Recoveries recoveries() {
    return recoveries;
  }

  /**
   * Leaves the cluster as its last member: takes nothing more, writes what waits, and then releases
   * the incarnation, which fences this node. {@link #close} is still to be called. Blocking.
   *
   * @param incarnation the number of the incarnation
   * @return false if this node was fenced already or the incarnation is no longer the current one
   * @throws JournalFailure if the store did not do it, or nobody knows
   */
  public boolean release(long incarnation) {
    writer.close();
    return store.nodes().release(node, incarnation);
  }

  /** Takes nothing more, writes what waits, ends the threads and closes the store. */
  @Override
  public void close() {
    writer.close();
    closing.countDown();
    removals.close();
    recoveries.close();
    store.close();
  }
}
