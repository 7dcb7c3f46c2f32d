package dev.holdfast.journal;

import dev.holdfast.telemetry.UsersRead;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads for owners that come back, on a few threads of its own, many owners in one query.
 *
 * <p><b>What is read first.</b> Owners that somebody waits for go before those that are read ahead
 * ({@link #prefetch}), and among themselves in the order of their coming. Groups of owners that are
 * read ahead are small, and half of the readers are kept free of them.
 *
 * <p><b>What is held.</b> A recovery that was handed to its actor counts as held until it is
 * replayed; one that was read ahead is held here until its actor asks. The latter is safe because
 * it is used for one recovery only, is dropped when the owner writes, before and after, is dropped
 * after a short time in any case, and when the journal's history may have changed.
 *
 * <p><b>How much is held</b> is bounded by number and by bytes. While there is no room, nothing is
 * read, so that the readers keep to the pace of the actors. One that is not replayed for a while
 * makes room for others.
 *
 * <p><b>A store that does not answer</b> is noticed by the first group that fails or takes too
 * long: all who wait are told at once, and so is everybody who comes, but for one question now and
 * then that tries the store.
 */
final class Recoveries implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Recoveries.class);

  /** Owners read ahead in one query: few, since a request that comes meanwhile waits for it. */
  private static final int GROUP_AHEAD = 32;

  /** Bytes that one query should not much exceed: groups of large owners become smaller. */
  private static final long GROUP_BYTES = 2 << 20;

  /**
   * Time that one query should not much exceed, since whoever comes meanwhile waits for it. Groups
   * become smaller, down to {@link #GROUP_LEAST}, where the owners take that time, as when each has
   * to be fetched from the disk; not where it is the way to the store that takes it.
   */
  private static final long GROUP_NANOS = TimeUnit.MILLISECONDS.toNanos(8);

  private static final long SLOW_OWNER_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
  private static final int GROUP_LEAST = 16;

  /** For how long a recovery that is not replayed may keep others from being read. */
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  /** What an owner takes in memory beside its payload, about. */
  private static final long OWNER_BYTES = 200;

  private static final long EVENT_BYTES = 100;

  private final JournalStore store;
  private final JournalSettings settings;
  private final JournalMetrics metrics;
  private final ExecutorService readers;

  /** Guards all that follows; no future is completed under it. */
  private final Object lock = new Object();

  /** In the order of their coming. */
  private final ArrayDeque<Asked> asked = new ArrayDeque<>();

  private final ArrayDeque<Ahead> ahead = new ArrayDeque<>();

  /** Groups on their way to the store and back. */
  private final Set<Group> reading = new LinkedHashSet<>();

  /** Further parts of long logs that are read, or wait for a reader. */
  private final Set<Part> parts = new LinkedHashSet<>();

  /** Readers that are reading a group, or are about to. */
  private int active;

  private int activeAhead;
  private int groupSize;
  private boolean closed;

  /** Whether the store was found not to answer, and when it was last tried. */
  private boolean down;

  private long triedAt;

  /** Handed to their actors and not replayed yet, in the order of their age. */
  private final Held handed = new Held();

  /** Read ahead, in the order of their age. */
  private final Held fetched = new Held();

  /**
   * Being read ahead, and not written meanwhile, with the group that does it: what another one has
   * read of the owner may be from before a write.
   */
  private final Map<Owner, Group> fetching = new HashMap<>();

  /** Whether {@link #forget} has anything to forget; spares the writers the lock. */
  private volatile boolean holding;

  private record Asked(Owner owner, CompletableFuture<Recovered> answer, long since) {}

  private record Ahead(Owner owner, Fetch fetch) {}

  /** One call of {@link #prefetch}. */
  private static final class Fetch {
    final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    int left;

    Fetch(int left) {
      this.left = left;
    }
  }

  /** What one reader reads at once: some that were asked for, or some ahead. */
  private static final class Group {
    final List<Asked> asked;
    final List<Ahead> ahead;
    final long history;
    final long began = System.nanoTime();

    /** Whether those who wait for it were told that the store does not answer. */
    boolean givenUp;

    Group(List<Asked> asked, List<Ahead> ahead, long history) {
      this.asked = asked;
      this.ahead = ahead;
      this.history = history;
    }

    List<Owner> owners() {
      return asked.isEmpty()
          ? ahead.stream().map(Ahead::owner).distinct().toList()
          : asked.stream().map(Asked::owner).distinct().toList();
    }
  }

  /** A further part of one long log. */
  private static final class Part {
    final CompletableFuture<List<StoredEvent>> answer = new CompletableFuture<>();
    boolean reading;
    long began;
  }

  /** What came of one owner: exactly one of the two. */
  private record Read(@Nullable Recovered recovered, @Nullable Throwable failure) {}

  /**
   * What is held of an owner.
   *
   * @param recovered null where its actor has it
   */
  private record Entry(@Nullable Recovered recovered, long bytes, long history, long since) {}

  /** Entries by owner, the oldest first, and their bytes. */
  private static final class Held {
    final LinkedHashMap<Owner, Entry> entries = new LinkedHashMap<>();
    long bytes;

    void put(Owner owner, Entry entry) {
      remove(owner); // so that it goes to the young end
      entries.put(owner, entry);
      bytes += entry.bytes;
    }

    @Nullable Entry remove(Owner owner) {
      Entry entry = entries.remove(owner);
      if (entry != null) {
        bytes -= entry.bytes;
      }
      return entry;
    }

    void removeOlderThan(long since) {
      Iterator<Entry> byAge = entries.values().iterator();
      boolean old = true;
      while (old && byAge.hasNext()) {
        Entry entry = byAge.next();
        old = entry.since - since < 0;
        if (old) {
          bytes -= entry.bytes;
          byAge.remove();
        }
      }
    }

    boolean takes(int most, long mostBytes) {
      return entries.size() < most && bytes < mostBytes;
    }
  }

  Recoveries(JournalStore store, JournalSettings settings, JournalMetrics metrics) {
    this.store = store;
    this.settings = settings;
    this.metrics = metrics;
    this.groupSize = settings.maxRecoveryGroup();
    this.readers =
        Executors.newFixedThreadPool(
            settings.readers(),
            Thread.ofPlatform().daemon().name("holdfast-journal-reader-", 0).factory());
  }

  // ---------------------------------------------------------------------------------------------
  // Questions

  /** Reads the owner anew, together with others that wait, or takes what was read ahead of it. */
  CompletableFuture<Recovered> recover(Owner owner) {
    Asked question = new Asked(owner, new CompletableFuture<>(), System.nanoTime());
    Recovered ready = null;
    RuntimeException refusal = null;
    synchronized (lock) {
      Entry entry = holding ? fresh(fetched.remove(owner)) : null;
      if (entry != null && entry.recovered != null) {
        ready = entry.recovered;
        handed.put(owner, handed(entry.bytes));
      } else if (closed) {
        refusal = closed();
      } else if (down && !mayTry()) {
        refusal = silent();
      } else if (asked.size() >= settings.maxWaitingRecoveries()) {
        refusal = new TooManyRecoveries(asked.size());
      } else {
        asked.add(question);
        work();
      }
    }
    if (ready != null) {
      question.answer.complete(ready);
    } else if (refusal != null) {
      question.answer.completeExceptionally(refusal);
    }
    return question.answer;
  }

  /** What was handed out of the owner is used up. */
  void replayed(Owner owner) {
    synchronized (lock) {
      handed.remove(owner);
      if (mayRead()) {
        work();
      }
    }
  }

  /** Reads what a log has beyond the beginning that a recovery holds, as many events again. */
  CompletableFuture<List<StoredEvent>> more(Owner owner, long from, long to) {
    Part part = new Part();
    RuntimeException refusal = null;
    synchronized (lock) {
      if (closed) {
        refusal = closed();
      } else if (down) {
        refusal = silent();
      } else {
        parts.add(part);
        readers.execute(() -> readPart(part, owner, from, to));
      }
    }
    if (refusal != null) {
      part.answer.completeExceptionally(refusal);
    }
    return part.answer;
  }

  /**
   * Reads owners ahead of their recovery, when nobody waits for others, and holds them for a while.
   *
   * @return ends with null when all of them were read, or left out for want of room; with {@link
   *     StoreUnreadable} if the store does not answer
   */
  CompletableFuture<@Nullable Void> prefetch(List<Owner> owners) {
    if (owners.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    Fetch fetch;
    synchronized (lock) {
      if (closed) {
        return CompletableFuture.failedFuture(closed());
      }
      if (down && !mayTry()) {
        return CompletableFuture.failedFuture(silent());
      }
      int room = Math.min(owners.size(), settings.maxWaitingRecoveries() - ahead.size());
      if (room <= 0) {
        return CompletableFuture.completedFuture(null);
      }
      fetch = new Fetch(room);
      for (Owner owner : owners.subList(0, room)) {
        ahead.add(new Ahead(owner, fetch));
      }
      work();
    }
    return fetch.done;
  }

  /** The owner writes, or has written: what is held of it is the past. */
  void forget(Owner owner) {
    if (holding) {
      synchronized (lock) {
        fetched.remove(owner);
        fetching.remove(owner);
      }
    }
  }

  /** Drops all that was read ahead. */
  void forgetPrefetched() {
    synchronized (lock) {
      fetched.entries.clear();
      fetched.bytes = 0;
      fetching.clear();
    }
  }

  /**
   * Drops what was held for too long, makes room where it is blocked, and tells those who wait for
   * a store that does not answer.
   */
  void expire() {
    long now = System.nanoTime();
    List<Group> stalled = new ArrayList<>();
    Runnable tell = () -> {};
    synchronized (lock) {
      long oldest = now - settings.prefetchTtl().toNanos();
      handed.removeOlderThan(oldest);
      fetched.removeOlderThan(oldest);
      holding = !fetched.entries.isEmpty() || !fetching.isEmpty();
      for (Group group : reading) {
        if (!group.givenUp && now - group.began > settings.stallAfter().toNanos()) {
          group.givenUp = true;
          stalled.add(group);
        }
      }
      boolean partStalled = false;
      for (Part part : parts) {
        partStalled |= part.reading && now - part.began > settings.stallAfter().toNanos();
      }
      if (!stalled.isEmpty() || partStalled) {
        tell =
            goDown(stalled, "it has not answered for " + settings.stallAfter().toMillis() + " ms");
      }
      if (mayRead()) {
        work();
      }
    }
    tell.run();
  }

  /** Recoveries that were handed out and are not replayed. */
  int handedCount() {
    synchronized (lock) {
      return handed.entries.size();
    }
  }

  /** Recoveries that were read ahead and not asked for. */
  int aheadCount() {
    synchronized (lock) {
      return fetched.entries.size();
    }
  }

  /** Bytes that both take, about. */
  long heldBytes() {
    synchronized (lock) {
      return handed.bytes + fetched.bytes;
    }
  }

  /** Owners that wait to be read for somebody now. */
  int waiting() {
    synchronized (lock) {
      return asked.size();
    }
  }

  /** Ends the readers after what they are reading. Questions that wait fail. */
  @Override
  public void close() {
    List<Asked> left;
    List<Ahead> leftAhead;
    synchronized (lock) {
      closed = true;
      left = List.copyOf(asked);
      leftAhead = List.copyOf(ahead);
      asked.clear();
      ahead.clear();
    }
    readers.shutdown();
    fail(left, leftAhead, closed());
    readers.close();
  }

  private static StoreUnreadable closed() {
    return new StoreUnreadable("the journal is closed", null);
  }

  private static StoreUnreadable silent() {
    return new StoreUnreadable("the journal's store does not answer", null);
  }

  // ---------------------------------------------------------------------------------------------
  // Readers

  /** Has one more reader look for work, if there is one. Under the lock. */
  private void work() {
    if (active < settings.readers() && !closed) {
      active++;
      readers.execute(this::readGroup);
    }
  }

  /** Whether there is something that may be read now. Under the lock. */
  private boolean mayRead() {
    return (!asked.isEmpty() && hasRoom()) || mayReadAhead();
  }

  private boolean mayReadAhead() {
    return !ahead.isEmpty()
        && activeAhead < Math.max(1, settings.readers() / 2)
        && fetched.takes(settings.maxPrefetched(), settings.maxRecoveryBytes() / 2);
  }

  /** Whether one more recovery may be held; one not replayed for long gives way. Under the lock. */
  private boolean hasRoom() {
    boolean room = handed.takes(settings.maxPrefetched(), settings.maxRecoveryBytes());
    if (!room) {
      handed.removeOlderThan(System.nanoTime() - PATIENCE_NANOS);
      room = handed.takes(settings.maxPrefetched(), settings.maxRecoveryBytes());
    }
    return room;
  }

  /** Reads one group. The next one stands in line, so that other reading gets its turn between. */
  private void readGroup() {
    Group group;
    synchronized (lock) {
      group = nextGroup();
      if (group == null) {
        active--;
        return;
      }
      reading.add(group);
    }
    try {
      read(group);
    } catch (RuntimeException | Error fault) {
      // A fault of ours. Nobody may wait for ever for it.
      LOG.error("a reader of the journal failed", fault);
      fail(group.asked, group.ahead, new StoreUnreadable("a reader of the journal failed", fault));
    } finally {
      synchronized (lock) {
        reading.remove(group);
        active--;
        if (!group.ahead.isEmpty()) {
          activeAhead--;
        }
        if (mayRead()) {
          work();
        }
      }
    }
  }

  private void readPart(Part part, Owner owner, long from, long to) {
    synchronized (lock) {
      if (!parts.contains(part)) {
        return; // who waits for it was told that the store does not answer
      }
      part.reading = true;
      part.began = System.nanoTime();
    }
    List<StoredEvent> events = new ArrayList<>();
    @Nullable Throwable failure = null;
    try {
      store.read(owner, from, to, settings.maxRecoveryEvents(), events::add);
    } catch (RuntimeException | Error fault) {
      failure = fault;
    }
    synchronized (lock) {
      parts.remove(part);
    }
    if (failure == null) {
      part.answer.complete(events);
    } else {
      part.answer.completeExceptionally(failure);
    }
  }

  /** What to read next, null if there is nothing, or no room for it. Under the lock. */
  private @Nullable Group nextGroup() {
    long history = store.historyNumber();
    if (!asked.isEmpty() && hasRoom()) {
      int room = settings.maxPrefetched() - handed.entries.size();
      List<Asked> next = new ArrayList<>();
      while (!asked.isEmpty() && next.size() < Math.min(groupSize, room)) {
        next.add(asked.remove());
      }
      return new Group(next, List.of(), history);
    }
    if (mayReadAhead()) {
      List<Ahead> next = new ArrayList<>();
      while (!ahead.isEmpty() && next.size() < Math.min(groupSize, GROUP_AHEAD)) {
        next.add(ahead.remove());
      }
      Group group = new Group(List.of(), next, history);
      next.forEach(a -> fetching.put(a.owner, group));
      holding = true;
      activeAhead++;
      return group;
    }
    return null;
  }

  private void read(Group group) {
    long began = System.nanoTime();
    var recorded = new UsersRead();
    recorded.begin();
    List<Owner> owners = group.owners();
    Map<Owner, Read> found;
    try {
      found = readAll(owners);
    } catch (StoreUnreadable failure) {
      found = readApart(owners, failure);
    } catch (RuntimeException | Error failure) {
      found = readApart(owners, null);
    }
    if (found == null) {
      Runnable tell;
      synchronized (lock) {
        tell = goDown(List.of(group), "it fails");
      }
      tell.run();
      return;
    }
    metrics.recoveryQueryCount.increment();
    metrics.recoveryCount.add(group.asked.size() + group.ahead.size());
    long done = System.nanoTime();
    metrics.recoveryNanos.add(done - began);
    group.asked.forEach(asked -> metrics.waitedForReading.record(done - asked.since));
    recorded.end();
    if (recorded.shouldCommit()) {
      recorded.users = owners.size();
      recorded.ahead = group.asked.isEmpty();
      recorded.commit();
    }
    answer(group, found);
  }

  private Map<Owner, Read> readAll(List<Owner> owners) {
    Map<Owner, Read> found = new HashMap<>();
    for (Recovered recovered : store.recover(owners, settings.maxRecoveryEvents())) {
      String damage = damage(recovered);
      found.put(
          recovered.owner(),
          damage == null
              ? new Read(recovered, null)
              : new Read(null, new IllegalStateException(damage)));
    }
    return found;
  }

  /** What is wrong with the numbers of a log; null if nothing is. */
  private static @Nullable String damage(Recovered recovered) {
    long last = recovered.snapshotNumber();
    for (StoredEvent event : recovered.events()) {
      // Without a snapshot, whether the log may begin where it does is the actor's to say.
      if (event.number() != last + 1 && last > 0) {
        return "event " + event.number() + " follows event " + last;
      }
      last = event.number();
    }
    return last > recovered.highest()
        ? "the snapshot of event " + last + " is ahead of the log"
        : null;
  }

  /**
   * Reads owners one by one after a group failed, so that one whose rows cannot be read harms no
   * other.
   *
   * @return null if it is the store that does not answer
   */
  private @Nullable Map<Owner, Read> readApart(
      List<Owner> owners, @Nullable StoreUnreadable failure) {
    if (failure != null && !answers()) {
      return null;
    }
    Map<Owner, Read> found = new HashMap<>();
    for (Owner owner : owners) {
      try {
        found.putAll(readAll(List.of(owner)));
      } catch (StoreUnreadable again) {
        if (!answers()) {
          return null;
        }
        found.put(owner, new Read(null, again));
      } catch (RuntimeException | Error fault) {
        found.put(owner, new Read(null, fault));
      }
    }
    return found;
  }

  /** Whether the store answers at all. */
  private boolean answers() {
    try {
      store.highest(Owner.FIRST);
      return true;
    } catch (RuntimeException silent) {
      LOG.debug("the store does not answer", silent);
      return false;
    }
  }

  private void answer(Group group, Map<Owner, Read> found) {
    List<Fetch> done = new ArrayList<>();
    boolean back;
    synchronized (lock) {
      back = down;
      down = false;
      long bytes = 0;
      for (Asked question : group.asked) {
        Entry entry = entry(question.owner, found, group.history);
        bytes += entry.bytes;
        // Whoever was told meanwhile that the store does not answer, asks anew.
        if (entry.recovered != null && !question.answer.isDone()) {
          handed.put(question.owner, handed(entry.bytes));
        }
      }
      for (Ahead one : group.ahead) {
        Entry entry = entry(one.owner, found, group.history);
        bytes += entry.bytes;
        // What failed is not held: the recovery itself is to find out.
        if (fetching.remove(one.owner, group) && entry.recovered != null) {
          fetched.put(one.owner, entry);
        }
        if (--one.fetch.left == 0) {
          done.add(one.fetch);
        }
      }
      holding |= !group.ahead.isEmpty();
      long nanos = System.nanoTime() - group.began;
      boolean slow = nanos > GROUP_NANOS && nanos / Math.max(1, found.size()) > SLOW_OWNER_NANOS;
      if (bytes > GROUP_BYTES) {
        groupSize = Math.max(1, groupSize / 2);
      } else if (slow) {
        groupSize = Math.clamp(groupSize / 2, Math.min(groupSize, GROUP_LEAST), groupSize);
      } else if (bytes < GROUP_BYTES / 2) {
        groupSize = Math.min(settings.maxRecoveryGroup(), groupSize * 2);
      }
    }
    if (back) {
      LOG.info("the journal can be read again");
    }
    for (Asked question : group.asked) {
      Read read = found.get(question.owner);
      if (read != null && read.recovered != null) {
        question.answer.complete(read.recovered);
      } else {
        question.answer.completeExceptionally(failureOf(read));
      }
    }
    done.forEach(fetch -> fetch.done.complete(null));
  }

  private static Throwable failureOf(@Nullable Read read) {
    return read == null || read.failure == null
        ? new IllegalStateException("the store left an owner out")
        : read.failure;
  }

  private static Entry entry(Owner owner, Map<Owner, Read> found, long history) {
    Read read = found.get(owner);
    Recovered recovered = read == null ? null : read.recovered;
    long now = System.nanoTime();
    return new Entry(recovered, recovered == null ? OWNER_BYTES : bytesOf(recovered), history, now);
  }

  private static Entry handed(long bytes) {
    return new Entry(null, bytes, 0, System.nanoTime());
  }

  private static long bytesOf(Recovered recovered) {
    long bytes = OWNER_BYTES;
    SnapshotWrite snapshot = recovered.snapshot();
    if (snapshot != null) {
      bytes += EVENT_BYTES + snapshot.snapshot().payload().length;
    }
    for (StoredEvent event : recovered.events()) {
      bytes += EVENT_BYTES + event.event().payload().length;
    }
    return bytes;
  }

  private @Nullable Entry fresh(@Nullable Entry entry) {
    return entry != null
            && System.nanoTime() - entry.since <= settings.prefetchTtl().toNanos()
            && entry.history == store.historyNumber()
        ? entry
        : null;
  }

  // ---------------------------------------------------------------------------------------------
  // A store that does not answer

  /** Whether this question may find out if the store answers again. Under the lock. */
  private boolean mayTry() {
    long now = System.nanoTime();
    boolean may =
        active < settings.readers() && now - triedAt >= settings.probeInterval().toNanos();
    if (may) {
      triedAt = now;
    }
    return may;
  }

  /**
   * Notes that the store does not answer. Under the lock.
   *
   * @return tells all who wait; to be run outside the lock
   */
  private Runnable goDown(List<Group> groups, String why) {
    boolean news = !down;
    down = true;
    triedAt = System.nanoTime();
    List<Asked> left = new ArrayList<>(asked);
    List<Ahead> leftAhead = new ArrayList<>(ahead);
    List<Part> leftParts = new ArrayList<>(parts);
    asked.clear();
    ahead.clear();
    parts.clear();
    for (Group group : groups) {
      left.addAll(group.asked);
      leftAhead.addAll(group.ahead);
      group.ahead.forEach(one -> fetching.remove(one.owner, group));
    }
    StoreUnreadable failure = silent();
    return () -> {
      if (news) {
        LOG.warn("the journal cannot be read: {}", why);
      }
      fail(left, leftAhead, failure);
      leftParts.forEach(part -> part.answer.completeExceptionally(failure));
    };
  }

  private static void fail(List<Asked> asked, List<Ahead> ahead, RuntimeException failure) {
    for (Asked question : asked) {
      question.answer.completeExceptionally(failure);
    }
    for (Ahead one : ahead) {
      one.fetch.done.completeExceptionally(failure);
    }
  }
}
