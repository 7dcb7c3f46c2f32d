package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import dev.holdfast.journal.NotWritten.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded journal: one SQLite file in a folder that this process holds alone, or shares with
 * other processes of this machine.
 *
 * <p>Write-ahead log with {@code synchronous = FULL}: a commit returns when its frames are synced,
 * so what was acknowledged outlives SIGKILL and power loss. One connection writes, when it is its
 * {@link WriteTurn turn}; the others read, and neither waits for the other.
 *
 * <p>A transaction that fails is rolled back whole; {@link SqliteErrors} says what is then known.
 * The writing connection is given up after each failure and opened anew for the next transaction.
 */
public final class SqliteStore implements JournalStore {

  private static final Logger LOG = LoggerFactory.getLogger(SqliteStore.class);

  /** A wake time that never comes. */
  private static final long NEVER = Long.MAX_VALUE;

  static final int PAGE_SIZE = 4_096;

  /** What a small transaction takes in the log. */
  private static final int FEW_PAGES = 4;

  private static final String UNFENCED = "SELECT 1 FROM node WHERE id = ? AND fenced_at IS NULL";

  /** Takes the first event of a write only if it is the owner's next. */
  private static final String INSERT_NEXT =
      """
      INSERT INTO event (owner, seq, at, due, name, payload) SELECT ?1, ?2, ?3, ?4, ?5, ?6
      WHERE ?2 = 1 + coalesce((SELECT max(seq) FROM event WHERE owner = ?1), 0)\
      """;

  private static final String INSERT =
      "INSERT INTO event (owner, seq, at, due, name, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

  private static final String WAKE_BY =
      """
      INSERT INTO agenda (owner, wake) VALUES (?1, ?2)
      ON CONFLICT (owner) DO UPDATE SET wake = excluded.wake WHERE excluded.wake < wake\
      """;

  /**
   * Newer than the stored one, not ahead of the owner's log, and not from before its beginning: it
   * may have waited while the owner was erased.
   */
  private static final String UPSERT_SNAPSHOT =
      """
      INSERT INTO snapshot (owner, seq, at, name, payload) SELECT ?1, ?2, ?3, ?4, ?5
      WHERE ?2 <= (SELECT max(seq) FROM event WHERE owner = ?1)
      AND ?2 >= (SELECT min(seq) FROM event WHERE owner = ?1)
      ON CONFLICT (owner) DO UPDATE
      SET seq = excluded.seq, at = excluded.at, name = excluded.name, payload = excluded.payload
      WHERE excluded.seq > seq\
      """;

  /** The newest event of each owner who has a deadline. */
  static final String NEWEST_WITH_DEADLINE =
      " FROM event WHERE due IS NOT NULL"
          + " AND seq = (SELECT max(seq) FROM event AS other WHERE other.owner = event.owner)";

  private static final String EVENT_COLUMNS = "position, owner, seq, at, due, name, payload";

  private static final String DUE_OF_NEWEST =
      "(SELECT due FROM event WHERE owner = agenda.owner ORDER BY seq DESC LIMIT 1)";

  private final DataDirectory directory;
  private final Path file;
  private final SqliteOptions options;
  private final boolean readOnly;
  private final BlockingQueue<SqliteSession> readers;
  private final SqliteNodes nodes = new SqliteNodes(this);
  private final SqliteReaders feedReaders = new SqliteReaders(this);
  private final SqliteHousekeeping housekeeping = new SqliteHousekeeping(this);
  private final WriteTurn turn;

  /** Null until the first transaction, and after each that failed. Only for whose turn it is. */
  private @Nullable SqliteSession writer;

  /** Only for whose turn it is. */
  private long maxBytes;

  private volatile boolean closed;

  private final SqliteCheckpointer checkpointer;

  /** A transaction's statements between BEGIN and COMMIT. */
  @FunctionalInterface
  interface Transaction<T> {
    T run(SqliteSession session) throws SQLException;
  }

  private SqliteStore(
      DataDirectory directory, Path file, SqliteOptions options, int moveAt, boolean readOnly) {
    this.directory = directory;
    this.file = file;
    this.options = options;
    this.readOnly = readOnly;
    this.maxBytes = options.maxBytes();
    this.turn =
        directory.isShared()
            ? WriteTurn.amongProcesses(directory.path())
            : WriteTurn.amongThreads();
    this.checkpointer =
        new SqliteCheckpointer(file, turn, moveAt, directory.isShared() ? moveAt / 8 : moveAt);
    this.readers = new ArrayBlockingQueue<>(options.readers());
  }

  /**
   * Opens the journal in {@code folder}, and makes both if they are missing.
   *
   * @throws JournalUnusable if the folder is in use, or what it holds is not a journal that this
   *     program can read; nothing is changed then
   */
  public static SqliteStore open(Path folder, SqliteOptions options) throws JournalUnusable {
    return open(folder, options, SqliteCheckpointer.MOVE_AT);
  }

  /** The same, with a log that is moved at a length other than the usual. */
  static SqliteStore open(Path folder, SqliteOptions options, int moveAt) throws JournalUnusable {
    DataDirectory directory =
        options.shared() ? DataDirectory.share(folder) : DataDirectory.hold(folder);
    return open(directory, options, moveAt, false);
  }

  /**
   * Opens an existing journal to look at it. The journal is left as it is; writes fail.
   *
   * @throws JournalUnusable if there is none, a node runs on it, or it cannot be read
   */
  public static SqliteStore openToRead(Path folder) throws JournalUnusable {
    Path file = folder.resolve(DataDirectory.JOURNAL_FILE);
    if (Files.notExists(file)) {
      throw new JournalUnusable(Problem.MISSING, "there is no journal " + file);
    }
    return open(
        DataDirectory.hold(folder), SqliteOptions.defaults(), SqliteCheckpointer.MOVE_AT, true);
  }

  private static SqliteStore open(
      DataDirectory directory, SqliteOptions options, int moveAt, boolean readOnly)
      throws JournalUnusable {
    boolean done = false;
    try {
      Path file = directory.journal();
      SqliteSchema schema = SqliteSchema.current();
      if (!directory.isFirst()) {
        schema.join(file);
      } else if (readOnly || Files.exists(file)) {
        schema.check(file);
      }
      if (!readOnly) {
        SqliteLibrary.unpackInto(directory.path());
      }
      if (!readOnly && directory.isFirst()) {
        schema.prepare(file);
      }
      SqliteStore store = new SqliteStore(directory, file, options, moveAt, readOnly);
      store.connect();
      store.checkpointer.start();
      done = true;
      return store;
    } catch (IOException e) {
      throw DataDirectory.inaccessible(directory.path(), e);
    } finally {
      if (!done) {
        directory.close();
      }
    }
  }

  private void connect() throws JournalUnusable, IOException {
    boolean done = false;
    try {
      if (!readOnly) {
        writer();
      }
      for (int i = 0; i < options.readers(); i++) {
        SqliteSession reader = SqliteSession.reading(file);
        readers.add(reader);
        // Reads the schema, and so finds a file that only looks like a journal.
        reader.number(
            "SELECT coalesce(max(position), 0) + (SELECT number FROM incarnation) FROM event");
      }
      directory.opened();
      done = true;
    } catch (SQLException e) {
      Problem problem =
          SqliteErrors.beforeCommit(e).reason() == Reason.CORRUPT
              ? Problem.CORRUPT
              : Problem.INACCESSIBLE;
      throw new JournalUnusable(
          problem, "the journal " + file + " cannot be opened: " + e.getMessage(), e);
    } finally {
      if (!done) {
        disconnect();
      }
    }
  }

  /** There is one writer at a time. */
  @Override
  public int batchesAtOnce() {
    return 1;
  }

  @Override
  public Outcome write(NodeId node, List<OwnerWrite> writes, List<SnapshotWrite> snapshots) {
    if (writes.stream().map(OwnerWrite::owner).distinct().count() < writes.size()) {
      throw new IllegalArgumentException("two writes of one owner in a batch");
    }
    return transact(
        pagesOf(writes, snapshots),
        session -> {
          if (!isUnfenced(session, node)) {
            return new Outcome.Fenced();
          }
          List<Integer> conflicts = new ArrayList<>();
          for (int i = 0; i < writes.size(); i++) {
            if (!insert(session, writes.get(i))) {
              conflicts.add(i);
            }
          }
          for (SnapshotWrite snapshot : snapshots) {
            insert(session, snapshot);
          }
          return new Outcome.Written(conflicts);
        });
  }

  /**
   * About how many pages of the log a batch takes: a leaf of the index for each event, and the
   * rows.
   */
  private static long pagesOf(List<OwnerWrite> writes, List<SnapshotWrite> snapshots) {
    long pages = FEW_PAGES;
    long bytes = 0;
    for (OwnerWrite write : writes) {
      pages += write.events().size();
      bytes += write.payloadBytes();
    }
    for (SnapshotWrite snapshot : snapshots) {
      pages++;
      bytes += snapshot.snapshot().payload().length;
    }
    return pages + bytes / PAGE_SIZE;
  }

  private static boolean insert(SqliteSession session, OwnerWrite write) throws SQLException {
    byte[] owner = write.owner().bytes();
    long number = write.first();
    for (JournalEvent event : write.events()) {
      PreparedStatement insert = session.prepare(number == write.first() ? INSERT_NEXT : INSERT);
      insert.setBytes(1, owner);
      insert.setLong(2, number);
      insert.setLong(3, event.at());
      setDeadline(insert, 4, event.deadline());
      insert.setString(5, event.name());
      insert.setBytes(6, event.payload());
      if (insert.executeUpdate() == 0) {
        return false;
      }
      number++;
    }
    wakeBy(session, write.owner(), write.events().getLast().deadline());
    return true;
  }

  static void setDeadline(PreparedStatement statement, int index, long deadline)
      throws SQLException {
    if (deadline == JournalEvent.NO_DEADLINE) {
      statement.setNull(index, Types.INTEGER);
    } else {
      statement.setLong(index, deadline);
    }
  }

  /** Sees to it that the agenda looks at the owner by {@code deadline}. */
  static void wakeBy(SqliteSession session, Owner owner, long deadline) throws SQLException {
    if (deadline != JournalEvent.NO_DEADLINE) {
      PreparedStatement wake = session.prepare(WAKE_BY);
      wake.setBytes(1, owner.bytes());
      wake.setLong(2, deadline);
      wake.executeUpdate();
    }
  }

  private static void insert(SqliteSession session, SnapshotWrite write) throws SQLException {
    PreparedStatement upsert = session.prepare(UPSERT_SNAPSHOT);
    upsert.setBytes(1, write.owner().bytes());
    upsert.setLong(2, write.number());
    upsert.setLong(3, write.at());
    upsert.setString(4, write.snapshot().name());
    upsert.setBytes(5, write.snapshot().payload());
    upsert.executeUpdate();
  }

  static boolean isUnfenced(SqliteSession session, NodeId node) throws SQLException {
    PreparedStatement select = session.prepare(UNFENCED);
    select.setString(1, node.value());
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  @Override
  public List<Recovered> recover(List<Owner> owners, int maxEvents) {
    return read(session -> {
      List<Recovered> recovered = new ArrayList<>(owners.size());
      for (Owner owner : owners) {
        recovered.add(recover(session, owner, maxEvents));
      }
      return recovered;
    });
  }

  private static Recovered recover(SqliteSession session, Owner owner, int maxEvents)
      throws SQLException {
    byte[] key = owner.bytes();
    SnapshotWrite snapshot = null;
    PreparedStatement select =
        session.prepare("SELECT owner, seq, at, name, payload FROM snapshot WHERE owner = ?");
    select.setBytes(1, key);
    try (ResultSet row = select.executeQuery()) {
      if (row.next()) {
        snapshot = snapshot(row);
      }
    }
    List<StoredEvent> events = new ArrayList<>();
    long from = snapshot == null ? 1 : snapshot.number() + 1;
    int count = read(session, owner, from, Long.MAX_VALUE, maxEvents, events::add);
    long highest =
        count == 0 || count == maxEvents ? highest(session, key) : events.getLast().number();
    return new Recovered(owner, snapshot, events, highest);
  }

  static long highest(SqliteSession session, byte[] owner) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT coalesce(max(seq), 0) FROM event WHERE owner = ?");
    select.setBytes(1, owner);
    try (ResultSet row = select.executeQuery()) {
      row.next();
      return row.getLong(1);
    }
  }

  private static int read(
      SqliteSession session,
      Owner owner,
      long from,
      long to,
      long max,
      Consumer<StoredEvent> consumer)
      throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT "
                + EVENT_COLUMNS
                + " FROM event WHERE owner = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?");
    select.setBytes(1, owner.bytes());
    select.setLong(2, from);
    select.setLong(3, to);
    select.setLong(4, max);
    return handOver(select, consumer);
  }

  /** Hands over what the query finds, row by row. */
  private static int handOver(PreparedStatement select, Consumer<StoredEvent> consumer)
      throws SQLException {
    int count = 0;
    try (ResultSet rows = select.executeQuery()) {
      while (rows.next()) {
        consumer.accept(event(rows));
        count++;
      }
    }
    return count;
  }

  private static StoredEvent event(ResultSet row) throws SQLException {
    long deadline = row.getLong(5);
    if (row.wasNull()) {
      deadline = JournalEvent.NO_DEADLINE;
    }
    return new StoredEvent(
        row.getLong(1),
        Owner.of(row.getBytes(2)),
        row.getLong(3),
        new JournalEvent(row.getString(6), row.getBytes(7), row.getLong(4), deadline));
  }

  private static SnapshotWrite snapshot(ResultSet row) throws SQLException {
    return new SnapshotWrite(
        Owner.of(row.getBytes(1)),
        row.getLong(2),
        row.getLong(3),
        new JournalSnapshot(row.getString(4), row.getBytes(5)));
  }

  @Override
  public long highest(Owner owner) {
    return read(session -> highest(session, owner.bytes()));
  }

  @Override
  public long read(Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    return read(session -> read(session, owner, from, to, max, consumer)).longValue();
  }

  @Override
  public int feed(long position, int max, Consumer<StoredEvent> consumer) {
    return read(session -> {
      PreparedStatement select =
          session.prepare(
              "SELECT "
                  + EVENT_COLUMNS
                  + " FROM event WHERE position > ? ORDER BY position LIMIT ?");
      select.setLong(1, position);
      select.setLong(2, max);
      return handOver(select, consumer);
    });
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
    return housekeeping.purge(node, newest, later);
  }

  @Override
  public boolean erase(NodeId node, Owner owner, long number, long newest, long deadline) {
    return housekeeping.erase(node, owner, number, newest, deadline);
  }

  @Override
  public List<DueOwner> due(
      List<OwnerRange> ranges, long now, int limit, @Nullable DueOwner after) {
    NavigableMap<Owner, OwnerRange> byFirst = new TreeMap<>();
    for (OwnerRange range : ranges) {
      byFirst.put(range.first(), range);
    }
    return AgendaSweep.due(
        (from, max) -> read(session -> agenda(session, byFirst, now, max, from)),
        this::postpone,
        limit,
        after);
  }

  private static AgendaSweep.Page agenda(
      SqliteSession session,
      NavigableMap<Owner, OwnerRange> ranges,
      long now,
      int limit,
      @Nullable DueOwner after)
      throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT wake, owner FROM agenda WHERE wake <= ? AND (wake, owner) > (?, ?)"
                + " ORDER BY wake, owner");
    select.setLong(1, now);
    select.setLong(2, after == null ? Long.MIN_VALUE : after.deadline());
    select.setBytes(3, after == null ? new byte[0] : after.owner().bytes());
    try (ResultSet rows = select.executeQuery()) {
      return AgendaSweep.page(() -> nextOnAgenda(session, rows, ranges), now, limit, after);
    }
  }

  private static AgendaSweep.@Nullable Row nextOnAgenda(
      SqliteSession session, ResultSet rows, NavigableMap<Owner, OwnerRange> ranges)
      throws SQLException {
    while (rows.next()) {
      Owner owner = Owner.of(rows.getBytes(2));
      Map.@Nullable Entry<Owner, OwnerRange> range = ranges.floorEntry(owner);
      if (range != null && range.getValue().contains(owner)) {
        return new AgendaSweep.Row(owner, rows.getLong(1), deadline(session, owner));
      }
    }
    return null;
  }

  /** The deadline of the owner's newest event. */
  private static long deadline(SqliteSession session, Owner owner) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT due FROM event WHERE owner = ? ORDER BY seq DESC LIMIT 1");
    select.setBytes(1, owner.bytes());
    try (ResultSet row = select.executeQuery()) {
      long due = row.next() ? row.getLong(1) : NEVER;
      return row.wasNull() ? NEVER : due;
    }
  }

  /** Looks up the deadlines again: a write may have moved them since they were read. */
  private void postpone(List<Owner> owners) {
    transact(session -> {
      PreparedStatement update =
          session.prepare(
              "UPDATE agenda SET wake = coalesce(" + DUE_OF_NEWEST + ", ?1) WHERE owner = ?2");
      for (Owner owner : owners) {
        update.setLong(1, NEVER);
        update.setBytes(2, owner.bytes());
        update.executeUpdate();
      }
      return owners.size();
    });
  }

  @Override
  public void probe(int bytes) {
    transact(session -> {
      PreparedStatement insert = session.prepare("INSERT INTO probe (filler) VALUES (zeroblob(?))");
      insert.setInt(1, bytes);
      return insert.executeUpdate();
    });
    transact(session -> session.prepare("DELETE FROM probe").executeUpdate());
  }

  @Override
  public FeedReaders feedReaders() {
    return feedReaders;
  }

  @Override
  public @Nullable String ownerSecret() {
    return read(session -> Optional.ofNullable(ownerSecret(session))).orElse(null);
  }

  private static @Nullable String ownerSecret(SqliteSession session) throws SQLException {
    try (ResultSet row = session.prepare("SELECT owner_secret FROM feed").executeQuery()) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public boolean replaceOwnerSecret(String expected, String sealed) {
    return transact(session -> {
      PreparedStatement update =
          session.prepare("UPDATE feed SET owner_secret = ? WHERE owner_secret = ?");
      update.setString(1, sealed);
      update.setString(2, expected);
      return update.executeUpdate() == 1;
    });
  }

  @Override
  public NodeRegistry nodes() {
    return nodes;
  }

  /** One file in one folder that is locked, alone or shared: nobody can exchange it. */
  @Override
  public long historyNumber() {
    return 0;
  }

  @Override
  public void scan(OwnerRange range, Scan scan) {
    read(session -> {
      PreparedStatement snapshots =
          session.prepare(
              "SELECT owner, seq, at, name, payload FROM snapshot"
                  + " WHERE owner BETWEEN ? AND ? ORDER BY owner");
      PreparedStatement events =
          session.prepare(
              "SELECT "
                  + EVENT_COLUMNS
                  + " FROM event WHERE owner BETWEEN ? AND ? ORDER BY owner, seq");
      FeedReaders.State feed = SqliteReaders.state(session);
      scan.journal(feed.identity(), feed.forgotten(), ownerSecret(session));
      for (PreparedStatement select : List.of(snapshots, events)) {
        select.setBytes(1, range.first().bytes());
        select.setBytes(2, range.last().bytes());
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
    boolean empty =
        transact(
            SqliteCheckpointer.MOVE_AT, // it has the log looked at
            session -> {
              if (session.number("SELECT EXISTS (SELECT 1 FROM event UNION SELECT 1 FROM snapshot)")
                  != 0) {
                return false;
              }
              SqliteLoad load = new SqliteLoad(session);
              rows.accept(load);
              load.finish();
              return true;
            });
    if (!empty) {
      throw new JournalUnusable(Problem.NOT_EMPTY, "the journal " + file + " is not empty");
    }
  }

  @Override
  public List<String> damages() {
    return read(session -> {
      List<String> damages = new ArrayList<>();
      try (ResultSet rows = session.prepare("PRAGMA integrity_check(100)").executeQuery()) {
        while (rows.next()) {
          String line = rows.getString(1);
          if (!"ok".equals(line)) {
            damages.add(line);
          }
        }
      }
      try (ResultSet row =
          session
              .prepare(
                  "SELECT count(*) FROM agenda WHERE wake > coalesce(" + DUE_OF_NEWEST + ", wake)")
              .executeQuery()) {
        if (row.next() && row.getLong(1) > 0) {
          damages.add(row.getLong(1) + " owners are on the agenda later than their deadline");
        }
      }
      try (ResultSet row =
          session
              .prepare(
                  "SELECT count(*)"
                      + NEWEST_WITH_DEADLINE
                      + " AND NOT EXISTS (SELECT 1 FROM agenda WHERE agenda.owner = event.owner)")
              .executeQuery()) {
        if (row.next() && row.getLong(1) > 0) {
          damages.add(row.getLong(1) + " owners with a deadline are not on the agenda");
        }
      }
      return damages;
    });
  }

  /** Changes at run time what {@link SqliteOptions#maxBytes} says. */
  void limit(long bytes) {
    turn.begin();
    try {
      maxBytes = bytes;
      giveUpWriter();
    } finally {
      turn.end();
    }
  }

  /** Runs a transaction that writes little, alone. */
  <T> T transact(Transaction<T> transaction) {
    return transact(FEW_PAGES, transaction);
  }

  /** Runs a transaction that writes about {@code pages} pages. */
  <T> T transact(long pages, Transaction<T> transaction) {
    T result;
    turn.begin();
    try {
      result = run(transaction);
    } finally {
      turn.end();
    }
    checkpointer.committed(pages);
    return result;
  }

  private <T> T run(Transaction<T> transaction) {
    SqliteSession session;
    T result;
    boolean ready = false;
    try {
      session = writer();
      session.beginWrite();
      result = transaction.run(session);
      ready = true;
    } catch (SQLException e) {
      throw SqliteErrors.beforeCommit(e);
    } finally {
      if (!ready) {
        // Closing it rolls back.
        giveUpWriter();
      }
    }
    try {
      session.commit();
    } catch (SQLException e) {
      giveUpWriter();
      throw SqliteErrors.onCommit(e);
    }
    return result;
  }

  private SqliteSession writer() throws SQLException {
    if (readOnly) {
      throw new NotWritten(Reason.UNAVAILABLE, "the journal was opened to be read only");
    }
    if (closed) {
      throw NotWritten.closed();
    }
    SqliteSession current = writer;
    if (current == null) {
      current = SqliteSession.writing(file);
      writer = current;
      // The checkpointer does it, beside the writer.
      current.execute("PRAGMA wal_autocheckpoint = 0");
      // A log that was longer once is cut when it begins anew: what was deleted is to be gone there
      // as well, after as much was written as it usually holds.
      current.execute(
          "PRAGMA journal_size_limit = "
              + SqliteCheckpointer.MOVE_AT * current.number("PRAGMA page_size"));
      // What is deleted is to be gone, not to lie in the file until its page is used again.
      current.execute("PRAGMA secure_delete = ON");
      if (!"wal".equals(current.text("PRAGMA journal_mode = WAL"))) {
        throw new SQLException("the file system does not support a write-ahead log");
      }
      if (maxBytes != SqliteOptions.UNLIMITED) {
        long pages = maxBytes / current.number("PRAGMA page_size");
        current.execute("PRAGMA max_page_count = " + pages);
      }
    }
    return current;
  }

  private void giveUpWriter() {
    SqliteSession current = writer;
    writer = null;
    if (current != null) {
      close(current);
    }
  }

  /** Runs a transaction that reads one moment's state. */
  <T> T read(Transaction<T> transaction) {
    SqliteSession session = takeReader();
    @Nullable SqliteSession usable = null;
    try {
      session.beginRead();
      T result = transaction.run(session);
      session.commit();
      usable = session;
      return result;
    } catch (SQLException e) {
      throw new StoreUnreadable("SQLite: " + e.getMessage(), e);
    } finally {
      giveBackReader(session, usable);
    }
  }

  private SqliteSession takeReader() {
    if (closed) {
      throw new StoreUnreadable("the journal is closed", null);
    }
    try {
      return readers.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreUnreadable("interrupted while waiting for a connection", e);
    }
  }

  /** Puts a reader back, or another one in the place of one that failed. */
  private void giveBackReader(SqliteSession used, @Nullable SqliteSession usable) {
    SqliteSession next = usable == null ? renewed(used) : usable;
    readers.add(next);
    // Whoever closes the store closes what is there; what comes back later, closes itself.
    if (closed && readers.remove(next)) {
      close(next);
    }
  }

  private SqliteSession renewed(SqliteSession failed) {
    try {
      SqliteSession fresh = SqliteSession.reading(file);
      close(failed);
      return fresh;
    } catch (SQLException e) {
      // Stays, and fails again, until the file can be opened.
      LOG.warn("a connection that reads the journal could not be opened: {}", e.getMessage());
      return failed;
    }
  }

  private static void close(SqliteSession session) {
    try {
      session.close();
    } catch (SQLException e) {
      LOG.warn("a connection to the journal did not close", e);
    }
  }

  @Override
  public void close() {
    checkpointer.close();
    turn.threads().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      directory.closing();
      disconnect();
    } finally {
      turn.threads().unlock();
    }
    turn.close();
    directory.close();
  }

  private void disconnect() {
    for (int i = 0; i < options.readers(); i++) {
      SqliteSession reader = readers.poll();
      if (reader != null) {
        close(reader);
      }
    }
    giveUpWriter();
  }
}
