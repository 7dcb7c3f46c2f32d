package dev.holdfast.journal;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a database does for the journal. {@link SqliteStore} is the embedded one, {@link
 * PostgresStore} that of clusters. The abstract test {@code JournalContract} holds every store to
 * what is said here.
 *
 * <p>Every method may block and may be called from any thread. Methods that write throw {@link
 * NotWritten} if nothing at all was written, and {@link InDoubt} if the store failed while it
 * committed; nothing else that the database throws comes out of them. Methods that only read throw
 * {@link StoreUnreadable}.
 */
public interface JournalStore extends AutoCloseable {

  /** How many batches are worth writing at a time; each is written by a thread of its own. */
  int batchesAtOnce();

  /**
   * Writes a batch in one transaction, if {@code node} is registered and not fenced.
   *
   * <p>Each write is taken whole if it begins right after its owner's highest number, and is
   * otherwise left out. Positions grow in the order of {@code writes}. A snapshot is stored if it
   * is newer than the stored one, not ahead of the owner's log, and not older than the log's first
   * event; it is otherwise left out.
   *
   * @throws IllegalArgumentException if two of {@code writes} are of one owner
   */
  Outcome write(NodeId node, List<OwnerWrite> writes, List<SnapshotWrite> snapshots);

  /** What became of a batch. */
  sealed interface Outcome {

    /**
     * The batch is durable, but for the writes that lost.
     *
     * @param conflicts indexes, ascending, of the writes that did not begin right after their
     *     owner's highest number, and of which nothing was written
     */
    record Written(List<Integer> conflicts) implements Outcome {
      public Written {
        conflicts = List.copyOf(conflicts);
      }
    }

    /** Nothing was written: the node is fenced, or was never registered. */
    record Fenced() implements Outcome {}
  }

  /**
   * Reads snapshot, later events and highest number of each of {@code owners}, in their order, each
   * owner's at one moment.
   *
   * @param maxEvents most events to read of one owner; of a longer log the beginning is read
   */
  List<Recovered> recover(List<Owner> owners, int maxEvents);

  /** The owner's highest sequence number, 0 if it has never written; no deletion lowers it. */
  long highest(Owner owner);

  /**
   * Hands the owner's events from number {@code from} to {@code to}, both included, to {@code
   * consumer}, in order, at most {@code max} of them. Reads as it goes: memory does not grow with
   * the log.
   *
   * @return how many there were
   */
  long read(Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer);

  /**
   * Hands the events of all owners after {@code position} to {@code consumer}, in the order of
   * their positions. No event that commits later has a position below one that was handed out.
   *
   * @param position 0 for the beginning, else the last position seen
   * @return how many there were, at most {@code max}
   */
  int feed(long position, int max, Consumer<StoredEvent> consumer);

  /**
   * Deletes the owner's events up to number {@code upTo}, as far as the stored snapshot includes
   * them, and never the newest one.
   *
   * @return how many were deleted
   */
  int delete(NodeId node, Owner owner, long upTo);

  /**
   * Deletes old events of one owner after another, in their order: those that the owner's stored
   * snapshot includes and {@code keep} does not keep, from the oldest on without a gap, and never
   * the newest, nor what a consumer of the feed has yet to read. Nothing is deleted for a node that
   * is fenced.
   *
   * @param after the last owner of an earlier call, or null to begin with the first of {@code
   *     range}
   * @param work most owners to look at and rows to delete, together; of a long log a part is
   *     deleted, and the next call goes on with it. At least 1
   * @throws NotWritten also if there is something to delete and {@code node} is fenced
   */
  Trimmed trim(NodeId node, OwnerRange range, @Nullable Owner after, KeepRule keep, int work);

  /**
   * Removes everything of owners: events, snapshot, place on the agenda. Of each only if its newest
   * event still has the number given, and all consumers of the feed have read it. A store may leave
   * an owner for a later call for reasons of its own, such as that no position may ever be used
   * twice. Owners who are left so have their deadline moved on to {@code later}, if they have an
   * earlier one, so that they do not stand at the head of the agenda until then.
   *
   * @param newest for each owner the number of its newest event
   * @param later when it is worth another attempt, in milliseconds since the epoch
   * @return those of them of whom nothing is left
   * @throws NotWritten also if {@code node} is fenced
   */
  Set<Owner> purge(NodeId node, Map<Owner, Long> newest, long later);

  /**
   * Deletes what an owner has from before event {@code number}: the earlier events, and a snapshot
   * that is older. No snapshot from before it is stored afterwards, though one may be waiting to
   * be. The deadline of event {@code newest} becomes {@code deadline}.
   *
   * <p>May be repeated. Events that follow are left as they are.
   *
   * @param newest the number of the newest event that the caller knows
   * @param deadline not before the one that the event had: milliseconds since the epoch, or {@link
   *     JournalEvent#NO_DEADLINE}
   * @return false if there is no such event; nothing is deleted then
   * @throws NotWritten also if {@code node} is fenced
   */
  boolean erase(NodeId node, Owner owner, long number, long newest, long deadline);

  /**
   * The owners within {@code ranges} whose newest event has a deadline at or before {@code now}, by
   * deadline and then by owner. Fewer than {@code limit} means that no more are due.
   *
   * @param ranges ranges that do not overlap
   * @param now milliseconds since the epoch
   * @param after the last one already seen in this sweep, or null to begin; owners whose deadline
   *     moved meanwhile may be left for the next sweep
   */
  List<DueOwner> due(List<OwnerRange> ranges, long now, int limit, @Nullable DueOwner after);

  /**
   * Commits and removes again {@code bytes} of nothing, as proof that the store takes writes.
   * Whatever an earlier failure left open is settled before.
   */
  void probe(int bytes);

  /**
   * A number that grows when the store finds that its history may have changed: that writes which
   * it acknowledged may be missing, as after a fail-over to a standby, or a restore. Reading it
   * costs nothing and never blocks.
   */
  long historyNumber();

  /** Who reads the feed, and what they rely on. */
  FeedReaders feedReaders();

  /**
   * The secret by which owner keys follow from user ids, sealed by whoever keeps it here: to this
   * journal it is text. Goes with the rows by {@link #scan} and {@link #load}.
   *
   * @return empty in a new journal, until one was made; null in one whose owner keys follow from
   *     the user ids alone, as they did before there was a secret
   */
  @Nullable String ownerSecret();

  /**
   * Keeps another text in place of {@code expected}. False if that is not what is kept.
   *
   * @throws JournalFailure if the store did not do it, or nobody knows
   */
  boolean replaceOwnerSecret(String expected, String sealed);

  /** The rows of the nodes that write to this journal. */
  NodeRegistry nodes();

  /**
   * Hands everything that {@code range} holds to {@code scan}: owners ascending, each owner's
   * snapshot before its events, these by number. Reads as it goes, all of it as of one moment.
   */
  void scan(OwnerRange range, Scan scan);

  /** Takes what {@link #scan} reads. */
  interface Scan {

    /**
     * Which journal this is, what is missing of its feed ({@link FeedReaders.State}), and its
     * {@link #ownerSecret}. Comes first, but rows may come from where this is not known: then the
     * journal stays the one it is.
     */
    default void journal(String identity, long forgotten, @Nullable String ownerSecret) {}

    /** The stored snapshot of the next owner. */
    void snapshot(SnapshotWrite snapshot);

    /** The next event of the same owner, or the first of the next. */
    void event(StoredEvent event);
  }

  /**
   * Fills this journal, which must be empty, with what another one held: numbers, positions, times
   * and deadlines as they were. All of it is there when this returns, and nothing if it throws.
   *
   * @param rows hands over what {@link #scan} of all of the other one does, in the same order; what
   *     it throws comes out of this
   * @throws JournalUnusable if there is something in this journal, or nodes use it
   */
  void load(Consumer<Scan> rows) throws JournalUnusable;

  /**
   * Checks the store's own structures, which may read all of it.
   *
   * @return what is wrong, a sentence each; empty if nothing is
   */
  List<String> damages();

  /** Lets go of the store. Waits for a batch in flight. */
  @Override
  void close();
}
