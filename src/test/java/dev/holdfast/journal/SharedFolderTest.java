package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.owner;
import static dev.holdfast.journal.JournalContract.writeOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.JournalUnusable.Problem;
import dev.holdfast.journal.NodeRegistry.FenceResult;
import dev.holdfast.journal.NotWritten.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several processes on one folder. This one is a further one of them, or wants to be alone. */
@Timeout(120)
class SharedFolderTest {

  private static final int WRITERS = 3;

  /** The writers' snapshots stand for no state. */
  private static final TextReplayer ANY_STATE =
      new TextReplayer() {
        @Override
        public byte[] encode(String state) {
          return new byte[0];
        }
      };

  @TempDir Path folder;

  private final List<AutoCloseable> started = new ArrayList<>();

  @AfterEach
  void endProcesses() throws Exception {
    for (AutoCloseable process : started.reversed()) {
      process.close();
    }
  }

  // ---- who may hold the folder

  @Test
  void refusesToShareAFolderThatAnotherProcessHasAlone() throws Exception {
    Process holder = fork(Opener.class, "alone");

    JournalUnusable refusal = refusal(SqliteOptions.defaults().sharing());

    assertThat(refusal.problem()).isEqualTo(Problem.HELD);
    assertThat(refusal).hasMessageEndingWith("is in use by process " + holder.pid());
  }

  @Test
  void refusesToBeAloneInAFolderThatOthersShareAndNamesThem() throws Exception {
    Process first = fork(Opener.class, "shared");
    Process second = fork(Opener.class, "shared");

    JournalUnusable refusal = refusal(SqliteOptions.defaults());

    assertThat(refusal.problem()).isEqualTo(Problem.HELD);
    assertThat(refusal)
        .hasMessageEndingWith("is in use by processes %d, %d", first.pid(), second.pid());
    kill(first);
    assertThat(refusal(SqliteOptions.defaults()))
        .hasMessageEndingWith("is in use by process " + second.pid());
    assertThat(
            catchThrowableOfType(JournalUnusable.class, () -> SqliteStore.openToRead(folder))
                .problem())
        .isEqualTo(Problem.HELD);
    kill(second);
    SqliteStore.open(folder, SqliteOptions.defaults()).close();
  }

  @Test
  void leavesAJournalAsItIsThatAnEarlierVersionStillUses() throws Exception {
    share().close();
    List<String> scripts = new ArrayList<>();
    for (int version = 0; version <= SqliteSchema.current().version(); version++) {
      scripts.add("SELECT 'what made a version'");
    }

    JournalUnusable refusal =
        catchThrowableOfType(
            JournalUnusable.class,
            () -> new SqliteSchema(scripts).join(folder.resolve("journal.db")));

    assertThat(refusal.problem()).isEqualTo(Problem.HELD);
    assertThat(refusal).hasMessageContaining("stop all of its processes first");
  }

  @Test
  void makesNoSecondJournalBesideOneThatOthersHaveOpenAndThatWasRemoved() throws Exception {
    fork(Opener.class, "shared");
    Files.delete(folder.resolve("journal.db"));

    assertThat(refusal(SqliteOptions.defaults().sharing()).problem()).isEqualTo(Problem.MISSING);
    assertThat(folder.resolve("journal.db")).doesNotExist();
  }

  @Test
  void letsTheLastOneThatClosesTakeTheLogAway() throws Exception {
    SqliteStore store = share();
    Process other = fork(Opener.class, "shared");
    store.close();
    assertThat(folder.resolve("journal.db-wal")).exists();

    // It ends in good order when it may.
    other.outputWriter().close();

    assertThat(other.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(folder.resolve("journal.db-wal")).doesNotExist();
  }

  // ---- writing at once

  @Test
  void startsOnAnEmptyFolderHoweverManyStartAtOnce() throws Exception {
    for (int round = 0; round < 2; round++) {
      Path empty = folder.resolve("round-" + round);
      List<WriterProcess> writers = startWriters(empty);

      writers.forEach(writer -> writer.awaitMore(100));

      writers.forEach(WriterProcess::close);
      started.clear();
    }
  }

  @Test
  void givesAllTheirTurnAndHandsTheirEventsOutInTheOrderOfTheirCommits() throws Exception {
    List<WriterProcess> writers = startWriters(folder);
    writers.forEach(writer -> writer.awaitMore(1));
    try (SqliteStore store = share()) {
      AtomicBoolean end = new AtomicBoolean();
      CompletableFuture<Long> fed = CompletableFuture.supplyAsync(() -> follow(store, end));
      int[] before = writers.stream().mapToInt(WriterProcess::count).toArray();
      awaitTotal(writers, 20_000);
      int[] wrote = new int[WRITERS];
      for (int i = 0; i < WRITERS; i++) {
        wrote[i] = writers.get(i).count() - before[i];
      }
      long log = Files.size(folder.resolve("journal.db-wal"));
      Map<Integer, Long> acknowledged = new HashMap<>();
      for (WriterProcess writer : writers) {
        writer.kill();
        writer.awaitEnd();
        acknowledged.putAll(writer.acknowledged());
      }
      end.set(true);

      int total = wrote[0] + wrote[1] + wrote[2];
      assertThat(IntStream.of(wrote).boxed())
          .as("a third each, about")
          .allMatch(share -> share > total / 6);
      // Had one appeared below one that was handed out, the follower would have missed it.
      assertThat(fed.get(20, TimeUnit.SECONDS))
          .isEqualTo(store.<Long>read(session -> session.number("SELECT count(*) FROM event")));
      assertThat(acknowledged).hasSize(WRITERS * WriterProcess.OWNERS);
      assertHasAll(store, acknowledged, "at the end");
      assertThat(log).as("bytes of the log").isLessThan(8 << 20);
    }
  }

  @Test
  void losesNothingAcknowledgedAndGoesOnWhenOneOfThemIsKilled() throws Exception {
    killAndCheck(4);
  }

  @Test
  @Tag("nightly")
  @Timeout(600)
  void losesNothingAcknowledgedAndGoesOnWhenOneOfThemIsKilledManyTimes() throws Exception {
    killAndCheck(30);
  }

  private void killAndCheck(int rounds) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<Integer, Long> acknowledged = new HashMap<>();
    Duration worst = Duration.ZERO;
    List<WriterProcess> writers = startWriters(folder);
    try (SqliteStore store = share()) {
      for (int round = 0; round < rounds; round++) {
        int victim = random.nextInt(WRITERS);
        writers.forEach(writer -> writer.awaitMore(1));
        awaitTotal(writers, 500 + random.nextInt(1_000));
        writers.forEach(WriterProcess::forgetPauses);
        WriterProcess killed = writers.get(victim);
        killed.kill();
        for (WriterProcess other : writers) {
          if (other != killed) {
            other.awaitMore(300);
            worst = worst.compareTo(other.longestPause()) > 0 ? worst : other.longestPause();
          }
        }
        killed.awaitEnd();
        acknowledged.putAll(killed.acknowledged());
        assertReaches(store, killed.acknowledged(), "seed %d, round %d".formatted(seed, round));
        writers.set(victim, startWriter(folder, victim));
      }
      for (WriterProcess writer : writers) {
        writer.awaitMore(1);
        writer.kill();
        writer.awaitEnd();
        acknowledged.putAll(writer.acknowledged());
      }
      assertHasAll(store, acknowledged, "seed %d, at the end".formatted(seed));
      assertThat(store.damages()).isEmpty();
      assertThat(worst).as("pause of those that live").isLessThan(Duration.ofSeconds(10));
    }
  }

  // ---- the fence

  @Test
  void writesNothingOfANodeThatAnotherProcessHasFenced() throws Exception {
    List<WriterProcess> writers = startWriters(folder);
    writers.forEach(writer -> writer.awaitMore(200));
    try (SqliteStore store = share()) {
      NodeId successor = NodeId.random();
      assertThat(store.nodes().register(successor, 1)).isTrue();
      WriterProcess fenced = writers.getFirst();

      assertThat(store.nodes().fence(successor, fenced.node())).isEqualTo(FenceResult.FENCED);
      List<Long> then = highestOf(store, 0);

      assertThat(fenced.awaitEnd()).isEqualTo(WriterProcess.FENCED);
      assertThat(highestOf(store, 0)).isEqualTo(then);
      assertHasAll(store, fenced.acknowledged(), "what was acknowledged before the fence");
      writers.getLast().awaitMore(200);
    }
  }

  @Test
  void fencesOnlyAfterTheBatchThatAnotherProcessHasInFlight() throws Exception {
    try (SqliteStore store = share()) {
      NodeId node = NodeId.random();
      WriterProcess.join(store.nodes(), node);
      Process other = fork(BatchInFlight.class);
      NodeId otherNode = new NodeId("other");

      CompletableFuture<FenceResult> fence =
          CompletableFuture.supplyAsync(() -> store.nodes().fence(node, otherNode));
      await().during(Duration.ofMillis(200)).until(() -> !fence.isDone());
      assertThat(store.highest(owner(1))).isZero();
      other.outputWriter().close();

      assertThat(fence.get(20, TimeUnit.SECONDS)).isEqualTo(FenceResult.FENCED);
      assertThat(store.highest(owner(1))).isEqualTo(1);
      assertThat(other.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  // ---- a process that does not give its turn back

  @Test
  void countsAsStalledWhileAnotherProcessKeepsItsTurnAndGoesOnWhenThatIsKilled() throws Exception {
    SqliteStore store = share();
    NodeId node = NodeId.random();
    WriterProcess.join(store.nodes(), node);
    Config quick =
        ConfigFactory.parseString("holdfast.journal.stall-after = 300ms")
            .withFallback(ConfigFactory.load());
    try (Journal journal =
        Journal.start(store, node, JournalSettings.from(quick), InstantSource.system(), () -> {})) {
      journal.write(writeOf(owner(1), 1, 1)).get(20, TimeUnit.SECONDS);
      Process keeper = fork(TurnKeeper.class);

      CompletableFuture<Void> first = journal.write(writeOf(owner(1), 2, 1));
      await().until(() -> journal.metrics().queuedWrites() == 0);
      CompletableFuture<Void> behind = journal.write(writeOf(owner(2), 1, 1));

      await()
          .until(() ->
              journal.health().now() instanceof JournalHealth.Unavailable down
                  && down.reason() == Reason.STALLED);
      CompletionException refused = catchThrowableOfType(CompletionException.class, behind::join);
      assertThat(refused.getCause())
          .isInstanceOfSatisfying(
              NotWritten.class, no -> assertThat(no.reason()).isEqualTo(Reason.STALLED));
      assertThat(store.highest(owner(1))).as("others go on reading").isEqualTo(1);
      kill(keeper);
      first.get(20, TimeUnit.SECONDS);
      await().until(() -> journal.health().isAvailable());
      journal.write(writeOf(owner(2), 1, 1)).get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void waitsForItsTurnThoughItIsInterrupted() throws Exception {
    try (WriteTurn turn = WriteTurn.amongProcesses(folder)) {
      Process keeper = fork(TurnKeeper.class);
      CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
      Thread waiting =
          Thread.ofPlatform()
              .start(() -> {
                turn.begin();
                turn.end();
                interrupted.complete(Thread.currentThread().isInterrupted());
              });

      for (int i = 0; i < 3; i++) {
        waiting.interrupt();
        await().during(Duration.ofMillis(50)).until(() -> !interrupted.isDone());
      }
      kill(keeper);

      assertThat(interrupted.get(20, TimeUnit.SECONDS)).isTrue();
      turn.begin();
      turn.end();
    }
  }

  @Test
  void endsAProcessThatIsStoppedInItsTurn() throws Exception {
    Process keeper = fork(TurnKeeper.class);
    assertIsEndedOnceItIsStopped(keeper);
  }

  @Test
  void endsAProcessThatIsStoppedWhileItIsTheNext() throws Exception {
    Process next = fork(Next.class);
    assertIsEndedOnceItIsStopped(next);
  }

  private void assertIsEndedOnceItIsStopped(Process keeper) throws Exception {
    try (WriteTurn turn = WriteTurn.amongProcesses(folder)) {
      CompletableFuture<Void> done = CompletableFuture.runAsync(() -> takeTurn(turn));
      await().during(TurnWatch.PATIENCE.plusMillis(500)).until(() -> !done.isDone());
      assertThat(keeper.isAlive()).as("it is slow, no more").isTrue();

      Signals.freeze(keeper.pid());

      done.get(20, TimeUnit.SECONDS);
      assertThat(keeper.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(keeper.exitValue()).isEqualTo(128 + 9);
    }
  }

  @Test
  void letsAStoppedProcessAloneWhoseTurnIsOver() throws Exception {
    Process idle = fork(TurnTaker.class);
    Signals.freeze(idle.pid());
    Process keeper = fork(TurnKeeper.class);
    try (WriteTurn turn = WriteTurn.amongProcesses(folder)) {
      CompletableFuture<Void> done = CompletableFuture.runAsync(() -> takeTurn(turn));
      await().during(TurnWatch.PATIENCE.plusMillis(500)).until(() -> !done.isDone());
      kill(keeper);
      done.get(20, TimeUnit.SECONDS);
    }

    Signals.thaw(idle.pid());
    idle.outputWriter().close();

    assertThat(idle.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(idle.exitValue()).isZero();
  }

  private static void takeTurn(WriteTurn turn) {
    turn.begin();
    turn.end();
  }

  // ---- processes

  /** Has the folder open until its input ends. */
  static final class Opener {
    public static void main(String[] args) throws Exception {
      SqliteOptions options = SqliteOptions.defaults();
      try (SqliteStore store =
          SqliteStore.open(
              Path.of(args[0]), args[1].equals("shared") ? options.sharing() : options)) {
        store.probe(100);
        System.out.println("ready");
        System.in.read();
      }
    }
  }

  /** Takes its turn to write and keeps it. */
  static final class TurnKeeper {
    public static void main(String[] args) throws Exception {
      try (WriteTurn turn = WriteTurn.amongProcesses(Path.of(args[0]))) {
        turn.begin();
        System.out.println("ready");
        System.in.read();
        turn.end();
      }
    }
  }

  /** Has taken its turn and given it back. */
  static final class TurnTaker {
    public static void main(String[] args) throws Exception {
      try (WriteTurn turn = WriteTurn.amongProcesses(Path.of(args[0]))) {
        takeTurn(turn);
        System.out.println("ready");
        System.in.read();
      }
    }
  }

  /** Is the next to take its turn and does not take it. */
  static final class Next {
    public static void main(String[] args) throws Exception {
      try (FileChannel turns =
              FileChannel.open(
                  Path.of(args[0], WriteTurn.FILE),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock next = turns.lock(0, 1, false)) {
        System.out.println("ready");
        System.in.read();
        assertThat(next.isValid()).isTrue();
      }
    }
  }

  /** Has written and not committed, until its input ends. */
  static final class BatchInFlight {
    public static void main(String[] args) throws Exception {
      NodeId node = new NodeId("other");
      try (SqliteStore store =
          SqliteStore.open(Path.of(args[0]), SqliteOptions.defaults().sharing())) {
        WriterProcess.join(store.nodes(), node);
        store.transact(session -> {
          assertThat(SqliteStore.isUnfenced(session, node)).isTrue();
          session.execute(
              "INSERT INTO event (owner, seq, at, name, payload) VALUES (x'%s', 1, 0, 'e.v1', x'')"
                  .formatted(owner(1)));
          System.out.println("ready");
          try {
            return System.in.read();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
      }
    }
  }

  private Process fork(Class<?> main, String... more) throws IOException {
    List<String> args = new ArrayList<>(List.of(folder.toString()));
    args.addAll(List.of(more));
    Process process = ForkedJvm.start(main, args.toArray(String[]::new));
    started.add(() -> kill(process));
    assertThat(ForkedJvm.nextLine(process)).isEqualTo("ready");
    return process;
  }

  private static void kill(Process process) throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
  }

  private List<WriterProcess> startWriters(Path where) throws IOException {
    List<WriterProcess> writers = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      writers.add(startWriter(where, i));
    }
    return writers;
  }

  private WriterProcess startWriter(Path where, int index) throws IOException {
    WriterProcess writer = WriterProcess.onSharedSqlite(where, index * WriterProcess.OWNERS);
    started.add(writer);
    return writer;
  }

  // ---- words of the tests

  private SqliteStore share() throws JournalUnusable {
    return SqliteStore.open(folder, SqliteOptions.defaults().sharing());
  }

  private JournalUnusable refusal(SqliteOptions options) {
    return catchThrowableOfType(JournalUnusable.class, () -> SqliteStore.open(folder, options));
  }

  private static void awaitTotal(List<WriterProcess> writers, int more) {
    IntSupplier total = () -> writers.stream().mapToInt(WriterProcess::count).sum();
    int enough = total.getAsInt() + more;
    await().atMost(Duration.ofSeconds(60)).until(() -> total.getAsInt() >= enough);
  }

  /** Follows the feed, and asserts that it ascends; how many events there were. */
  private static long follow(SqliteStore store, AtomicBoolean end) {
    long[] seen = new long[2];
    boolean last = false;
    while (true) {
      boolean ending = end.get();
      int count =
          store.feed(
              seen[0],
              1_000,
              event -> {
                assertThat(event.position()).isGreaterThan(seen[0]);
                seen[0] = event.position();
                seen[1]++;
              });
      if (ending && count == 0) {
        if (last) {
          return seen[1];
        }
        last = true;
      }
    }
  }

  private static List<Long> highestOf(SqliteStore store, int first) {
    List<Long> highest = new ArrayList<>();
    for (int i = first; i < first + WriterProcess.OWNERS; i++) {
      highest.add(store.highest(owner(i)));
    }
    return highest;
  }

  private static void assertHasAll(
      SqliteStore store, Map<Integer, Long> acknowledged, String when) {
    assertThat(new JournalAudit<>(ANY_STATE).run(store).findings()).as(when).isEmpty();
    assertReaches(store, acknowledged, when);
  }

  private static void assertReaches(
      SqliteStore store, Map<Integer, Long> acknowledged, String when) {
    acknowledged.forEach((owner, number) ->
        assertThat(store.highest(owner(owner)))
            .as("%s, owner %d", when, owner)
            .isGreaterThanOrEqualTo(number));
  }
}
