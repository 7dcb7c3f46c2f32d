package dev.holdfast.entity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.entity.JournaledActorTest.Note.Do;
import dev.holdfast.journal.FailingStore;
import dev.holdfast.journal.InDoubt;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NotReplayed;
import dev.holdfast.journal.NotWritten;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerWrite;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.journal.StoredEvent;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An actor that keeps notes, over a real journal on disk. */
@Timeout(60)
final class JournaledActorTest {

  private static final Owner OWNER = new Owner(7, 7);
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int MUCH = 1_000_000;

  @TempDir private Path folder;

  private NodeId node;
  private SqliteStore store;
  private FailingStore failing;
  private Journal journal;
  private ActorTestKit kit;
  private final Diary diary = new Diary();

  @BeforeEach
  void start() throws JournalUnusable {
    start(
        """
        holdfast.journal { stall-after = 5 s, recovery { max-events = 10, prefetch-ttl = 60 s } }
        """);
  }

  private void start(String settings) throws JournalUnusable {
    Config config = ConfigFactory.parseString(settings).withFallback(ConfigFactory.load());
    node = NodeId.random();
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    assertThat(store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO))
        .isNotNull();
    failing = new FailingStore(store);
    journal =
        Journal.start(
            failing, node, JournalSettings.from(config), InstantSource.system(), () -> {});
    kit =
        ActorTestKit.create(
            ActorSystem.create(
                Behaviors.empty(),
                "notes",
                ConfigFactory.parseString("pekko.actor.provider = local").withFallback(config)));
  }

  @AfterEach
  void stop() {
    diary.gate.countDown();
    failing.repairReading();
    kit.shutdownTestKit();
    journal.close();
  }

  // ---------------------------------------------------------------------------------------------
  // Recovery

  @Test
  void comesBackFromTheSnapshotAndTheLaterEvents() {
    store(1, 5);
    store.write(
        node,
        List.of(),
        List.of(
            new SnapshotWrite(
                OWNER, 3, 0, new JournalSnapshot("notes.v1", "sum".getBytes(UTF_8)))));

    tell(spawn(), Do.LOOK, 0);

    await().until(() -> diary.lines.contains("decided 0"));
    assertThat(diary.lines).containsExactly("recovered 5: sum n4 n5", "decided 0");
  }

  @Test
  void comesBackFromNothing() {
    tell(spawn(), Do.WRITE, 0);

    await().until(() -> diary.lines.contains("written 1"));
    assertThat(diary.lines).containsExactly("recovered 0:", "decided 0", "written 1");
  }

  @Test
  void comesBackFromALongLogInParts() {
    store(1, 35);

    spawn();

    await().until(() -> !diary.lines.isEmpty());
    assertThat(diary.lines).containsExactly("recovered 35:" + notes(1, 35));
    assertThat(failing.recoveries()).isEqualTo(1);
    await().until(() -> journal.heldBytes() == 0);
  }

  @Test
  void tellsAGapInALaterPartOfALongLogAsDamage() throws SQLException {
    store(1, 35);
    deleteEvent(25);

    spawn();

    await().until(() -> !diary.lines.isEmpty());
    assertThat(diary.lines).containsExactly("DAMAGED: event 26 follows event 24");
    await().until(() -> journal.heldBytes() == 0);
  }

  /** An erasure deletes what was not read yet; then it is right the next time. */
  @Test
  void takesAGapBetweenTwoPartsOfALongLogForDamageOnlyOnceItIsThereAgain() throws SQLException {
    store(1, 35);
    deleteEvent(21);

    ActorRef<Note> notes = spawn();

    await().until(() -> !diary.lines.isEmpty());
    assertThat(diary.lines).containsExactly("STORE: event 22 follows event 20");
    tell(notes, Do.RELOAD, 0);
    await().until(() -> diary.lines.contains("DAMAGED: event 22 follows event 20"));
  }

  @Test
  void tellsASilentStoreAndReadsAgainWhenItIsTold() throws JournalUnusable {
    kit.shutdownTestKit();
    journal.close();
    start("holdfast.journal.stall-after = 300 ms");
    store(1, 2);
    failing.fallSilent();

    ActorRef<Note> notes = spawn();
    await().atMost(Duration.ofSeconds(5)).until(() -> !diary.lines.isEmpty());
    assertThat(diary.lines).containsExactly("STORE: the journal's store does not answer");

    failing.repairReading();
    await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> {
          tell(notes, Do.RELOAD, 0);
          return diary.lines.contains("recovered 2: n1 n2");
        });
  }

  @Test
  void tellsAStoreThatFailsInTheMiddleOfALongLog() {
    store(1, 35);
    failing.failNextStream();

    ActorRef<Note> notes = spawn();
    await().until(() -> !diary.lines.isEmpty());
    assertThat(diary.lines).containsExactly("STORE: the connection was lost");

    tell(notes, Do.RELOAD, 0);
    await().until(() -> diary.lines.contains("decided 0"));
    assertThat(diary.lines).endsWith("reload 0", "recovered 35:" + notes(1, 35), "decided 0");
  }

  @Test
  void givesUpItsRoomAmongTheRecoveriesWhenItStopsWhileItReads() {
    store(1, 35);
    diary.gateReplay = true;
    ActorRef<Note> notes = spawn();
    await().until(() -> diary.replaying);
    assertThat(journal.heldBytes()).isPositive();

    // Before the next part comes: the stop overtakes it.
    Adapter.toClassic(kit.system()).stop(Adapter.toClassic(notes));
    diary.gate.countDown();

    await().until(() -> diary.lines.contains("stopped"));
    assertThat(diary.lines).containsExactly("stopped");
    await().atMost(PATIENCE).until(() -> journal.heldBytes() == 0);
  }

  // ---------------------------------------------------------------------------------------------
  // Order

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void decidesInTheOrderOfTheirComingThoughItReadsAndWrites(long seed) {
    failing.fallSilent();
    ActorRef<Note> notes = spawn();
    var random = new Random(seed);
    List<String> decided = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      Do what = List.of(Do.LOOK, Do.WRITE, Do.RELOAD).get(random.nextInt(3));
      tell(notes, what, i);
      decided.add("decided " + i);
      if (i == 100) {
        failing.repairReading(); // the later ones come between readings and writes
      }
    }

    await().until(() -> diary.lines.contains("decided 199"));

    assertThat(diary.lines).filteredOn(line -> line.startsWith("decided")).isEqualTo(decided);
  }

  @Test
  void decidesOnWhatWasSetAsideBeforeLaterMessages() {
    failing.fallSilent();
    ActorRef<Note> notes = spawn();
    tell(notes, Do.ASIDE, 1);
    tell(notes, Do.LOOK, 2);
    tell(notes, Do.ASIDE, 3);
    tell(notes, Do.UNSET, 4);
    tell(notes, Do.LOOK, 5);
    await().until(() -> diary.held.get() == 5);

    failing.repairReading();

    await().until(() -> diary.lines.contains("decided 5"));
    assertThat(diary.lines)
        .containsExactly(
            "recovered 0:",
            "aside 1",
            "decided 2",
            "aside 3",
            "decided 4",
            "decided 1",
            "decided 3",
            "decided 5");
  }

  @Test
  void decidesFirstOnTheMessageForWhichItReadsAnew() {
    failing.fallSilent();
    ActorRef<Note> notes = spawn();
    tell(notes, Do.WRITE, 1);
    tell(notes, Do.RELOAD, 2);
    tell(notes, Do.LOOK, 3);
    await().until(() -> diary.held.get() == 3);

    failing.repairReading();

    await().until(() -> diary.lines.contains("decided 3"));
    assertThat(diary.lines)
        .containsExactly(
            "recovered 0:",
            "decided 1",
            "written 1",
            "reload 2",
            "recovered 1: n1",
            "decided 2",
            "decided 3");
  }

  @Test
  void decidesNeverOnWhatMayNotBeHeld() {
    failing.fallSilent();
    ActorRef<Note> notes = spawn(3);
    for (int i = 0; i < 5; i++) {
      tell(notes, Do.LOOK, i);
    }
    await().until(() -> diary.lines.contains("refused 4"));
    failing.repairReading();
    await().until(() -> diary.lines.contains("decided 2"));
    tell(notes, Do.LOOK, 5);

    await().until(() -> diary.lines.contains("decided 5"));
    assertThat(diary.lines)
        .containsExactly(
            "refused 3",
            "refused 4",
            "recovered 0:",
            "decided 0",
            "decided 1",
            "decided 2",
            "decided 5");
  }

  // ---------------------------------------------------------------------------------------------
  // Writes that fail

  @Test
  void keepsStateAndNumberWhenAWriteIsRefused() {
    store(1, 2);
    ActorRef<Note> notes = spawn();
    failing.breakDown(new NotWritten(NotWritten.Reason.FULL, "planted"));
    tell(notes, Do.WRITE, 0);
    await().until(() -> diary.lines.contains("not written: FULL, 2: n1 n2"));

    failing.repair();
    await().until(() -> journal.health().isAvailable());
    tell(notes, Do.WRITE, 1);

    await().until(() -> diary.lines.contains("written 3"));
    assertThat(numbers()).containsExactly(1L, 2L, 3L);
    assertThat(failing.recoveries()).as("it was not read again").isEqualTo(1);
  }

  @Test
  void tellsAWriteWhoseNumberAnotherProcessTookAsLost() {
    ActorRef<Note> notes = spawn();
    await().until(() -> diary.lines.contains("recovered 0:"));
    store(1, 2);

    tell(notes, Do.WRITE, 0);
    tell(notes, Do.RELOAD, 1);
    tell(notes, Do.WRITE, 2);

    await().until(() -> diary.lines.contains("written 3"));
    assertThat(diary.lines)
        .containsExactly(
            "recovered 0:",
            "decided 0",
            "not written: CONFLICT, 0:",
            "reload 1",
            "recovered 2: n1 n2",
            "decided 1",
            "decided 2",
            "written 3");
  }

  @Test
  void tellsAWriteInDoubtAsThat() {
    ActorRef<Note> notes = spawn();
    failing.failAfterNextCommit(new InDoubt("the connection was lost", null));

    tell(notes, Do.WRITE, 0);
    tell(notes, Do.RELOAD, 1);

    await().until(() -> diary.lines.contains("decided 1"));
    assertThat(diary.lines)
        .containsExactly(
            "recovered 0:",
            "decided 0",
            "not written: in doubt, 0:",
            "reload 1",
            "recovered 1: n1",
            "decided 1");
  }

  // ---------------------------------------------------------------------------------------------
  // Its end

  @Test
  void abandonsWhatItHeldWhenItIsTheMessageBeforeThatEndsIt() {
    failing.fallSilent();
    ActorRef<Note> notes = spawn();
    tell(notes, Do.ASIDE, 1);
    tell(notes, Do.WRITE, 2);
    tell(notes, Do.STOP, 3);
    tell(notes, Do.LOOK, 4);
    tell(notes, Do.WRITE, 5);
    await().until(() -> diary.held.get() == 5);

    failing.repairReading();

    await().until(() -> diary.lines.contains("stopped"));
    assertThat(diary.lines)
        .containsExactly(
            "recovered 0:",
            "aside 1",
            "decided 2",
            "written 1",
            "decided 3",
            "abandoned 1",
            "abandoned 4",
            "abandoned 5",
            "stopped");
  }

  @Test
  void abandonsWhatItHeldWhenItIsStoppedWhileItReads() {
    failing.fallSilent();
    ActorRef<Note> notes = spawn();
    tell(notes, Do.WRITE, 1);
    tell(notes, Do.LOOK, 2);
    await().until(() -> diary.held.get() == 2);

    kit.stop(notes, PATIENCE);

    assertThat(diary.lines).containsExactly("abandoned 1", "abandoned 2", "stopped");
  }

  @Test
  void abandonsWhatItHeldWhenAFaultEndsIt() {
    failing.fallSilent();
    ActorRef<Note> notes = spawn();
    tell(notes, Do.FAIL, 1);
    tell(notes, Do.LOOK, 2);
    await().until(() -> diary.held.get() == 2);

    failing.repairReading();

    kit.createTestProbe().expectTerminated(notes, PATIENCE);
    assertThat(diary.lines).containsExactly("recovered 0:", "abandoned 2", "stopped");
  }

  @Test
  void abandonsWhatItHeldWhenItIsRestartedAfterAFault() {
    failing.fallSilent();
    ActorRef<Note> notes =
        kit.spawn(
            Behaviors.supervise(Notes.create(journal, diary, MUCH))
                .onFailure(SupervisorStrategy.restart()));
    tell(notes, Do.FAIL, 1);
    tell(notes, Do.LOOK, 2);
    await().until(() -> diary.held.get() == 2);

    failing.repairReading();
    await().until(() -> diary.lines.contains("stopped"));
    tell(notes, Do.LOOK, 3);

    await().until(() -> diary.lines.contains("decided 3"));
    assertThat(diary.lines)
        .containsExactly("recovered 0:", "abandoned 2", "stopped", "recovered 0:", "decided 3");
  }

  @Test
  void decidesOnEachMessageOnceOrAbandonsItWheneverItStops() {
    var random = new Random(20_261_122);
    for (int round = 0; round < 25; round++) {
      diary.clear();
      failing.fallSilent();
      ActorRef<Note> notes = spawn();
      int messages = 1 + random.nextInt(60);
      int last = random.nextInt(messages);
      boolean fromOutside = random.nextBoolean();
      for (int i = 0; i < messages; i++) {
        var any = List.of(Do.LOOK, Do.WRITE, Do.WRITE, Do.RELOAD, Do.ASIDE, Do.UNSET);
        tell(notes, i == last && !fromOutside ? Do.STOP : any.get(random.nextInt(6)), i);
      }
      await().until(() -> diary.held.get() == messages);

      failing.repairReading();
      if (fromOutside) {
        String moment = "decided " + last;
        await()
            .pollInterval(Duration.ofMillis(1))
            .until(() ->
                diary.lines.contains(moment)
                    || diary.lines.contains("aside " + last)
                    || diary.lines.contains("reload " + last));
        kit.stop(notes, PATIENCE);
      } else {
        kit.createTestProbe().expectTerminated(notes, PATIENCE);
      }

      assertThat(diary.lines).as("round %d", round).endsWith("stopped");
      assertThat(diary.lines)
          .as("round %d", round)
          .filteredOn(line -> line.startsWith("decided") || line.startsWith("abandoned"))
          .extracting(line -> Integer.parseInt(line.substring(line.indexOf(' ') + 1)))
          .containsExactlyInAnyOrderElementsOf(IntStream.range(0, messages).boxed().toList());
    }
  }

  // ---------------------------------------------------------------------------------------------

  private ActorRef<Note> spawn() {
    return spawn(MUCH);
  }

  private ActorRef<Note> spawn(int mostHeld) {
    return kit.spawn(Notes.create(journal, diary, mostHeld));
  }

  private static void tell(ActorRef<Note> notes, Do what, int id) {
    notes.tell(new Note(what, id));
  }

  /** Writes past the actor, as another process does. */
  private void store(long first, int count) {
    var events =
        LongStream.range(first, first + count).mapToObj(number -> Notes.event(number)).toList();
    store.write(node, List.of(new OwnerWrite(OWNER, first, events)), List.of());
  }

  private void deleteEvent(long number) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
        PreparedStatement delete =
            connection.prepareStatement("DELETE FROM event WHERE owner = ? AND seq = ?")) {
      delete.setBytes(1, OWNER.bytes());
      delete.setLong(2, number);
      assertThat(delete.executeUpdate()).isEqualTo(1);
    }
  }

  private List<Long> numbers() {
    List<Long> numbers = new ArrayList<>();
    journal.eventsOf(OWNER, event -> numbers.add(event.number()));
    return numbers;
  }

  private static String notes(int first, int last) {
    var notes = new StringBuilder();
    for (int i = first; i <= last; i++) {
      notes.append(" n").append(i);
    }
    return notes.toString();
  }

  /** What is told to the actor. */
  record Note(Do what, int id) {

    enum Do {
      /** Is decided without a write. */
      LOOK,
      WRITE,
      /** Is decided after the state was read anew. */
      RELOAD,
      /** Is decided after the next UNSET. */
      ASIDE,
      UNSET,
      STOP,
      /** Ends the actor by a fault. */
      FAIL
    }
  }

  /** What the actors of one test did, and how they are held up. */
  private static final class Diary {
    final List<String> lines = new CopyOnWriteArrayList<>();
    final CountDownLatch gate = new CountDownLatch(1);

    /** How many messages were held. */
    final AtomicInteger held = new AtomicInteger();

    volatile boolean gateReplay;
    volatile boolean replaying;

    void clear() {
      lines.clear();
      held.set(0);
    }
  }

  /** Its state is the notes that it wrote. */
  private static final class Notes extends JournaledActor<Note> {
    private final Diary diary;
    private final int mostHeld;
    private final List<String> state = new ArrayList<>();
    private @Nullable Note again;
    private int unset = -1;

    static Behavior<Note> create(Journal journal, Diary diary, int mostHeld) {
      return Behaviors.setup(context -> new Notes(context, journal, diary, mostHeld).start());
    }

    private Notes(ActorContext<Note> context, Journal journal, Diary diary, int mostHeld) {
      super(context, journal, OWNER);
      this.diary = diary;
      this.mostHeld = mostHeld;
    }

    static JournalEvent event(long number) {
      return new JournalEvent(
          "note.v1", ("n" + number).getBytes(UTF_8), 0, JournalEvent.NO_DEADLINE);
    }

    private void note(String line) {
      diary.lines.add(line);
    }

    private String told() {
      return number() + ":" + (state.isEmpty() ? "" : " " + String.join(" ", state));
    }

    @Override
    protected void reset() {
      state.clear();
    }

    @Override
    protected void restore(SnapshotWrite snapshot) {
      state.add(new String(snapshot.snapshot().payload(), UTF_8));
    }

    @Override
    protected void replay(StoredEvent event) {
      assertThat(event.number()).isGreaterThan(number());
      if (diary.gateReplay) {
        diary.replaying = true;
        try {
          diary.gate.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      state.add(new String(event.event().payload(), UTF_8));
    }

    @Override
    protected void recovered(@Nullable NotReplayed why) {
      note(why == null ? "recovered " + told() : why.reason() + ": " + why.detail());
    }

    @Override
    protected void onMessage(Note note) {
      switch (note.what) {
        case LOOK -> note("decided " + note.id);
        case WRITE -> {
          note("decided " + note.id);
          write(List.of(event(number() + 1)), null);
        }
        case RELOAD -> {
          if (note.equals(again)) {
            note("decided " + note.id);
          } else {
            again = note;
            note("reload " + note.id);
            reload(note);
          }
        }
        case ASIDE -> {
          if (note.id < unset) {
            note("decided " + note.id);
          } else {
            note("aside " + note.id);
            setAside(note);
          }
        }
        case UNSET -> {
          unset = note.id;
          note("decided " + note.id);
          unsetAside();
        }
        case STOP -> {
          note("decided " + note.id);
          stop();
        }
        case FAIL -> throw new IllegalStateException("planted");
      }
    }

    @Override
    protected void written() {
      state.add("n" + number());
      note("written " + number());
    }

    @Override
    protected void notWritten(Throwable failure) {
      String why =
          switch (failure) {
            case NotWritten no -> no.reason().toString();
            case InDoubt _ -> "in doubt";
            default -> failure.toString();
          };
      note("not written: " + why + ", " + told());
    }

    @Override
    protected boolean mayHold(Note note) {
      if (heldMessages() >= mostHeld) {
        note("refused " + note.id);
        return false;
      }
      diary.held.incrementAndGet();
      return true;
    }

    @Override
    protected void abandoned(Note note) {
      note("abandoned " + note.id);
    }

    @Override
    protected void stopped() {
      note("stopped");
    }
  }
}
