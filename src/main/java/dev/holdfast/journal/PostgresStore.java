package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import dev.holdfast.journal.NotWritten.Reason;
import dev.holdfast.journal.PostgresSession.History;
import dev.holdfast.journal.PostgresSession.Use;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal of a cluster: a schema of a PostgreSQL database.
 *
 * <p><b>A batch is one statement that commits by itself</b>, so a client that is frozen or cut off
 * between two statements never sits on a lock. It share-locks the row of its node, and writes
 * nothing if that row is fenced or does not carry the writer number of the statement. It looks up
 * each owner's newest event and takes the writes that begin right after it; the others are its
 * result. Two statements that meet on one owner's number: the second fails whole with a duplicate
 * key, and is sent again, when it sees what the first has written.
 *
 * <p><b>What need not be looked up</b>: the newest event of an owner, where this store wrote it;
 * see {@link NewestEvents}. Where it was not the newest any more, the key (owner, number) refuses
 * the statement, and it is sent again with every owner looked up.
 *
 * <p><b>A batch whose outcome is open</b>, because the connection broke or the server ended the
 * session, is settled by reading. But first the node's writer number is raised: that waits for a
 * statement that is still running, and one that has yet to begin will find another number and write
 * nothing. (And as its own commit comes after, it also waits for the standby of a synchronous
 * replication to have all that came before.) So after it, what is there is there, and what is not
 * will never be.
 *
 * <p>Nothing is taken from a server that is a standby, or that was turned into one.
 */
public final class PostgresStore implements JournalStore {

  private static final Logger LOG = LoggerFactory.getLogger(PostgresStore.class);

  /** How often a statement is sent again that met another one. */
  private static final int MEETINGS = 10;

  /** How long the outcome of a batch is sought, before it is told as unknown. */
  private static final long SETTLING_NANOS = TimeUnit.SECONDS.toNanos(8);

  private static final long BETWEEN_ATTEMPTS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Rows read at a time where there may be many. */
  private static final int ROWS_AT_ONCE = 256;

  /** Bits of a position that tell the place within the transaction. */
  private static final int PLACE_BITS = 20;

  /** The ordinal that says that the node may not write. */
  private static final int NOT_ALIVE = -1;

  /** The events of owners whose first bits differ are in different partitions. */
  private static final int PARTITION_BITS = 3;

  /**
   * The fence. Evaluated once; a fencing of the row waits for it, and it for a fencing: then the
   * row is looked at again as that has left it.
   */
  private static final String ALIVE =
      """
      alive AS MATERIALIZED (
        SELECT FROM node WHERE id = ? AND writer = ? AND fenced_at IS NULL FOR SHARE
      )\
      """;

  /**
   * The rows of the batch, each with whether its write begins right after the owner's newest event,
   * and with the deadline before it. A deadline of 2^63 - 1 is none; one before it of -2^63 is not
   * known, and only there is the newest event looked up.
   */
  private static final String BATCH =
      """
      , batch AS MATERIALIZED (
        SELECT e.owner, e.seq, e.first, e.last, e.ordinal, e.at, e.due, e.name, e.payload,
          CASE WHEN e.due_before > -9223372036854775808 THEN e.due_before
            ELSE coalesce(newest.due, 9223372036854775807) END AS due_before,
          (e.due_before > -9223372036854775808 OR coalesce(newest.seq, 0) = e.first - 1)
            AND EXISTS (SELECT FROM alive) AS taken
        FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::int[],
            ?::bigint[], ?::bigint[], ?::text[], ?::bytea[])
          AS e (owner, seq, first, last, due_before, ordinal, at, due, name, payload)
        LEFT JOIN LATERAL (
          SELECT seq, due FROM event
          WHERE event.owner = e.owner AND e.due_before = -9223372036854775808
          ORDER BY seq DESC LIMIT 1
        ) AS newest ON true
      )\
      """;

  /** From rows with an ordinal, which becomes a position. */
  private static final String INSERT_EVENTS =
      """
      INSERT INTO event (owner, seq, position, at, due, name, payload)
      SELECT owner, seq,
        (SELECT base + (pg_current_xact_id()::text::bigint << 20) FROM feed) + ordinal,
        at, nullif(due, 9223372036854775807), name, payload
      """;

  private static final String EVENTS = ", events AS (" + INSERT_EVENTS + "FROM batch WHERE taken)";

  /**
   * Only where the deadline is the owner's first or comes nearer than the one before: else the
   * agenda has a row that is early enough. Writes the row even if it says so already, for that is
   * what {@code postpone} waits for.
   */
  private static final String AGENDA =
      """
      , wakes AS (
        INSERT INTO agenda (owner, wake)
        SELECT owner, due FROM batch WHERE taken AND seq = last AND due < due_before
        ON CONFLICT (owner) DO UPDATE SET wake = excluded.wake
      )\
      """;

  /** A batch of which every owner's newest event is known: as good as a plain insert. */
  private static final String WRITE_NEXT =
      "WITH "
          + ALIVE
          + """
          , wakes AS (
            INSERT INTO agenda (owner, wake)
            SELECT owner, wake FROM unnest(?::uuid[], ?::bigint[]) AS a (owner, wake)
            WHERE EXISTS (SELECT FROM alive)
            ON CONFLICT (owner) DO UPDATE SET wake = excluded.wake
          )
          """
          + INSERT_EVENTS
          + """
          FROM unnest(?::uuid[], ?::bigint[], ?::int[], ?::bigint[], ?::bigint[], ?::text[], ?::bytea[])
            AS e (owner, seq, ordinal, at, due, name, payload)
          WHERE EXISTS (SELECT FROM alive)\
          """;

  /**
   * Newer than the stored one, not ahead of the owner's log with this batch, and not from before
   * the log's beginning: it may have waited while the owner was erased.
   */
  private static final String SNAPSHOTS =
      """
      , snapshots AS (
        INSERT INTO snapshot (owner, seq, at, name, payload)
        SELECT s.owner, s.seq, s.at, s.name, s.payload
        FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], ?::text[], ?::bytea[])
          AS s (owner, seq, at, name, payload)
        WHERE EXISTS (SELECT FROM alive) AND s.seq <= greatest(
          (SELECT seq FROM event WHERE event.owner = s.owner ORDER BY seq DESC LIMIT 1),
          (SELECT max(seq) FROM batch WHERE batch.owner = s.owner AND taken))
          AND s.seq >= coalesce(
            (SELECT seq FROM event WHERE event.owner = s.owner ORDER BY seq LIMIT 1), 1)
        ON CONFLICT (owner) DO UPDATE
        SET seq = excluded.seq, at = excluded.at, name = excluded.name, payload = excluded.payload
        WHERE excluded.seq > snapshot.seq
      )\
      """;

  private static final String LOSERS =
      """

      SELECT ordinal FROM batch WHERE NOT taken AND seq = first
      UNION ALL SELECT -1 WHERE NOT EXISTS (SELECT FROM alive)\
      """;

  private static final String WRITE = "WITH " + ALIVE + BATCH + EVENTS + AGENDA + LOSERS;
  private static final String WRITE_WITH_SNAPSHOTS =
      "WITH " + ALIVE + BATCH + EVENTS + AGENDA + SNAPSHOTS + LOSERS;

  /**
   * Of each owner the snapshot, and then the events after it, in order; all of one moment. Owners
   * are named by their place in the array: what is short is quick to write, send and read. Apart
   * from that the columns are {@link #EVENT_COLUMNS}; a snapshot has no position.
   */
  private static final String RECOVER =
      """
      SELECT e.position, o.place::int, e.seq, e.at, e.due, e.name, e.payload FROM unnest(?::uuid[]) WITH ORDINALITY AS o (owner, place)
      LEFT JOIN snapshot s ON s.owner = o.owner
      CROSS JOIN LATERAL (
        SELECT NULL::bigint, s.seq, s.at, NULL::bigint, s.name, s.payload
        WHERE s.owner IS NOT NULL
        UNION ALL (
          SELECT position, seq, at, due, name, payload FROM event
          WHERE event.owner = o.owner AND event.seq > coalesce(s.seq, 0)
          ORDER BY event.seq LIMIT ?
        )
      ) AS e (position, seq, at, due, name, payload)\
      """;

  private static final String EVENT_COLUMNS = "position, owner, seq, at, due, name, payload";

  private final PostgresOptions options;
  private final PostgresPool writers;
  private final PostgresPool readers;

  /** Fences and other small statements: never behind a batch. */
  private final PostgresPool others;

  private final PostgresNodes nodes = new PostgresNodes(this);
  private final PostgresReaders feedReaders = new PostgresReaders(this);
  private final PostgresHousekeeping housekeeping = new PostgresHousekeeping(this);

  /** The writer number that statements of each node carry; absent for one not seen yet. */
  private final Map<NodeId, Long> writerNumbers = new ConcurrentHashMap<>();

  /**
   * Nodes with batches of unknown outcome, and the owners for whom they were: the number is to be
   * raised before the next batch, and before one of the owners is read. Else what is on its way
   * could come after the reading, and nobody would know.
   */
  private final Map<NodeId, Set<Owner>> unsettled = new ConcurrentHashMap<>();

  private final NewestEvents newest = new NewestEvents();
  private final AtomicReference<@Nullable History> history = new AtomicReference<>();
  private final AtomicLong historyNumber = new AtomicLong();
  private volatile boolean closed;

  private PostgresStore(PostgresOptions options) {
    this.options = options;
    this.writers = pool(Use.WRITING, options.writers());
    this.readers = pool(Use.READING, options.readers());
    this.others = pool(Use.WRITING, 2);
  }

  private PostgresPool pool(Use use, int size) {
    return new PostgresPool(options, use, size, this::lookAt, found -> found.equals(history.get()));
  }

  /**
   * Opens the journal, and makes or updates its schema where needed.
   *
   * @throws JournalUnusable if the server cannot be reached, or what the schema holds is not a
   *     journal that this program can read; nothing is changed then
   */
  public static PostgresStore open(PostgresOptions options) throws JournalUnusable {
    return open(
        options,
        store -> {
          PostgresSchema.current().prepare(options);
          store.putPositionsAboveThoseThere();
        });
  }

  /**
   * Opens an existing journal of this program's version, and changes nothing by doing so.
   *
   * @throws JournalUnusable if there is none, or it cannot be reached
   */
  public static PostgresStore openExisting(PostgresOptions options) throws JournalUnusable {
    return open(options, _ -> PostgresSchema.current().require(options));
  }

  private interface Preparation {
    void run(PostgresStore store) throws SQLException, JournalUnusable;
  }

  private static PostgresStore open(PostgresOptions options, Preparation preparation)
      throws JournalUnusable {
    PostgresStore store = new PostgresStore(options);
    boolean done = false;
    try {
      preparation.run(store);
      store.warnOfALazyServer();
      done = true;
      return store;
    } catch (SQLException e) {
      throw new JournalUnusable(
          PostgresErrors.isAway(e) ? Problem.UNREACHABLE : Problem.INACCESSIBLE,
          "the journal in " + options.place() + " cannot be opened: " + PostgresErrors.describe(e),
          e);
    } finally {
      if (!done) {
        store.close();
      }
    }
  }

  private void warnOfALazyServer() throws SQLException {
    boolean lazy =
        atOpening(
            readers,
            session -> {
              try (ResultSet row =
                  session
                      .prepare(
                          "SELECT current_setting('fsync'), current_setting('full_page_writes')")
                      .executeQuery()) {
                row.next();
                return row.getString(1).equals("off") || row.getString(2).equals("off");
              }
            });
    if (lazy) {
      LOG.warn(
          "fsync or full_page_writes is off in {}: what is acknowledged can be lost",
          options.place());
    }
  }

  /**
   * A journal that was restored into another server: its transactions are counted from anew. Its
   * newest events may have been purged, though readers have seen their positions.
   */
  private void putPositionsAboveThoseThere() throws SQLException {
    int _ =
        atOpening(
            others,
            session ->
                session
                    .prepare(
                        """
                        UPDATE feed SET base = base + above.gap FROM (
                          SELECT greatest(
                              (SELECT coalesce(max(position), 0) FROM event),
                              (SELECT position FROM forgotten),
                              (SELECT coalesce(max(position), 0) FROM consumer))
                            - (SELECT base FROM feed)
                            - (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << 20) AS gap
                        ) AS above WHERE above.gap > 0\
                        """)
                    .executeUpdate());
  }

  /**
   * Makes the connections that requests will wait for, in the background, and has their statements
   * planned by the server: for a node that is about to serve, since both take longer than a whole
   * group of users later. Writes nothing. What fails here is for whoever needs it next to find out.
   */
  public void warmUp() {
    Thread.ofPlatform().daemon().name("holdfast-journal-warm-up").start(this::makeConnections);
  }

  private void makeConnections() {
    List<Owner> oneInEachPartition =
        LongStream.range(0, 1L << PARTITION_BITS)
            .mapToObj(i -> new Owner(i << (Long.SIZE - PARTITION_BITS), 0))
            .toList();
    try {
      onEach(
          readers, options.readers(), session -> rowsOf(session, oneInEachPartition, 1, _ -> {}));
      onEach(
          writers,
          options.writers(),
          session -> {
            // Of a node that is not alive.
            var nothing = new Batch(NodeId.random(), List.of(), List.of());
            var rows = new Rows(nothing, session.history());
            nothing.sendAny(session, 0, rows);
            nothing.sendNext(session, 0, rows);
            return session;
          });
    } catch (SQLException e) {
      LOG.debug("connections are made when they are needed: {}", e.getMessage());
    }
  }

  /** Runs {@code work} on all the connections of a pool. */
  private static void onEach(PostgresPool pool, int size, Work<?> work) throws SQLException {
    List<PostgresSession> taken = new ArrayList<>(size);
    boolean usable = false;
    try {
      while (taken.size() < size) {
        taken.add(pool.take());
        work.run(taken.getLast());
      }
      usable = true;
    } finally {
      for (PostgresSession session : taken) {
        release(pool, session, usable);
      }
    }
  }

  private static <T> T atOpening(PostgresPool pool, Work<T> work) throws SQLException {
    PostgresSession session = pool.take();
    boolean usable = false;
    try {
      T result = work.run(session);
      usable = true;
      return result;
    } finally {
      release(pool, session, usable);
    }
  }

  private static void release(PostgresPool pool, PostgresSession session, boolean usable) {
    if (usable) {
      pool.giveBack(session);
    } else {
      pool.discard(session);
    }
  }

  /** Notices a fail-over: another server, or another history of the same. */
  private void lookAt(History found) {
    History before = history.getAndSet(found);
    if (before != null && !before.equals(found)) {
      historyNumber.incrementAndGet();
      LOG.error(
          "the database failed over: timeline {} of system {} after {} of {}; all users are read"
              + " anew",
          found.timeline(),
          found.system(),
          before.timeline(),
          before.system());
    }
  }

  @Override
  public long historyNumber() {
    return historyNumber.get();
  }

  @Override
  public int batchesAtOnce() {
    return options.writers();
  }

  // ---- writing

  @Override
  public Outcome write(NodeId node, List<OwnerWrite> writes, List<SnapshotWrite> snapshots) {
    return new Batch(node, writes, snapshots).write();
  }

  /** One batch on its way into the journal, however many statements that takes. */
  private final class Batch {

    private final NodeId node;
    private final List<OwnerWrite> writes;
    private final List<SnapshotWrite> snapshots;

    /** The indexes of {@link #writes} in the order of their owners: all lock in one order. */
    private final Integer[] order;

    /** The ordinals of the writes' first events: an event's place in {@link #writes}. */
    private final int[] ordinals;

    private final int events;
    private final long giveUpAt = System.nanoTime() + SETTLING_NANOS;

    /** Why the outcome of an earlier statement is not known; null where it is. */
    private @Nullable SQLException open;

    Batch(NodeId node, List<OwnerWrite> writes, List<SnapshotWrite> snapshots) {
      this.node = node;
      this.writes = writes;
      this.snapshots = snapshots;
      this.order = new Integer[writes.size()];
      this.ordinals = new int[writes.size()];
      Set<Owner> owners = HashSet.newHashSet(writes.size());
      int count = 0;
      for (int i = 0; i < order.length; i++) {
        if (!owners.add(writes.get(i).owner())) {
          throw new IllegalArgumentException("two writes of one owner in a batch");
        }
        order[i] = i;
        ordinals[i] = count;
        count += writes.get(i).events().size();
      }
      if (count >= 1 << PLACE_BITS) {
        throw new IllegalArgumentException("a batch of " + count + " events");
      }
      this.events = count;
      Arrays.sort(order, Comparator.comparing(i -> writes.get(i).owner()));
    }

    Outcome write() {
      int meetings = 0;
      while (true) {
        PostgresSession session;
        try {
          session = writers.take();
        } catch (SQLException e) {
          pauseOrGiveUp(e);
          continue;
        }
        boolean usable = true;
        @Nullable SQLException failure = null;
        try {
          Outcome outcome = settle(session);
          if (outcome == null) {
            outcome = send(session);
          }
          if (outcome != null) {
            return outcome;
          }
        } catch (SQLException e) {
          failure = e;
          usable = !PostgresErrors.endsSession(e);
        } finally {
          release(writers, session, usable);
        }
        if (failure != null) {
          if (open != null || !PostgresErrors.isTransient(failure) || ++meetings > MEETINGS) {
            pauseOrGiveUp(failure);
          }
        }
      }
    }

    /** Tells at once what is known; else seeks the outcome a while longer. */
    private void pauseOrGiveUp(SQLException e) {
      if (open == null) {
        throw closed ? NotWritten.closed() : PostgresErrors.notWritten(e);
      }
      if (closed || System.nanoTime() - giveUpAt > 0) {
        unsettled.merge(
            node,
            writes.stream().map(OwnerWrite::owner).collect(Collectors.toUnmodifiableSet()),
            (before, more) ->
                Stream.concat(before.stream(), more.stream())
                    .collect(Collectors.toUnmodifiableSet()));
        throw new InDoubt(PostgresErrors.describe(open), open);
      }
      LockSupport.parkNanos(BETWEEN_ATTEMPTS_NANOS);
    }

    /**
     * Makes sure that no statement sent earlier can take effect any more, and then looks what it
     * did.
     *
     * @return null if there was none, or it has written nothing
     */
    private @Nullable Outcome settle(PostgresSession session) throws SQLException {
      if (open == null && !unsettled.containsKey(node)) {
        return null;
      }
      settleAll(session, node);
      if (open == null) {
        return null;
      }
      Outcome outcome = read(session);
      open = null;
      return outcome;
    }

    /** Null if the statement is to be sent again. */
    private @Nullable Outcome send(PostgresSession session) throws SQLException {
      long number = writerNumbers.getOrDefault(node, 0L);
      Rows rows = new Rows(this, session.history());
      List<Integer> losers;
      try {
        losers =
            snapshots.isEmpty() && rows.allKnown
                ? sendNext(session, number, rows)
                : sendAny(session, number, rows);
      } catch (SQLException e) {
        if (PostgresErrors.leavesOpen(e)) {
          LOG.warn("the outcome of a batch is to be read: {}", PostgresErrors.describe(e));
          open = e;
        }
        // It may have been one whose newest event was not the one that was known.
        writes.forEach(write -> newest.forget(write.owner()));
        throw e;
      }
      if (losers == null) {
        return adoptWriterNumber(session, node, number) ? null : new Outcome.Fenced();
      }
      losers.sort(null);
      note(losers, session.history());
      return new Outcome.Written(losers);
    }

    /** What the owners' newest events are now. */
    private void note(List<Integer> losers, History history) {
      for (int i = 0; i < order.length; i++) {
        OwnerWrite write = writes.get(i);
        if (Collections.binarySearch(losers, i) >= 0) {
          newest.forget(write.owner());
        } else {
          newest.note(write.owner(), write.last(), write.events().getLast().deadline(), history);
        }
      }
    }

    /** The indexes of the writes that lost; null if the node may not write. */
    private @Nullable List<Integer> sendAny(PostgresSession session, long number, Rows rows)
        throws SQLException {
      PreparedStatement statement =
          session.prepare(snapshots.isEmpty() ? WRITE : WRITE_WITH_SNAPSHOTS);
      statement.setString(1, node.value());
      statement.setLong(2, number);
      statement.setArray(3, session.uuids(Arrays.asList(rows.owner)));
      statement.setArray(4, session.array("int8", rows.seq));
      statement.setArray(5, session.array("int8", rows.first));
      statement.setArray(6, session.array("int8", rows.last));
      statement.setArray(7, session.array("int8", rows.dueBefore));
      rows.setContents(session, statement, 8);
      if (!snapshots.isEmpty()) {
        setSnapshots(session, statement, 13);
      }
      List<Integer> losers = new ArrayList<>(0);
      boolean alive = true;
      try (ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          int ordinal = found.getInt(1);
          if (ordinal == NOT_ALIVE) {
            alive = false;
          } else {
            losers.add(Arrays.binarySearch(ordinals, ordinal));
          }
        }
      }
      session.refuseWarnings();
      return alive ? losers : null;
    }

    /** The same for a batch that cannot lose, unless by a duplicate key. */
    private @Nullable List<Integer> sendNext(PostgresSession session, long number, Rows rows)
        throws SQLException {
      List<Owner> owners = new ArrayList<>();
      long[] wakes = new long[rows.owner.length];
      for (int i = 0; i < rows.owner.length; i++) {
        if (rows.seq[i] == rows.last[i] && rows.due[i] < rows.dueBefore[i]) {
          wakes[owners.size()] = rows.due[i];
          owners.add(rows.owner[i]);
        }
      }
      PreparedStatement statement = session.prepare(WRITE_NEXT);
      statement.setString(1, node.value());
      statement.setLong(2, number);
      statement.setArray(3, session.uuids(owners));
      statement.setArray(4, session.array("int8", Arrays.copyOf(wakes, owners.size())));
      statement.setArray(5, session.uuids(Arrays.asList(rows.owner)));
      statement.setArray(6, session.array("int8", rows.seq));
      rows.setContents(session, statement, 7);
      int inserted = statement.executeUpdate();
      session.refuseWarnings();
      return inserted == 0 ? null : new ArrayList<>(0);
    }

    /**
     * What an earlier statement, now over, has done.
     *
     * @return null if it has written nothing
     */
    private @Nullable Outcome read(PostgresSession session) throws SQLException {
      if (writes.isEmpty()) {
        return null; // snapshots may be written twice
      }
      PreparedStatement select =
          session.prepare(
              """
              SELECT e.position, e.owner, e.seq, e.at, e.due, e.name, e.payload
              FROM unnest(?::uuid[], ?::bigint[], ?::bigint[]) AS w (owner, first, last)
              CROSS JOIN LATERAL (
                SELECT * FROM event
                WHERE event.owner = w.owner AND event.seq BETWEEN w.first AND w.last
              ) AS e\
              """);
      select.setArray(1, session.uuids(writes.stream().map(OwnerWrite::owner).toList()));
      select.setArray(
          2, session.array("int8", writes.stream().mapToLong(OwnerWrite::first).toArray()));
      select.setArray(
          3, session.array("int8", writes.stream().mapToLong(OwnerWrite::last).toArray()));
      Map<Owner, Map<Long, JournalEvent>> found = new HashMap<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          StoredEvent event = event(rows);
          found
              .computeIfAbsent(event.owner(), _ -> new HashMap<>())
              .put(event.number(), event.event());
        }
      }
      List<Integer> losers = new ArrayList<>();
      for (int i = 0; i < order.length; i++) {
        if (!isThere(writes.get(i), found.getOrDefault(writes.get(i).owner(), Map.of()))) {
          losers.add(i);
        }
      }
      LOG.info(
          "of {} writes of unknown outcome {} are in the journal",
          order.length,
          order.length - losers.size());
      return losers.size() == order.length ? null : new Outcome.Written(losers);
    }

    private static boolean isThere(OwnerWrite write, Map<Long, JournalEvent> found) {
      long number = write.first();
      for (JournalEvent event : write.events()) {
        if (!event.equals(found.get(number++))) {
          return false;
        }
      }
      return true;
    }

    private void setSnapshots(PostgresSession session, PreparedStatement statement, int from)
        throws SQLException {
      // The newest of each owner: one statement cannot replace a row twice.
      Map<Owner, SnapshotWrite> newest = new TreeMap<>();
      for (SnapshotWrite snapshot : snapshots) {
        newest.merge(snapshot.owner(), snapshot, (a, b) -> a.number() >= b.number() ? a : b);
      }
      int count = newest.size();
      long[] seq = new long[count];
      long[] at = new long[count];
      String[] name = new String[count];
      byte[][] payload = new byte[count][];
      int row = 0;
      for (SnapshotWrite snapshot : newest.values()) {
        seq[row] = snapshot.number();
        at[row] = snapshot.at();
        name[row] = snapshot.snapshot().name();
        payload[row] = snapshot.snapshot().payload();
        row++;
      }
      statement.setArray(from, session.uuids(newest.keySet()));
      statement.setArray(from + 1, session.array("int8", seq));
      statement.setArray(from + 2, session.array("int8", at));
      statement.setArray(from + 3, session.array("text", name));
      statement.setArray(from + 4, session.array("bytea", payload));
    }
  }

  /** A batch as the columns of its events, in the order of their owners. */
  private final class Rows {

    final Owner[] owner;
    final long[] seq;
    final long[] first;
    final long[] last;

    /** The deadline of the owner's newest event before the write, {@link NewestEvents#UNKNOWN}. */
    final long[] dueBefore;

    final int[] ordinal;
    final long[] at;
    final long[] due;
    final String[] name;
    final byte[][] payload;

    /** Whether every write is known to begin right after its owner's newest event. */
    final boolean allKnown;

    Rows(Batch batch, History history) {
      int events = batch.events;
      owner = new Owner[events];
      seq = new long[events];
      first = new long[events];
      last = new long[events];
      dueBefore = new long[events];
      ordinal = new int[events];
      at = new long[events];
      due = new long[events];
      name = new String[events];
      payload = new byte[events][];
      boolean known = events > 0;
      int row = 0;
      for (int index : batch.order) {
        OwnerWrite write = batch.writes.get(index);
        long before = newest.deadlineBefore(write, history);
        known &= before != NewestEvents.UNKNOWN;
        for (int i = 0; i < write.events().size(); i++) {
          JournalEvent event = write.events().get(i);
          owner[row] = write.owner();
          seq[row] = write.first() + i;
          first[row] = write.first();
          last[row] = write.last();
          dueBefore[row] = before;
          ordinal[row] = batch.ordinals[index] + i;
          at[row] = event.at();
          due[row] = event.deadline();
          name[row] = event.name();
          payload[row] = event.payload();
          row++;
        }
      }
      allKnown = known;
    }

    /** The columns that both statements have one after another, as parameters {@code from} on. */
    void setContents(PostgresSession session, PreparedStatement statement, int from)
        throws SQLException {
      statement.setArray(from, session.array("int4", ordinal));
      statement.setArray(from + 1, session.array("int8", at));
      statement.setArray(from + 2, session.array("int8", due));
      statement.setArray(from + 3, session.array("text", name));
      statement.setArray(from + 4, session.array("bytea", payload));
    }
  }

  /** Raises the writer number; what was of unknown outcome before is not any more then. */
  private void settleAll(PostgresSession session, NodeId node) throws SQLException {
    @Nullable Set<Owner> before = unsettled.get(node);
    raiseWriterNumber(session, node);
    if (before != null) {
      unsettled.remove(node, before); // unless there is more by now
    }
  }

  /** Makes sure that no earlier statement of {@code node} can still take effect. */
  private void raiseWriterNumber(PostgresSession session, NodeId node) throws SQLException {
    PreparedStatement raise =
        session.prepare("UPDATE node SET writer = writer + 1 WHERE id = ? RETURNING writer");
    raise.setString(1, node.value());
    try (ResultSet row = raise.executeQuery()) {
      if (row.next()) {
        writerNumbers.put(node, row.getLong(1));
      }
    }
    session.refuseWarnings();
  }

  /** Whether {@code node} may write after all, under another number than {@code number}. */
  private boolean adoptWriterNumber(PostgresSession session, NodeId node, long number)
      throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT writer FROM node WHERE id = ? AND fenced_at IS NULL");
    select.setString(1, node.value());
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        return false;
      }
      // Also a lower one, of a database that was put back; an outdated one is found out again.
      writerNumbers.put(node, row.getLong(1));
      return row.getLong(1) != number;
    }
  }

  @Override
  public int delete(NodeId node, Owner owner, long upTo) {
    return housekeeping.delete(node, owner, upTo);
  }

  @Override
  public Trimmed trim(
      NodeId node, OwnerRange range, @Nullable Owner after, KeepRule keep, int work) {
    return housekeeping.trim(node, range, after, keep, work);
  }

  @Override
  public Set<Owner> purge(NodeId node, Map<Owner, Long> newest, long later) {
    newest.keySet().forEach(this.newest::forget);
    return housekeeping.purge(node, newest, later);
  }

  @Override
  public boolean erase(NodeId node, Owner owner, long number, long newest, long deadline) {
    this.newest.forget(owner);
    return housekeeping.erase(node, owner, number, newest, deadline);
  }

  /** Moves agenda rows on; see {@code postpone} in the schema. */
  private void postpone(List<Owner> owners) {
    change(session -> {
      PreparedStatement postpone = session.prepare("SELECT postpone(?::uuid[])");
      postpone.setArray(1, session.uuids(owners));
      return postpone.execute();
    });
  }

  @Override
  public void probe(int bytes) {
    for (NodeId node : List.copyOf(unsettled.keySet())) {
      change(session -> {
        settleAll(session, node);
        return node;
      });
    }
    change(session -> {
      PreparedStatement insert =
          session.prepare("INSERT INTO probe (filler) VALUES (?) RETURNING id");
      insert.setBytes(1, new byte[bytes]);
      try (ResultSet row = insert.executeQuery()) {
        row.next();
        PreparedStatement delete = session.prepare("DELETE FROM probe WHERE id <= ?");
        delete.setLong(1, row.getLong(1));
        return delete.executeUpdate();
      }
    });
  }

  @Override
  public FeedReaders feedReaders() {
    return feedReaders;
  }

  @Override
  public @Nullable String ownerSecret() {
    return read(session -> Optional.ofNullable(ownerSecret(session))).orElse(null);
  }

  private static @Nullable String ownerSecret(PostgresSession session) throws SQLException {
    try (ResultSet row = session.prepare("SELECT sealed FROM owner_secret").executeQuery()) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public boolean replaceOwnerSecret(String expected, String sealed) {
    return change(session -> {
      PreparedStatement update =
          session.prepare("UPDATE owner_secret SET sealed = ? WHERE sealed = ?");
      update.setString(1, sealed);
      update.setString(2, expected);
      return update.executeUpdate() == 1;
    });
  }

  @Override
  public NodeRegistry nodes() {
    return nodes;
  }

  // ---- reading

  @Override
  public List<Recovered> recover(List<Owner> owners, int maxEvents) {
    List<Owner> distinct = owners.stream().distinct().toList();
    for (Set<Owner> open : unsettled.values()) {
      if (distinct.stream().anyMatch(open::contains)) {
        throw new StoreUnreadable("what was written last is not known yet", null);
      }
    }
    // They come from elsewhere, where others may have written for them.
    distinct.forEach(newest::forget);
    List<Log> logs = new ArrayList<>(distinct.size());
    read(session -> {
      logs.clear();
      distinct.forEach(owner -> logs.add(new Log(owner)));
      return rowsOf(session, distinct, maxEvents, row -> logs.get(row.getInt(2) - 1).add(row));
    });
    Map<Owner, Recovered> recovered = HashMap.newHashMap(logs.size());
    for (Log log : logs) {
      recovered.put(log.owner, log.recovered(maxEvents));
    }
    return owners.stream().map(owner -> Objects.requireNonNull(recovered.get(owner))).toList();
  }

  private interface RowReader {
    void read(ResultSet row) throws SQLException;
  }

  /** Runs {@link #RECOVER}; returns the number of rows. */
  private static int rowsOf(
      PostgresSession session, List<Owner> owners, int maxEvents, RowReader reader)
      throws SQLException {
    PreparedStatement select = session.prepare(RECOVER);
    select.setArray(1, session.uuids(owners));
    select.setInt(2, maxEvents);
    try (ResultSet rows = select.executeQuery()) {
      int count = 0;
      while (rows.next()) {
        count++;
        reader.read(rows);
      }
      return count;
    }
  }

  /** What was read of one owner. */
  private final class Log {
    private final Owner owner;
    private @Nullable SnapshotWrite snapshot;
    private List<StoredEvent> events = List.of();

    Log(Owner owner) {
      this.owner = owner;
    }

    /** Takes a row of {@link #RECOVER}. */
    void add(ResultSet row) throws SQLException {
      row.getLong(1);
      if (row.wasNull()) {
        snapshot =
            new SnapshotWrite(
                owner,
                row.getLong(3),
                row.getLong(4),
                new JournalSnapshot(row.getString(6), row.getBytes(7)));
        return;
      }
      if (events.isEmpty()) {
        events = new ArrayList<>();
      }
      events.add(event(row, owner));
    }

    Recovered recovered(int maxEvents) {
      // The newest event always stays, so a log without events after its snapshot ends with it.
      long highest =
          events.isEmpty()
              ? (snapshot == null ? 0 : snapshot.number())
              : events.size() < maxEvents ? events.getLast().number() : highest(owner);
      return new Recovered(owner, snapshot, events, highest);
    }
  }

  @Override
  public long highest(Owner owner) {
    return read(session -> {
      PreparedStatement select =
          session.prepare("SELECT seq FROM event WHERE owner = ?::uuid ORDER BY seq DESC LIMIT 1");
      select.setString(1, uuid(owner));
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : 0L;
      }
    });
  }

  @Override
  public long read(Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    long handedOver = 0;
    long next = from;
    int wanted;
    List<StoredEvent> page;
    do {
      long begin = next;
      wanted = (int) Math.min(max - handedOver, ROWS_AT_ONCE);
      int limit = wanted;
      page =
          read(session -> {
            PreparedStatement select =
                session.prepare(
                    "SELECT "
                        + EVENT_COLUMNS
                        + " FROM event WHERE owner = ?::uuid AND seq BETWEEN ? AND ?"
                        + " ORDER BY seq LIMIT ?");
            select.setString(1, uuid(owner));
            select.setLong(2, begin);
            select.setLong(3, to);
            select.setInt(4, limit);
            return events(select);
          });
      page.forEach(consumer);
      handedOver += page.size();
      if (!page.isEmpty()) {
        next = page.getLast().number() + 1;
      }
    } while (wanted > 0 && page.size() == wanted);
    return handedOver;
  }

  @Override
  public int feed(long position, int max, Consumer<StoredEvent> consumer) {
    int handedOver = 0;
    long after = position;
    int wanted;
    List<StoredEvent> page;
    do {
      long begin = after;
      wanted = Math.min(max - handedOver, ROWS_AT_ONCE);
      int limit = wanted;
      page =
          read(session -> {
            // Up to the oldest transaction that is still on its way: what that one will commit has
            // higher positions than all that is handed out.
            PreparedStatement select =
                session.prepare(
                    "SELECT "
                        + EVENT_COLUMNS
                        + " FROM event WHERE position > ? AND position < "
                        + PostgresReaders.HORIZON
                        + " ORDER BY position LIMIT ?");
            select.setLong(1, begin);
            select.setInt(2, limit);
            return events(select);
          });
      page.forEach(consumer);
      handedOver += page.size();
      if (!page.isEmpty()) {
        after = page.getLast().position();
      }
    } while (wanted > 0 && page.size() == wanted);
    return handedOver;
  }

  @Override
  public List<DueOwner> due(
      List<OwnerRange> ranges, long now, int limit, @Nullable DueOwner after) {
    List<Owner> first = ranges.stream().map(OwnerRange::first).toList();
    List<Owner> last = ranges.stream().map(OwnerRange::last).toList();
    return AgendaSweep.due(
        (from, max) ->
            read(session -> {
              AgendaRows rows = new AgendaRows(session, first, last, now, from);
              return AgendaSweep.page(rows, now, max, from);
            }),
        this::postpone,
        limit,
        after);
  }

  /** Rows of the agenda within some ranges, read some at a time. */
  private static final class AgendaRows implements AgendaSweep.Rows {

    private final PostgresSession session;
    private final List<Owner> first;
    private final List<Owner> last;
    private final long now;
    private final ArrayDeque<AgendaSweep.Row> page = new ArrayDeque<>();
    private long afterWake;
    private String afterOwner;
    private boolean more = true;

    AgendaRows(
        PostgresSession session,
        List<Owner> first,
        List<Owner> last,
        long now,
        @Nullable DueOwner after) {
      this.session = session;
      this.first = first;
      this.last = last;
      this.now = now;
      this.afterWake = after == null ? Long.MIN_VALUE : after.deadline();
      this.afterOwner = uuid(after == null ? Owner.FIRST : after.owner());
    }

    @Override
    public AgendaSweep.@Nullable Row next() throws SQLException {
      if (page.isEmpty() && more) {
        read();
      }
      return page.poll();
    }

    private void read() throws SQLException {
      PreparedStatement select =
          session.prepare(
              """
              SELECT a.wake, a.owner, coalesce(
                (SELECT due FROM event WHERE event.owner = a.owner ORDER BY seq DESC LIMIT 1),
                9223372036854775807)
              FROM agenda a
              WHERE a.wake <= ? AND (a.wake, a.owner) > (?, ?::uuid) AND EXISTS (
                SELECT FROM unnest(?::uuid[], ?::uuid[]) AS r (first, last)
                WHERE a.owner BETWEEN r.first AND r.last)
              ORDER BY a.wake, a.owner LIMIT ?\
              """);
      select.setLong(1, now);
      select.setLong(2, afterWake);
      select.setString(3, afterOwner);
      select.setArray(4, session.uuids(first));
      select.setArray(5, session.uuids(last));
      select.setInt(6, ROWS_AT_ONCE);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          page.add(new AgendaSweep.Row(owner(rows, 2), rows.getLong(1), rows.getLong(3)));
        }
      }
      more = page.size() == ROWS_AT_ONCE;
      if (!page.isEmpty()) {
        afterWake = page.getLast().wake();
        afterOwner = uuid(page.getLast().owner());
      }
    }
  }

  @Override
  public void scan(OwnerRange range, Scan scan) {
    scanning(session -> {
      session.beginSnapshot();
      FeedReaders.State feed = PostgresReaders.state(session);
      scan.journal(feed.identity(), feed.forgotten(), ownerSecret(session));
      PreparedStatement snapshots =
          session.prepare(
              "SELECT owner, seq, at, name, payload FROM snapshot"
                  + " WHERE owner BETWEEN ?::uuid AND ?::uuid ORDER BY owner");
      PreparedStatement events =
          session.prepare(
              "SELECT "
                  + EVENT_COLUMNS
                  + " FROM event WHERE owner BETWEEN ?::uuid AND ?::uuid ORDER BY owner, seq");
      for (PreparedStatement select : List.of(snapshots, events)) {
        select.setString(1, uuid(range.first()));
        select.setString(2, uuid(range.last()));
        select.setFetchSize(ROWS_AT_ONCE);
      }
      try (ResultSet snapshotRows = snapshots.executeQuery();
          ResultSet eventRows = events.executeQuery()) {
        return OwnerScan.run(
            () -> snapshotRows.next() ? snapshot(snapshotRows) : null,
            () -> eventRows.next() ? event(eventRows) : null,
            scan);
      }
    });
  }

  @Override
  public void load(Consumer<Scan> rows) throws JournalUnusable {
    try (PostgresSession session = PostgresSession.open(options, Use.MIGRATING)) {
      PostgresLoad.run(session, options.place(), rows);
    } catch (SQLException e) {
      throw PostgresErrors.failure(e);
    }
  }

  @Override
  public List<String> damages() {
    return scanning(session -> {
      List<String> damages = new ArrayList<>();
      try (ResultSet row =
          session
              .prepare(
                  """
                  SELECT count(*) FILTER (WHERE a.wake > newest.due),
                    count(*) FILTER (WHERE a.owner IS NULL)
                  FROM (
                    SELECT DISTINCT ON (owner) owner, due FROM event ORDER BY owner, seq DESC
                  ) AS newest LEFT JOIN agenda a USING (owner)
                  WHERE newest.due IS NOT NULL\
                  """)
              .executeQuery()) {
        row.next();
        if (row.getLong(1) > 0) {
          damages.add(row.getLong(1) + " owners are on the agenda later than their deadline");
        }
        if (row.getLong(2) > 0) {
          damages.add(row.getLong(2) + " owners with a deadline are not on the agenda");
        }
      }
      return damages;
    });
  }

  // ---- connections

  /** What is done on a connection. */
  @FunctionalInterface
  interface Work<T> {
    T run(PostgresSession session) throws SQLException;
  }

  /** Does what may take long, on a connection of its own. */
  <T> T changeSlowly(Work<T> work) {
    try (PostgresSession session = PostgresSession.open(options, Use.ERASING)) {
      T result = work.run(session);
      session.refuseWarnings();
      return result;
    } catch (SQLException e) {
      throw PostgresErrors.failure(e);
    }
  }

  /**
   * Runs statements that write a little, each of which commits by itself. One that met another is
   * run again.
   */
  <T> T change(Work<T> work) {
    for (int meetings = 0; ; meetings++) {
      PostgresSession session;
      try {
        session = others.take();
      } catch (SQLException e) {
        throw closed
            ? NotWritten.closed()
            : new NotWritten(Reason.UNAVAILABLE, PostgresErrors.describe(e), e);
      }
      boolean usable = true;
      try {
        T result = work.run(session);
        session.refuseWarnings();
        return result;
      } catch (SQLException e) {
        usable = !PostgresErrors.endsSession(e);
        if (!PostgresErrors.isTransient(e) || meetings >= MEETINGS) {
          throw PostgresErrors.failure(e);
        }
      } finally {
        release(others, session, usable);
      }
    }
  }

  /** Runs a query; once more where a connection that had been idle turned out to be dead. */
  <T> T read(Work<T> work) {
    for (boolean again = true; ; again = false) {
      PostgresSession session;
      try {
        session = readers.take();
      } catch (SQLException e) {
        throw unreadable(e);
      }
      boolean usable = false;
      try {
        T result = work.run(session);
        usable = true;
        return result;
      } catch (SQLException e) {
        usable = !PostgresErrors.endsSession(e);
        if (usable || !again) {
          throw unreadable(e);
        }
      } finally {
        release(readers, session, usable);
      }
    }
  }

  /** Runs a query over much of the journal, on a connection of its own. */
  private <T> T scanning(Work<T> work) {
    try (PostgresSession session = PostgresSession.open(options, Use.SCANNING)) {
      return work.run(session);
    } catch (SQLException e) {
      throw unreadable(e);
    }
  }

  private static StoreUnreadable unreadable(SQLException e) {
    return new StoreUnreadable(PostgresErrors.describe(e), e);
  }

  @Override
  public void close() {
    closed = true;
    writers.close();
    readers.close();
    others.close();
  }

  // ---- values

  static String uuid(Owner owner) {
    return new UUID(owner.high(), owner.low()).toString();
  }

  static Owner owner(ResultSet row, int column) throws SQLException {
    UUID uuid = row.getObject(column, UUID.class);
    return new Owner(uuid.getMostSignificantBits(), uuid.getLeastSignificantBits());
  }

  private static List<StoredEvent> events(PreparedStatement select) throws SQLException {
    List<StoredEvent> events = new ArrayList<>();
    try (ResultSet rows = select.executeQuery()) {
      while (rows.next()) {
        events.add(event(rows));
      }
    }
    return events;
  }

  /** A row of {@link #EVENT_COLUMNS}. */
  private static StoredEvent event(ResultSet row) throws SQLException {
    return event(row, owner(row, 2));
  }

  /** The same, where the owner is known otherwise. */
  private static StoredEvent event(ResultSet row, Owner owner) throws SQLException {
    long deadline = row.getLong(5);
    if (row.wasNull()) {
      deadline = JournalEvent.NO_DEADLINE;
    }
    return new StoredEvent(
        row.getLong(1),
        owner,
        row.getLong(3),
        new JournalEvent(row.getString(6), row.getBytes(7), row.getLong(4), deadline));
  }

  private static SnapshotWrite snapshot(ResultSet row) throws SQLException {
    return new SnapshotWrite(
        owner(row, 1),
        row.getLong(2),
        row.getLong(3),
        new JournalSnapshot(row.getString(4), row.getBytes(5)));
  }
}
