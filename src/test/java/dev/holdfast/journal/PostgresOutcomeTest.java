package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.holdfast.journal.JournalStore.Outcome;
import dev.holdfast.journal.NodeRegistry.FenceResult;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is known of a batch whose connection breaks, or whose server says less than it should. */
@Timeout(60)
class PostgresOutcomeTest {

  private static final NodeId NODE = JournalContract.NODE;
  private static final Owner ANN = JournalContract.ANN;
  private static final Owner BOB = JournalContract.BOB;

  /** Sessions of the journal that wait for a lock. */
  private static final String WAITING =
      "FROM pg_stat_activity WHERE application_name = 'holdfast' AND wait_event_type = 'Lock'";

  @TempDir static Path folder;
  private static PostgresServer server;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private PostgresOptions options;
  private PostgresStore store;

  @BeforeAll
  static void startServer() throws Exception {
    server = PostgresServer.start(folder.resolve("data"));
  }

  @AfterAll
  static void stopServer() throws Exception {
    server.close();
  }

  @BeforeEach
  void open() throws Exception {
    options = new PostgresOptions(server.url(), "outcome", 2, 2);
    store = PostgresStore.open(options);
    assertThat(store.nodes().claim(NODE, 0, Duration.ZERO)).isNotNull();
  }

  @AfterEach
  void close() {
    store.close();
    threads.shutdownNow();
    server.execute("DROP SCHEMA outcome CASCADE");
  }

  @Test
  void writesABatchOnceThoughItsConnectionBreaksBeforeItCommits() throws Exception {
    Future<Outcome> outcome;
    try (Hold _ = holdNode()) {
      outcome = inBackground(JournalContract.writeOf(ANN, 1, 2));
      breakWaiting();
      // The connection is new, and waits for the row to raise the writer number.
      awaitWaiting(1);
    }

    assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Written(List.of()));
    assertThat(numbers(ANN)).containsExactly(1L, 2L);
  }

  @Test
  void findsABatchThatWasCommittedThoughItsConnectionBroke() throws Exception {
    Future<Outcome> outcome;
    // The statement has written and waits for its commit to reach a standby that is not there.
    server.loseStandby();
    try {
      outcome =
          inBackground(JournalContract.writeOf(ANN, 1, 2), JournalContract.writeOf(BOB, 1, 1));
      String pid = awaitWaitingForStandby("0");
      server.execute("SELECT pg_terminate_backend(" + pid + ")");
      awaitWaitingForStandby(pid);
      assertThat(outcome.isDone()).as("what the standby lacks is not acknowledged").isFalse();
    } finally {
      server.needNoStandby();
    }

    assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Written(List.of()));
    assertThat(numbers(ANN)).containsExactly(1L, 2L);
    assertThat(numbers(BOB)).containsExactly(1L);
  }

  @Test
  void takesASuccessWithAWarningForAnOpenOutcome() throws Exception {
    Future<Outcome> outcome;
    server.loseStandby();
    try {
      outcome = inBackground(JournalContract.writeOf(ANN, 1, 1));
      String pid = awaitWaitingForStandby("0");
      // "The transaction has already committed locally, but might not have been replicated."
      server.execute("SELECT pg_cancel_backend(" + pid + ")");
      awaitWaitingForStandby(pid);
      assertThat(outcome.isDone()).isFalse();
    } finally {
      server.needNoStandby();
    }

    assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Written(List.of()));
    assertThat(numbers(ANN)).containsExactly(1L);
  }

  @Test
  void letsNoStatementOfTheNodeOutliveTheRaisingOfItsWriterNumber() throws Exception {
    Future<Outcome> late;
    try (Hold hold = holdNode()) {
      late = inBackground(JournalContract.writeOf(ANN, 1, 1));
      awaitWaiting(1);
      hold.execute("UPDATE node SET writer = writer + 1");
    }

    // It found another number, wrote nothing, took the number over and was sent again.
    assertThat(late.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Written(List.of()));
    assertThat(numbers(ANN)).containsExactly(1L);
  }

  @Test
  void writesNothingOfABatchThatWaitsWhileItsNodeIsFenced() throws Exception {
    NodeId other = new NodeId("other");
    assertThat(store.nodes().register(other, 1)).isTrue();
    Future<Outcome> late;
    try (Hold hold = holdNode()) {
      late = inBackground(JournalContract.writeOf(ANN, 1, 1));
      awaitWaiting(1);
      hold.execute("UPDATE node SET fenced_at = 1 WHERE id = '" + NODE.value() + "'");
    }

    assertThat(late.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Fenced());
    assertThat(numbers(ANN)).isEmpty();
    assertThat(store.nodes().fence(other, NODE)).isEqualTo(FenceResult.FENCED_ALREADY);
  }

  @Test
  void sendsABatchAgainThatMetAnotherOnAnOwner() throws Exception {
    try (Connection stranger = DriverManager.getConnection(options.url());
        Statement statement = stranger.createStatement()) {
      stranger.setAutoCommit(false);
      statement.execute(
          "INSERT INTO outcome.event (owner, seq, position, at, name, payload)"
              + " VALUES ('"
              + PostgresStore.uuid(ANN)
              + "', 1, 1, 0, 'stranger.v1', '')");
      Future<Outcome> outcome =
          inBackground(JournalContract.writeOf(BOB, 1, 1), JournalContract.writeOf(ANN, 1, 1));
      awaitWaiting(1);
      stranger.commit();

      assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Written(List.of(1)));
    }
    assertThat(numbers(BOB)).containsExactly(1L);
    assertThat(numbers(ANN)).containsExactly(1L);
  }

  @Test
  void purgesNobodyWhoseNextEventIsOnItsWay() throws Exception {
    store.write(NODE, List.of(JournalContract.writeOf(ANN, 1, 1)), List.of());
    Future<Outcome> late;
    Future<?> purged;
    try (Hold _ = holdNode()) {
      // It has looked at Ann, and waits; the purge waits behind it.
      late = inBackground(JournalContract.writeOf(ANN, 2, 1));
      awaitWaiting(1);
      purged = threads.submit(() -> store.purge(NODE, Map.of(ANN, 1L), 0));
      awaitWaiting(2);
    }
    purged.get(20, TimeUnit.SECONDS);
    Outcome outcome = late.get(20, TimeUnit.SECONDS);

    // Either came first; but never is the second event left without its beginning.
    assertThat(numbers(ANN))
        .isEqualTo(
            outcome.equals(new Outcome.Written(List.of())) ? List.of(1L, 2L) : List.<Long>of());
  }

  /** The server's clock was ahead at the claim. */
  @Test
  void isClaimedWithoutSilenceThoughTheLastClaimIsOfALaterTime() {
    server.execute("UPDATE outcome.incarnation SET renewed_at = renewed_at + 7200000");
    long number = store.nodes().incarnation().number();
    NodeId next = new NodeId("next");

    assertThat(store.nodes().claim(next, number, Duration.ofSeconds(5))).isNull();
    assertThat(store.nodes().claim(next, number, Duration.ZERO)).isNotNull();
  }

  /** It may be hundreds of megabytes, and everybody else's changes would wait for it. */
  @Test
  void writesOnWhileTheHistoryOfAnErasedOwnerIsDeleted() throws Exception {
    store.write(NODE, List.of(JournalContract.writeOf(ANN, 1, 5)), List.of());
    Future<Boolean> erased;
    try (Hold _ = hold("SELECT FROM event WHERE seq = 3 FOR UPDATE")) {
      erased = threads.submit(() -> store.erase(NODE, ANN, 5, 5, JournalEvent.NO_DEADLINE));
      awaitWaiting(1);
      assertWritten(store, NODE, JournalContract.writeOf(BOB, 1, 1));
      assertWritten(store, NODE, JournalContract.writeOf(ANN, 6, 1));
      assertThat(erased).isNotDone();
    }
    assertThat(erased.get(20, TimeUnit.SECONDS)).isTrue();
    assertThat(numbers(ANN)).containsExactly(5L, 6L);
  }

  @Test
  void refusesTheNextEventOfAnOwnerForWhomAnotherNodeHasWritten() throws Exception {
    NodeId other = new NodeId("other");
    assertThat(store.nodes().register(other, 1)).isTrue();
    try (PostgresStore others = PostgresStore.open(options)) {
      assertWritten(store, NODE, JournalContract.writeOf(ANN, 1, 1));
      assertWritten(store, NODE, JournalContract.writeOf(BOB, 1, 1));
      assertWritten(others, other, JournalContract.writeOf(ANN, 2, 1));

      // To this store the newest event of both is the one that it wrote itself.
      assertThat(
              store.write(
                  NODE,
                  List.of(JournalContract.writeOf(ANN, 2, 1), JournalContract.writeOf(BOB, 2, 1)),
                  List.of()))
          .isEqualTo(new Outcome.Written(List.of(0)));
      assertThat(store.write(NODE, List.of(JournalContract.writeOf(ANN, 2, 1)), List.of()))
          .isEqualTo(new Outcome.Written(List.of(0)));
      assertWritten(store, NODE, JournalContract.writeOf(ANN, 3, 1));
      assertWritten(store, NODE, JournalContract.writeOf(BOB, 3, 1));
    }
    assertThat(numbers(ANN)).containsExactly(1L, 2L, 3L);
    assertThat(numbers(BOB)).containsExactly(1L, 2L, 3L);
  }

  @Test
  void beginsAnewWithAnOwnerWhomAnotherNodeHasRemoved() throws Exception {
    NodeId other = new NodeId("other");
    assertThat(store.nodes().register(other, 1)).isTrue();
    try (PostgresStore others = PostgresStore.open(options)) {
      assertWritten(store, NODE, JournalContract.writeOf(ANN, 1, 1));
      assertThat(others.purge(other, Map.of(ANN, 1L), 0)).containsExactly(ANN);

      assertThat(store.recover(List.of(ANN), 10).getFirst().highest()).isZero();
      assertThat(store.write(NODE, List.of(JournalContract.writeOf(ANN, 2, 1)), List.of()))
          .isEqualTo(new Outcome.Written(List.of(0)));
      assertWritten(store, NODE, JournalContract.writeOf(ANN, 1, 1));
    }
  }

  @Test
  void keepsTheAgendaForOwnersWhoseNewestEventItKnows() {
    assertWritten(store, NODE, withDeadline(1, 5_000));
    assertWritten(store, NODE, withDeadline(2, 9_000));
    assertThat(store.due(List.of(OwnerRange.ALL), 8_999, 10, null)).isEmpty();
    assertWritten(store, NODE, withDeadline(3, 2_000));
    assertThat(store.due(List.of(OwnerRange.ALL), 2_000, 10, null))
        .containsExactly(new DueOwner(ANN, 2_000));
    assertWritten(store, NODE, withDeadline(4, JournalEvent.NO_DEADLINE));
    assertThat(store.due(List.of(OwnerRange.ALL), Long.MAX_VALUE - 1, 10, null)).isEmpty();
    assertWritten(store, NODE, withDeadline(5, 7_000));
    assertThat(store.due(List.of(OwnerRange.ALL), 7_000, 10, null))
        .containsExactly(new DueOwner(ANN, 7_000));
    assertThat(store.damages()).isEmpty();
  }

  private static OwnerWrite withDeadline(long number, long deadline) {
    return new OwnerWrite(
        ANN, number, List.of(new JournalEvent("event.v1", new byte[0], number, deadline)));
  }

  private static void assertWritten(PostgresStore store, NodeId node, OwnerWrite write) {
    assertThat(store.write(node, List.of(write), List.of()))
        .isEqualTo(new Outcome.Written(List.of()));
  }

  /** As of a database that was put back to an earlier state under a node that runs. */
  @Test
  void goesOnThoughItsWriterNumberHasGoneBack() throws Exception {
    assertWritten(store, NODE, JournalContract.writeOf(ANN, 1, 1));
    store.purge(NODE, Map.of(), 0); // raises it
    assertWritten(store, NODE, JournalContract.writeOf(ANN, 2, 1));
    server.execute("UPDATE outcome.node SET writer = 0");

    assertThat(inBackground(JournalContract.writeOf(ANN, 3, 1)).get(20, TimeUnit.SECONDS))
        .isEqualTo(new Outcome.Written(List.of()));
    assertThat(numbers(ANN)).containsExactly(1L, 2L, 3L);
  }

  /** Or a standby that is promoted would let the other one write on. */
  @Test
  void takesNobodyForFencedWhomTheStandbyMayNotKnowToBe() throws Exception {
    server.loseStandby();
    NodeId other = new NodeId("other");
    try {
      for (int attempts = 1; attempts <= 2; attempts++) {
        Future<FenceResult> fenced = threads.submit(() -> store.nodes().fence(NODE, other));
        server.execute("SELECT pg_cancel_backend(" + awaitWaitingForStandby("0") + ")");
        assertThat(catchThrowable(() -> fenced.get(20, TimeUnit.SECONDS)))
            .as("attempt %d", attempts)
            .hasCauseInstanceOf(InDoubt.class);
      }
    } finally {
      server.needNoStandby();
    }
    assertThat(store.nodes().fence(NODE, other)).isEqualTo(FenceResult.FENCED_ALREADY);
  }

  /** Or who reads would go on without a write that comes a moment later. */
  @Test
  void readsNobodyWhoseLastWriteMayYetCome() throws Exception {
    server.loseStandby();
    try {
      Future<Outcome> outcome = inBackground(JournalContract.writeOf(ANN, 1, 1));
      awaitWaitingForStandby("0");
      assertThat(catchThrowable(() -> outcome.get(30, TimeUnit.SECONDS)))
          .hasCauseInstanceOf(InDoubt.class);

      assertThat(catchThrowable(() -> store.recover(List.of(ANN), 10)))
          .isInstanceOf(StoreUnreadable.class);
      assertThat(store.recover(List.of(BOB), 10).getFirst().highest()).isZero();
    } finally {
      server.needNoStandby();
    }

    store.probe(1);

    assertThat(store.recover(List.of(ANN), 10).getFirst().highest()).isEqualTo(1);
  }

  @Test
  void readsAgainWhenAnIdleConnectionTurnsOutToBeDead() throws Exception {
    store.write(NODE, List.of(JournalContract.writeOf(ANN, 1, 3)), List.of());
    assertThat(store.highest(ANN)).isEqualTo(3);
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
            + " 'holdfast'");

    assertThat(store.highest(ANN)).isEqualTo(3);
    assertThat(store.write(NODE, List.of(JournalContract.writeOf(ANN, 4, 1)), List.of()))
        .isEqualTo(new Outcome.Written(List.of()));
    assertThat(store.historyNumber()).as("the same server, the same timeline").isZero();
  }

  // ---------------------------------------------------------------------------------------------

  private Future<Outcome> inBackground(OwnerWrite... writes) {
    return threads.submit(() -> store.write(NODE, List.of(writes), List.of()));
  }

  private List<Long> numbers(Owner owner) {
    List<Long> numbers = new ArrayList<>();
    store.read(owner, 1, Long.MAX_VALUE, 100, event -> numbers.add(event.number()));
    return numbers;
  }

  private static void awaitWaiting(int sessions) {
    await().until(() -> Integer.parseInt(server.query("SELECT count(*) " + WAITING)) >= sessions);
  }

  private static void breakWaiting() {
    awaitWaiting(1);
    server.execute("SELECT pg_terminate_backend(pid) " + WAITING);
  }

  /** The process that waits for the standby now, other than {@code before}. */
  private static String awaitWaitingForStandby(String before) {
    String pid =
        "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <>"
            + " "
            + before;
    await().until(() -> !server.query(pid).equals("0"));
    return server.query(pid);
  }

  /** Somebody who sits on the rows of the nodes. */
  private Hold holdNode() throws SQLException {
    return hold("SELECT FROM node FOR UPDATE");
  }

  private Hold hold(String lock) throws SQLException {
    Connection connection = DriverManager.getConnection(options.url());
    connection.setAutoCommit(false);
    Hold hold = new Hold(connection);
    hold.execute("SET search_path = outcome");
    hold.execute(lock);
    return hold;
  }

  private record Hold(Connection connection) implements AutoCloseable {

    void execute(String sql) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }

    /** Commits what was done meanwhile, and lets go. */
    @Override
    public void close() throws SQLException {
      connection.commit();
      connection.close();
    }
  }
}
