package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.ANN;
import static dev.holdfast.journal.JournalContract.writeOf;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.holdfast.journal.JournalUnusable.Problem;
import dev.holdfast.journal.NotWritten.Reason;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is special to the embedded store: its file, and what goes wrong with it. */
@Timeout(60)
class SqliteStoreTest {

  @TempDir Path folder;

  private final NodeId node = new NodeId("node");

  // ---- files that are refused, and left as they are

  @Test
  void refusesAFileThatIsNotSqlite() throws Exception {
    Files.writeString(journal(), "Dear diary, ".repeat(100));

    assertRefusedUnchanged(Problem.FOREIGN, "not an SQLite file");
  }

  @Test
  void refusesAnSqliteFileOfAnotherProgram() throws Exception {
    sql("CREATE TABLE other (x)");

    assertRefusedUnchanged(Problem.FOREIGN, "another program");
  }

  @Test
  void refusesAJournalOfALaterVersion() throws Exception {
    fill();
    sql("PRAGMA user_version = " + (SqliteSchema.current().version() + 1));

    assertRefusedUnchanged(Problem.NEWER, "later version");
  }

  @Test
  void refusesAJournalWithoutVersion() throws Exception {
    fill();
    sql("PRAGMA user_version = 0");

    assertRefusedUnchanged(Problem.CORRUPT, "no version");
  }

  @Test
  void refusesAnEmptyFile() throws Exception {
    Files.createFile(journal());

    assertRefusedUnchanged(Problem.CORRUPT, "ends after 0 bytes");
  }

  @Test
  void refusesAFileThatIsCutOff() throws Exception {
    fill();
    byte[] whole = Files.readAllBytes(journal());
    Files.write(journal(), Arrays.copyOf(whole, whole.length / 2));

    assertRefusedUnchanged(Problem.CORRUPT, "of " + whole.length + " bytes");
  }

  @Test
  void refusesAFileWithNothingBehindItsHeader() throws Exception {
    fill();
    byte[] bytes = Files.readAllBytes(journal());
    byte[] noise = new byte[bytes.length - 100];
    new Random(7).nextBytes(noise);
    ByteBuffer.wrap(bytes).position(100).put(noise);
    Files.write(journal(), bytes);

    assertRefusedUnchanged(Problem.CORRUPT, "cannot be opened");
  }

  @Test
  void refusesALogWhoseJournalIsMissing() throws Exception {
    Files.writeString(folder.resolve("journal.db-wal"), "what is left");

    JournalUnusable refusal = catchThrowableOfType(JournalUnusable.class, this::open);

    assertThat(refusal.problem()).isEqualTo(Problem.CORRUPT);
    assertThat(journal()).doesNotExist();
    assertThat(folder.resolve("journal.db-wal")).hasContent("what is left");
  }

  @Test
  void refusesAFolderThatIsAFile() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));

    JournalUnusable refusal =
        catchThrowableOfType(
            JournalUnusable.class, () -> SqliteStore.open(file, SqliteOptions.defaults()));

    assertThat(refusal.problem()).isEqualTo(Problem.INACCESSIBLE);
    assertThat(refusal).hasMessageContaining(file.toString());
  }

  @Test
  void refusesAFolderThatThisProcessHolds() throws Exception {
    try (SqliteStore first = open()) {
      assertThat(first.highest(ANN)).isZero();
      JournalUnusable refusal = catchThrowableOfType(JournalUnusable.class, this::open);
      assertThat(refusal.problem()).isEqualTo(Problem.HELD);
    }
    open().close();
  }

  @Test
  void refusesAFolderThatAnotherProcessHoldsAndNamesIt() throws Exception {
    fill();
    Process holder = ForkedJvm.start(HoldFolder.class, folder.toString());
    try {
      assertThat(ForkedJvm.nextLine(holder)).isEqualTo("held");

      JournalUnusable refusal = assertRefusedUnchanged(Problem.HELD, "process " + holder.pid());
      assertThat(refusal).hasMessageContaining(folder.toRealPath().toString());
    } finally {
      holder.destroyForcibly();
      assertThat(holder.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
    // The kernel gave the lock back.
    open().close();
  }

  /** Holds a folder until it is killed. */
  static final class HoldFolder {
    public static void main(String[] args) throws Exception {
      try (DataDirectory _ = DataDirectory.hold(Path.of(args[0]))) {
        System.out.println("held");
        Thread.currentThread().join();
      }
    }
  }

  // ---- coming into being, and up to date

  @Test
  void startsAnewAfterAnAttemptToMakeTheJournalWasCutShort() throws Exception {
    Files.writeString(folder.resolve("journal.db.new"), "half a page");
    Files.writeString(folder.resolve("journal.db.new-journal"), "half a page");

    fill();

    assertThat(folder.resolve("journal.db.new")).doesNotExist();
    try (SqliteStore store = open()) {
      assertThat(store.highest(ANN)).isEqualTo(3);
    }
  }

  @Test
  void bringsAnOlderJournalUpToDate() throws Exception {
    fill();
    SqliteSchema now = SqliteSchema.current();
    List<String> scripts = new ArrayList<>();
    scripts.add("SELECT 'what made the older one'");
    for (int version = 2; version <= now.version(); version++) {
      scripts.add("SELECT 'what made a later one'");
    }
    scripts.add("CREATE TABLE later (x INTEGER) STRICT;\nINSERT INTO later VALUES (1);\n");
    SqliteSchema later = new SqliteSchema(scripts);

    later.prepare(journal());

    assertThat(later.check(journal())).isEqualTo(now.version() + 1);
    assertThat(sqlNumber("SELECT x FROM later")).isEqualTo(1);
    assertThat(sqlNumber("SELECT count(*) FROM event")).isEqualTo(3);
    assertRefusedUnchanged(Problem.NEWER, "later version");
  }

  @Test
  void leavesAnOlderJournalAsItIsWhenItCannotBeBroughtUpToDate() throws Exception {
    fill();
    SqliteSchema now = SqliteSchema.current();
    List<String> scripts = new ArrayList<>(Collections.nCopies(now.version(), "SELECT 1"));
    scripts.add("CREATE TABLE half (x);\nNOT A STATEMENT;\n");
    SqliteSchema wrong = new SqliteSchema(scripts);

    JournalUnusable refusal =
        catchThrowableOfType(JournalUnusable.class, () -> wrong.prepare(journal()));

    assertThat(refusal.problem()).isEqualTo(Problem.INACCESSIBLE);
    assertThat(sqlNumber("SELECT count(*) FROM sqlite_schema WHERE name = 'half'")).isZero();
    try (SqliteStore store = open()) {
      assertThat(store.highest(ANN)).isEqualTo(3);
    }
  }

  @Test
  void writesWithFullSyncIntoAWriteAheadLog() throws Exception {
    try (SqliteStore store = open()) {
      assertThat(store.<Long>transact(session -> session.number("PRAGMA synchronous")))
          .isEqualTo(2);
      assertThat(store.<String>read(session -> session.text("PRAGMA journal_mode")))
          .isEqualTo("wal");
    }
  }

  @Test
  void movesItsLogIntoTheJournalWhileItIsWritten() throws Exception {
    int batches = 100;
    int rows = 50;
    try (SqliteStore store = SqliteStore.open(folder, SqliteOptions.defaults(), 256)) {
      store.nodes().claim(node, 0, Duration.ZERO);
      JournalEvent event = new JournalEvent("e.v1", new byte[4_000], 0, JournalEvent.NO_DEADLINE);
      for (int batch = 1; batch <= batches; batch++) {
        long number = batch;
        store.write(
            node,
            IntStream.range(0, rows)
                .mapToObj(i -> new OwnerWrite(JournalContract.owner(i), number, List.of(event)))
                .toList(),
            List.of());
      }
      long written = 4_096L * batches * rows;

      await().until(() -> Files.size(journal()) > written / 2);
      assertThat(Files.size(folder.resolve("journal.db-wal"))).isLessThan(written);
      assertThat(store.highest(JournalContract.owner(7))).isEqualTo(batches);
    }
    assertThat(folder.resolve("journal.db-wal")).as("all of it at the end").doesNotExist();
    try (SqliteStore store = open()) {
      assertThat(store.damages()).isEmpty();
      assertThat(store.highest(JournalContract.owner(7))).isEqualTo(batches);
    }
  }

  @Test
  void beginsItsLogAnewThoughSomebodyAlwaysReads() throws Exception {
    int batches = 200;
    int rows = 50;
    try (SqliteStore store = SqliteStore.open(folder, SqliteOptions.defaults(), 64)) {
      store.nodes().claim(node, 0, Duration.ZERO);
      AtomicBoolean end = new AtomicBoolean();
      Semaphore[] begun = {new Semaphore(0), new Semaphore(0)};
      List<Thread> readers =
          IntStream.range(0, 2)
              .mapToObj(i ->
                  Thread.ofPlatform()
                      .daemon()
                      .start(() -> readUntilTheOtherDoes(store, begun[i], begun[1 - i], end)))
              .toList();
      JournalEvent event = new JournalEvent("e.v1", new byte[4_000], 0, JournalEvent.NO_DEADLINE);
      for (int batch = 1; batch <= batches; batch++) {
        long number = batch;
        store.write(
            node,
            IntStream.range(0, rows)
                .mapToObj(i -> new OwnerWrite(JournalContract.owner(i), number, List.of(event)))
                .toList(),
            List.of());
      }

      long log = Files.size(folder.resolve("journal.db-wal"));
      end.set(true);
      await()
          .until(() -> {
            begun[0].release();
            begun[1].release();
            return readers.stream().noneMatch(Thread::isAlive);
          });
      assertThat(log).isLessThan(4_096L * batches * rows / 2);
    }
  }

  /** Ends each reading only after the other has begun one. */
  private static void readUntilTheOtherDoes(
      SqliteStore store, Semaphore mine, Semaphore others, AtomicBoolean end) {
    while (!end.get()) {
      store.read(session -> {
        long number = session.number("SELECT number FROM incarnation");
        mine.drainPermits();
        others.release();
        mine.acquireUninterruptibly();
        return number;
      });
    }
  }

  // ---- a full disk

  @Test
  void writesNothingOfABatchThatFindsTheDiskFull() throws Exception {
    try (SqliteStore store = SqliteStore.open(folder, new SqliteOptions(1, 1 << 20))) {
      store.nodes().claim(node, 0, Duration.ZERO);
      byte[] payload = new byte[10_000];
      long written = 0;
      NotWritten refusal = null;
      while (refusal == null) {
        try {
          store.write(
              node,
              List.of(
                  new OwnerWrite(
                      JournalContract.owner(1_000 + written),
                      1,
                      List.of(new JournalEvent("e.v1", payload, 0, 1_000))),
                  new OwnerWrite(
                      ANN,
                      written + 1,
                      List.of(new JournalEvent("e.v1", payload, 0, JournalEvent.NO_DEADLINE)))),
              List.of());
          written++;
        } catch (NotWritten full) {
          refusal = full;
        }
      }

      assertThat(refusal.reason()).isEqualTo(Reason.FULL);
      assertThat(written).isGreaterThan(10);
      assertThat(store.highest(ANN)).isEqualTo(written);
      assertThat(store.highest(JournalContract.owner(1_000 + written))).isZero();
      assertThat(catchThrowableOfType(NotWritten.class, () -> store.probe(64 << 10)).reason())
          .isEqualTo(Reason.FULL);
      assertThat(store.damages()).isEmpty();

      store.limit(SqliteOptions.UNLIMITED);

      store.probe(64 << 10);
      store.write(node, List.of(writeOf(ANN, written + 1, 1)), List.of());
      assertThat(store.highest(ANN)).isEqualTo(written + 1);
    }
  }

  // ---- a file that is damaged while it is open

  @Test
  void writesNothingMoreOnceItFindsItsFileDamaged() throws Exception {
    fill();
    try (SqliteStore store = open()) {
      try (RandomAccessFile file = new RandomAccessFile(journal().toFile(), "rw")) {
        file.seek(4096);
        file.write(new byte[(int) file.length() - 4096]);
      }

      NotWritten refusal =
          catchThrowableOfType(
              NotWritten.class, () -> store.write(node, List.of(writeOf(ANN, 4, 1)), List.of()));

      assertThat(refusal.reason()).isEqualTo(Reason.CORRUPT);
    }
  }

  // ---- words of the tests

  private Path journal() {
    return folder.resolve("journal.db");
  }

  private SqliteStore open() throws JournalUnusable {
    return SqliteStore.open(folder, SqliteOptions.defaults());
  }

  private void fill() throws JournalUnusable {
    try (SqliteStore store = open()) {
      store.nodes().claim(node, 0, Duration.ZERO);
      store.write(node, List.of(writeOf(ANN, 1, 3)), List.of());
    }
  }

  private JournalUnusable assertRefusedUnchanged(Problem problem, String message)
      throws IOException {
    byte[] before = Files.readAllBytes(journal());

    JournalUnusable refusal = catchThrowableOfType(JournalUnusable.class, this::open);

    assertThat(refusal.problem()).isEqualTo(problem);
    assertThat(refusal).hasMessageContaining(message);
    assertThat(refusal.getMessage()).doesNotContain("\n");
    assertThat(journal()).hasBinaryContent(before);
    assertThat(folder.resolve("journal.db-wal")).doesNotExist();
    return refusal;
  }

  private void sql(String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + journal());
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private long sqlNumber(String query) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + journal());
        Statement statement = connection.createStatement()) {
      return statement.executeQuery(query).getLong(1);
    }
  }

  /** The machine's clock was ahead at the claim, and the process was killed. */
  @Test
  void isClaimedByWhoeverHoldsItsFolderThoughTheLastClaimIsOfALaterTime() throws Exception {
    try (SqliteStore store = open()) {
      assertThat(store.nodes().claim(node, 0, Duration.ZERO)).isNotNull();
    }
    sql("UPDATE incarnation SET renewed_at = renewed_at + 7200000");
    try (SqliteStore store = open()) {
      assertThat(store.nodes().claim(new NodeId("next"), 1, Duration.ofSeconds(5))).isNull();
      assertThat(store.nodes().claim(new NodeId("next"), 1, Duration.ZERO)).isNotNull();
    }
  }

  @Test
  void leavesNothingInItsFileOfWhatWasErased() throws Exception {
    String secret = "a-secret-of-a-user-who-wants-to-be-forgotten";
    byte[] payload = (secret + " ").repeat(400).getBytes(UTF_8);
    try (SqliteStore store = open()) {
      store.nodes().claim(node, 0, Duration.ZERO);
      List<JournalEvent> events = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        events.add(new JournalEvent("e.v1", payload, i, JournalEvent.NO_DEADLINE));
      }
      OwnerWrite write = new OwnerWrite(ANN, 1, events);
      for (int number = 18; number < 20; number++) {
        store.write(
            node,
            number == 18 ? List.of(write) : List.of(),
            List.of(new SnapshotWrite(ANN, number, 0, new JournalSnapshot("s.v1", payload))));
      }
      store.write(
          node,
          List.of(
              new OwnerWrite(ANN, 21, List.of(new JournalEvent("erased.v1", new byte[0], 30, 30)))),
          List.of());
      assertThat(store.erase(node, ANN, 21, 21, 40)).isTrue();
    }

    // Closed in good order, so the log is gone: all there is, is in the file.
    assertThat(folder.resolve("journal.db-wal")).doesNotExist();
    assertThat(Files.readString(folder.resolve("journal.db"), ISO_8859_1)).doesNotContain(secret);
  }
}
