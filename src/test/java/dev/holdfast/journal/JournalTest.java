package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.ANN;
import static dev.holdfast.journal.JournalContract.BOB;
import static dev.holdfast.journal.JournalContract.CAT;
import static dev.holdfast.journal.JournalContract.owner;
import static dev.holdfast.journal.JournalContract.writeOf;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.JournalHealth.Unavailable;
import dev.holdfast.journal.NotWritten.Reason;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Group commit, health and snapshots of a running journal. */
@Timeout(60)
class JournalTest {

  private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

  /** Service is back within half a second of the store's return; the rest is for a busy machine. */
  private static final Duration BACK = Duration.ofSeconds(2);

  @TempDir Path folder;

  private final NodeId node = new NodeId("node");
  private final AtomicInteger halted = new AtomicInteger();

  private SqliteStore sqlite;
  private FailingStore store;
  private Journal journal;

  @BeforeEach
  void start() throws JournalUnusable {
    start(settings(1_000, 100, Duration.ofSeconds(20)), SqliteOptions.defaults());
  }

  private void start(JournalSettings settings, SqliteOptions options) throws JournalUnusable {
    sqlite = SqliteStore.open(folder, options);
    store = new FailingStore(sqlite);
    if (sqlite.nodes().isFenced(node)) {
      assertThat(sqlite.nodes().claim(node, 0, Duration.ZERO)).isNotNull();
    }
    journal =
        Journal.start(store, node, settings, InstantSource.fixed(NOW), halted::incrementAndGet);
  }

  private void restart(JournalSettings settings, SqliteOptions options) throws JournalUnusable {
    journal.close();
    start(settings, options);
  }

  @AfterEach
  void close() {
    journal.close();
  }

  private static JournalSettings settings(int queue, int snapshots, Duration stallAfter) {
    JournalSettings defaults = JournalSettings.from(ConfigFactory.load());
    return new JournalSettings(
        defaults.shared(),
        defaults.maxBatchWrites(),
        defaults.maxBatchBytes(),
        queue,
        defaults.maxQueuedBytes(),
        snapshots,
        stallAfter,
        defaults.probeInterval(),
        defaults.readers(),
        defaults.maxRecoveryGroup(),
        defaults.maxRecoveryEvents(),
        defaults.maxPrefetched(),
        defaults.maxRecoveryBytes(),
        defaults.maxWaitingRecoveries(),
        defaults.prefetchTtl());
  }

  // ---- group commit

  @Test
  void acknowledgesWhatIsWritten() {
    List<CompletableFuture<Void>> writes =
        IntStream.range(0, 500).mapToObj(i -> journal.write(writeOf(owner(i), 1, 2))).toList();

    writes.forEach(CompletableFuture::join);

    assertThat(sqlite.feed(0, 10_000, event -> {})).isEqualTo(1_000);
    assertThat(journal.metrics().writes()).isEqualTo(500);
    assertThat(journal.metrics().events()).isEqualTo(1_000);
  }

  @Test
  void keepsTheOrderInWhichAnOwnerHandsItsWritesIn() {
    List<CompletableFuture<Void>> writes =
        IntStream.rangeClosed(1, 200).mapToObj(i -> journal.write(writeOf(ANN, i, 1))).toList();

    writes.forEach(CompletableFuture::join);

    assertThat(sqlite.highest(ANN)).isEqualTo(200);
  }

  @Test
  void writesInOneBatchWhatWaitsForTheBatchBefore() throws SQLException {
    CompletableFuture<Void> first;
    List<CompletableFuture<Void>> others;
    try (ForeignLock _ = new ForeignLock()) {
      first = journal.write(writeOf(ANN, 1, 1));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      others =
          IntStream.range(10, 110).mapToObj(i -> journal.write(writeOf(owner(i), 1, 1))).toList();
    }
    first.join();
    others.forEach(CompletableFuture::join);

    assertThat(journal.metrics().batches()).isEqualTo(2);
  }

  @Test
  void failsTheLoserOfABatchAlone() throws SQLException {
    journal.write(writeOf(ANN, 1, 1)).join();
    CompletableFuture<Void> winner;
    CompletableFuture<Void> loser;
    CompletableFuture<Void> last;
    try (ForeignLock _ = new ForeignLock()) {
      winner = journal.write(writeOf(BOB, 1, 1));
      loser = journal.write(writeOf(ANN, 1, 3));
      last = journal.write(writeOf(CAT, 1, 1));
    }

    assertThat(reasonOf(loser)).isEqualTo(Reason.CONFLICT);
    winner.join();
    last.join();
    assertThat(sqlite.highest(ANN)).isEqualTo(1);
    assertThat(journal.health().isAvailable()).isTrue();
    assertThat(journal.metrics().conflicts()).isEqualTo(1);
  }

  @Test
  void refusesMoreThanItsQueueTakesAndSaysSoBefore() throws Exception {
    restart(settings(100, 100, Duration.ofSeconds(20)), SqliteOptions.defaults());
    List<CompletableFuture<Void>> accepted = new ArrayList<>();
    CompletableFuture<Void> refused;
    try (ForeignLock _ = new ForeignLock()) {
      accepted.add(journal.write(writeOf(owner(0), 1, 1)));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      for (int i = 1; i <= 100; i++) {
        accepted.add(journal.write(writeOf(owner(i), 1, 1)));
        assertThat(journal.health().isAvailable()).isEqualTo(i <= 75);
      }
      refused = journal.write(writeOf(owner(101), 1, 1));

      assertThat(refused).as("at once").isDone();
      assertThat(unavailable().reason()).isEqualTo(Reason.OVERLOADED);
    }
    assertThat(reasonOf(refused)).isEqualTo(Reason.OVERLOADED);
    accepted.forEach(CompletableFuture::join);
    assertThat(sqlite.highest(owner(101))).isZero();
    assertThat(journal.health().isAvailable()).isTrue();
  }

  @Test
  void readsWhileAWriteIsOnItsWay() throws SQLException {
    journal.write(writeOf(ANN, 1, 2)).join();
    CompletableFuture<Void> write;
    try (ForeignLock _ = new ForeignLock()) {
      write = journal.write(writeOf(ANN, 3, 1));

      assertThat(journal.recover(ANN).join().highest()).isEqualTo(2);
      List<StoredEvent> events = new ArrayList<>();
      assertThat(journal.eventsOf(ANN, events::add)).isEqualTo(2);
      assertThat(write).isNotDone();
    }
    write.join();
  }

  @Test
  void writesWhatWaitsBeforeItCloses() throws Exception {
    List<CompletableFuture<Void>> writes =
        IntStream.range(0, 300).mapToObj(i -> journal.write(writeOf(owner(i), 1, 1))).toList();
    journal.offerSnapshot(snapshotOf(owner(1), 1, "last"), journal.historyNumber());
    journal.close();

    assertThat(writes).allMatch(CompletableFuture::isDone);
    assertThat(reasonOf(journal.write(writeOf(ANN, 1, 1)))).isEqualTo(Reason.CLOSED);
    start();
    assertThat(sqlite.feed(0, 1_000, event -> {})).isEqualTo(300);
    assertThat(storedState(owner(1))).isEqualTo("last");
  }

  // ---- fence

  @Test
  void haltsOnceWhenItsNodeIsFenced() {
    journal.write(writeOf(ANN, 1, 1)).join();
    NodeId survivor = new NodeId("survivor");
    assertThat(journal.nodes().register(survivor, 1)).isTrue();
    journal.nodes().fence(survivor, node);

    assertThat(reasonOf(journal.write(writeOf(ANN, 2, 1)))).isEqualTo(Reason.FENCED);
    await().until(() -> halted.get() == 1);
    assertThat(reasonOf(journal.write(writeOf(BOB, 1, 1)))).isEqualTo(Reason.FENCED);

    assertThat(unavailable().reason()).isEqualTo(Reason.FENCED);
    assertThat(sqlite.highest(ANN)).isEqualTo(1);
    assertThat(halted).hasValue(1);
    assertThat(store.probes()).as("no way back").isZero();
  }

  @Test
  void writesWhatWaitsBeforeItReleasesItsIncarnation() throws Exception {
    journal.write(writeOf(ANN, 1, 1)).join();
    List<CompletableFuture<Void>> writes =
        IntStream.range(10, 60).mapToObj(i -> journal.write(writeOf(owner(i), 1, 1))).toList();
    journal.offerSnapshot(snapshotOf(ANN, 1, "last"), journal.historyNumber());

    assertThat(journal.release(1)).isTrue();

    writes.forEach(CompletableFuture::join);
    assertThat(storedState(ANN)).isEqualTo("last");
    assertThat(reasonOf(journal.write(writeOf(BOB, 1, 1)))).isEqualTo(Reason.CLOSED);
    assertThat(sqlite.nodes().isFenced(node)).isTrue();
    assertThat(halted).as("in good order").hasValue(0);
  }

  // ---- health

  @Test
  void takesWritesAgainWhenTheDiskHasRoomAgain() throws Exception {
    restart(settings(1_000, 100, Duration.ofSeconds(20)), new SqliteOptions(1, 1 << 20));
    byte[] payload = new byte[20_000];
    long number = 0;
    CompletableFuture<Void> write;
    do {
      number++;
      write = journal.write(new OwnerWrite(ANN, number, List.of(event(payload))));
    } while (outcomeOf(write) == null);

    assertThat(reasonOf(write)).isEqualTo(Reason.FULL);
    assertThat(unavailable().reason()).isEqualTo(Reason.FULL);
    assertThat(unavailable().since()).isEqualTo(NOW);
    assertThat(reasonOf(journal.write(writeOf(BOB, 1, 1)))).isEqualTo(Reason.FULL);
    assertThat(sqlite.highest(ANN)).isEqualTo(number - 1);

    sqlite.limit(SqliteOptions.UNLIMITED);

    soon().until(() -> journal.health().isAvailable());
    journal.write(new OwnerWrite(ANN, number, List.of(event(payload)))).join();
    assertThat(journal.metrics().outages()).isEqualTo(1);
  }

  @Test
  void isDownForAsLongAsTheStoreIs() {
    store.breakDown(new NotWritten(Reason.UNAVAILABLE, "gone fishing"));

    assertThat(reasonOf(journal.write(writeOf(ANN, 1, 1)))).isEqualTo(Reason.UNAVAILABLE);
    assertThat(unavailable().detail()).isEqualTo("gone fishing");
    await().until(() -> store.probes() >= 3);
    assertThat(reasonOf(journal.write(writeOf(ANN, 1, 1)))).isEqualTo(Reason.UNAVAILABLE);

    store.repair();

    soon().until(() -> journal.health().isAvailable());
    journal.write(writeOf(ANN, 1, 1)).join();
  }

  @Test
  void leavesAWriteInDoubtWhoseCommitFailed() {
    store.failAfterNextCommit(new InDoubt("nobody knows", null));

    Throwable failure = outcomeOf(journal.write(writeOf(ANN, 1, 1)));

    assertThat(failure).isInstanceOf(InDoubt.class);
    assertThat(journal.metrics().inDoubt()).isEqualTo(1);
    assertThat(journal.metrics().outages()).isEqualTo(1);
    soon().until(() -> journal.health().isAvailable());
    assertThat(journal.recover(ANN).join().highest()).as("it was written").isEqualTo(1);
    journal.write(writeOf(ANN, 2, 1)).join();
  }

  @Test
  void takesAFaultOfItsOwnForDoubt() {
    store.failAfterNextCommit(new IllegalStateException("a bug"));

    assertThat(outcomeOf(journal.write(writeOf(ANN, 1, 1)))).isInstanceOf(InDoubt.class);
    soon().until(() -> journal.health().isAvailable());
  }

  @Test
  void staysDownWhenTheStoreIsDamaged() {
    store.breakDown(new NotWritten(Reason.CORRUPT, "damaged"));
    assertThat(reasonOf(journal.write(writeOf(ANN, 1, 1)))).isEqualTo(Reason.CORRUPT);
    store.repair();

    assertThat(reasonOf(journal.write(writeOf(ANN, 1, 1)))).isEqualTo(Reason.CORRUPT);
    assertThat(store.probes()).isZero();
  }

  @Test
  void refusesWhatWaitsBehindABatchThatStalls() throws Exception {
    restart(settings(1_000, 100, Duration.ofMillis(200)), SqliteOptions.defaults());
    CompletableFuture<Void> stalled;
    CompletableFuture<Void> behind;
    try (ForeignLock _ = new ForeignLock()) {
      stalled = journal.write(writeOf(ANN, 1, 1));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      behind = journal.write(writeOf(BOB, 1, 1));

      assertThat(reasonOf(behind)).isEqualTo(Reason.STALLED);
      assertThat(unavailable().reason()).isEqualTo(Reason.STALLED);
      assertThat(reasonOf(journal.write(writeOf(CAT, 1, 1)))).isEqualTo(Reason.STALLED);
      assertThat(stalled).isNotDone();
    }
    stalled.join();
    assertThat(journal.health().isAvailable()).isTrue();
    assertThat(sqlite.highest(BOB)).isZero();
    journal.write(writeOf(BOB, 1, 1)).join();
  }

  // ---- snapshots

  @Test
  void storesASnapshotWhenItHasNothingElseToDo() {
    journal.write(writeOf(ANN, 1, 3)).join();

    assertThat(journal.offerSnapshot(snapshotOf(ANN, 3, "at 3"), journal.historyNumber())).isTrue();

    await().until(() -> "at 3".equals(storedState(ANN)));
  }

  @Test
  void storesTheNewestOfTheSnapshotsThatWait() throws SQLException {
    journal.write(writeOf(ANN, 1, 3)).join();
    whileABatchIsOnItsWay(() -> {
      assertThat(journal.offerSnapshot(snapshotOf(ANN, 1, "at 1"), journal.historyNumber()))
          .isTrue();
      assertThat(journal.offerSnapshot(snapshotOf(ANN, 3, "at 3"), journal.historyNumber()))
          .isTrue();
      assertThat(journal.offerSnapshot(snapshotOf(ANN, 2, "at 2"), journal.historyNumber()))
          .as("older")
          .isFalse();
      assertThat(journal.metrics().queuedSnapshots()).isEqualTo(1);
    });

    await().until(() -> journal.metrics().snapshots() == 1);
    assertThat(storedState(ANN)).isEqualTo("at 3");
  }

  @Test
  void dropsSnapshotsWhenTooManyWait() throws Exception {
    restart(settings(1_000, 10, Duration.ofSeconds(20)), SqliteOptions.defaults());
    try (ForeignLock _ = new ForeignLock()) {
      CompletableFuture<Void> write = journal.write(writeOf(ANN, 1, 1));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      long taken =
          IntStream.range(0, 30)
              .filter(i ->
                  journal.offerSnapshot(snapshotOf(owner(i), 1, "state"), journal.historyNumber()))
              .count();

      assertThat(taken).isEqualTo(10);
      assertThat(journal.metrics().droppedSnapshots()).isEqualTo(20);
      assertThat(write).isNotDone();
    }
  }

  @Test
  void writesEventsWithoutTheSnapshotsThatWouldFailThem() throws SQLException {
    store.refuseSnapshots(new NotWritten(Reason.FULL, "no room for snapshots"));
    journal.write(writeOf(ANN, 1, 1)).join();
    CompletableFuture<Void> first;
    CompletableFuture<Void> second;
    try (ForeignLock _ = new ForeignLock()) {
      first = journal.write(writeOf(BOB, 1, 1));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      journal.offerSnapshot(snapshotOf(ANN, 1, "at 1"), journal.historyNumber());
      second = journal.write(writeOf(CAT, 1, 1));
    }
    first.join();
    second.join();

    assertThat(journal.health().isAvailable()).isTrue();
    assertThat(journal.metrics().droppedSnapshots()).isEqualTo(1);
    assertThat(journal.recover(ANN).join().snapshot()).isNull();
  }

  /** Its events may be lost, and others have their numbers by now. */
  @Test
  void storesNoSnapshotOfAHistoryThatIsOver() throws SQLException {
    journal.write(writeOf(ANN, 1, 1)).join();
    whileABatchIsOnItsWay(() -> {
      assertThat(journal.offerSnapshot(snapshotOf(ANN, 1, "at 1"), journal.historyNumber()))
          .isTrue();
      store.changeHistory();
    });

    await().until(() -> journal.metrics().droppedSnapshots() == 1);
    assertThat(journal.recover(ANN).join().snapshot()).isNull();
    journal.write(writeOf(CAT, 1, 1)).join();
  }

  @Test
  void storesASnapshotOfTheHistoryThatHasCome() throws SQLException {
    journal.write(writeOf(ANN, 1, 3)).join();
    whileABatchIsOnItsWay(() -> {
      journal.offerSnapshot(snapshotOf(ANN, 3, "before"), journal.historyNumber());
      store.changeHistory();
      assertThat(journal.offerSnapshot(snapshotOf(ANN, 2, "after"), journal.historyNumber()))
          .as("its number is lower, and of another history")
          .isTrue();
    });

    await().until(() -> "after".equals(storedState(ANN)));
  }

  /** A large one takes its time to encode, by another thread than the actor's. */
  @Test
  void storesNoSnapshotOfAStateFromBeforeTheHistoryChanged() {
    journal.write(writeOf(ANN, 1, 1)).join();
    long before = journal.historyNumber();
    store.changeHistory();

    assertThat(journal.offerSnapshot(snapshotOf(ANN, 1, "at 1"), before)).isFalse();

    assertThat(journal.metrics().droppedSnapshots()).isEqualTo(1);
    assertThat(journal.recover(ANN).join().snapshot()).isNull();
  }

  // ---- agenda and deletion, as the rest of the program reaches them

  @Test
  void handsOutWhoIsDueAndDeletesWhatIsSnapshotted() {
    journal
        .write(
            new OwnerWrite(
                ANN,
                1,
                List.of(
                    new JournalEvent("a.v1", new byte[0], 0, 1_000),
                    new JournalEvent("b.v1", new byte[0], 0, 2_000))))
        .join();
    journal.offerSnapshot(snapshotOf(ANN, 2, "at 2"), journal.historyNumber());
    await().until(() -> journal.metrics().snapshots() == 1);

    assertThat(journal.delete(ANN, 2)).isEqualTo(1);
    assertThat(journal.due(List.of(OwnerRange.ALL), 2_000, 10, null))
        .containsExactly(new DueOwner(ANN, 2_000));
    assertThat(journal.feed(0, 10, event -> {})).isEqualTo(1);
    assertThat(journal.node()).isEqualTo(node);
  }

  // ---- words of the tests

  /** A batch with Bob's first event, which is acknowledged at the end. */
  private void whileABatchIsOnItsWay(Runnable action) throws SQLException {
    CompletableFuture<Void> batch;
    try (ForeignLock _ = new ForeignLock()) {
      batch = journal.write(writeOf(BOB, 1, 1));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      action.run();
    }
    batch.join();
  }

  /** Somebody else holds the database's write lock: a batch has begun and cannot go on. */
  private final class ForeignLock implements AutoCloseable {

    private final Connection connection;

    ForeignLock() throws SQLException {
      connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
      execute("BEGIN IMMEDIATE");
    }

    private void execute(String sql) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }

    @Override
    public void close() throws SQLException {
      execute("ROLLBACK");
      connection.close();
    }
  }

  private static ConditionFactory soon() {
    return await().atMost(BACK).pollInterval(Duration.ofMillis(5));
  }

  private static JournalEvent event(byte[] payload) {
    return new JournalEvent("event.v1", payload, 0, JournalEvent.NO_DEADLINE);
  }

  private static SnapshotWrite snapshotOf(Owner owner, long number, String state) {
    return new SnapshotWrite(
        owner, number, 0, new JournalSnapshot("state.v1", state.getBytes(UTF_8)));
  }

  private String storedState(Owner owner) {
    SnapshotWrite stored = journal.recover(owner).join().snapshot();
    return stored == null ? "" : new String(stored.snapshot().payload(), UTF_8);
  }

  private Unavailable unavailable() {
    return (Unavailable) journal.health().now();
  }

  /** How the write failed, or null if it did not. */
  private static @Nullable Throwable outcomeOf(CompletableFuture<Void> write) {
    try {
      write.orTimeout(20, TimeUnit.SECONDS).join();
      return null;
    } catch (CompletionException e) {
      return e.getCause();
    }
  }

  private static Reason reasonOf(CompletableFuture<Void> write) {
    return ((NotWritten) Objects.requireNonNull(outcomeOf(write))).reason();
  }
}
