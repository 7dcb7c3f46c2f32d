package dev.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.NotWritten.Reason;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.Persistence;
import org.apache.pekko.persistence.SaveSnapshotFailure;
import org.apache.pekko.persistence.SnapshotMetadata;
import org.apache.pekko.persistence.SnapshotProtocol;
import org.apache.pekko.persistence.SnapshotSelectionCriteria;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.EventSeq;
import org.apache.pekko.persistence.typed.JournalPersistFailed;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pekko's own persistent actors on the plugins. */
@Timeout(60)
class PersistencePluginsTest {

  private static final Duration SOON = Duration.ofSeconds(10);

  private static final Config CONFIG =
      ConfigFactory.parseString(
              """
              pekko.persistence.journal.plugin = holdfast.journal.events
              pekko.persistence.snapshot-store.plugin = holdfast.journal.snapshots
              pekko.loglevel = OFF
              pekko.stdout-loglevel = OFF
              pekko.log-dead-letters = off
              pekko.coordinated-shutdown.run-by-jvm-shutdown-hook = off
              """)
          .withFallback(ConfigFactory.load());

  @TempDir Path folder;

  private final LinkedBlockingQueue<Throwable> persistFailures = new LinkedBlockingQueue<>();

  private SqliteStore store;
  private Journal journal;
  private ActorSystem<SpawnProtocol.Command> system;

  @BeforeEach
  void start() throws JournalUnusable {
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    NodeId node = NodeId.random();
    assertThat(store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO))
        .isNotNull();
    journal =
        Journal.start(store, node, JournalSettings.from(CONFIG), InstantSource.system(), () -> {});
    system =
        ActorSystem.create(
            SpawnProtocol.create(),
            "plugins",
            ActorSystemSetup.create(BootstrapSetup.create(CONFIG), new JournalSetup(journal)));
  }

  @AfterEach
  void stop() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    journal.close();
  }

  private void restart() throws JournalUnusable {
    stop();
    start();
  }

  @Test
  void recoversWhatAnActorHasPersisted() throws Exception {
    ActorRef<Command> notes = spawn(JournalContract.ANN);
    for (String note : List.of("one", "two", "three")) {
      assertThat(ask(notes, note)).isEqualTo("ok");
    }

    restart();

    assertThat(read(spawn(JournalContract.ANN))).containsExactly("one", "two", "three");
  }

  @Test
  void recoversFromSnapshotAndLaterEvents() throws Exception {
    ActorRef<Command> notes = spawn(JournalContract.ANN);
    for (int i = 1; i <= Notes.SNAPSHOT_EVERY + 2; i++) {
      ask(notes, "note " + i);
    }
    await().until(() -> storedSnapshot() != null);

    restart();

    assertThat(read(spawn(JournalContract.ANN)))
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, Notes.SNAPSHOT_EVERY + 2).mapToObj(i -> "note " + i).toList());
    Recovered recovered = journal.recover(JournalContract.ANN).join();
    assertThat(recovered.snapshotNumber()).isEqualTo(Notes.SNAPSHOT_EVERY);
    assertThat(recovered.events()).hasSize(2);
  }

  @Test
  void answersTheThreeQuestionsOfARecoveryByOneQuery() throws Exception {
    ask(spawn(JournalContract.ANN), "one");
    restart();
    long before = journal.metrics().recoveryQueries();

    assertThat(read(spawn(JournalContract.ANN))).containsExactly("one");

    assertThat(journal.metrics().recoveryQueries() - before).isEqualTo(1);
    assertThat(journal.recoveries().heldCount()).as("used up").isZero();
  }

  @Test
  void recoversALogThatIsLongerThanMemoryIsGivenTo() throws Exception {
    int events = JournalSettings.from(CONFIG).maxRecoveryEvents() * 2 + 3;
    journal.write(notesOf(JournalContract.ANN, events)).join();

    List<String> notes = read(spawn(JournalContract.ANN));

    assertThat(notes).hasSize(events).first().isEqualTo("note 1");
    assertThat(notes).last().isEqualTo("note " + events);
  }

  @Test
  void tellsAnActorWhyItsWriteIsNotInTheJournal() throws Exception {
    ActorRef<Command> notes = spawn(JournalContract.ANN);
    ask(notes, "one");
    // Another process takes the next number.
    store.write(journal.node(), List.of(notesFrom(JournalContract.ANN, 2, 1)), List.of());

    notes.tell(new Add("lost", system.ignoreRef()));

    Throwable failure = persistFailures.poll(10, TimeUnit.SECONDS);
    assertThat(failure)
        .isInstanceOfSatisfying(
            NotWritten.class, f -> assertThat(f.reason()).isEqualTo(Reason.CONFLICT));
    await().untilAsserted(() -> assertThat(read(notes)).containsExactly("one", "note 2"));
    assertThat(ask(notes, "three")).isEqualTo("ok");
  }

  @Test
  void neverOpensItsCircuitBreaker() throws Exception {
    ActorRef<Command> notes = spawn(JournalContract.ANN);
    ask(notes, "one");
    for (int i = 0; i < 12; i++) {
      long next = 2L + i;
      store.write(journal.node(), List.of(notesFrom(JournalContract.ANN, next, 1)), List.of());
      notes.tell(new Add("lost", system.ignoreRef()));
      assertThat(persistFailures.poll(10, TimeUnit.SECONDS)).isInstanceOf(NotWritten.class);
      await().pollInterval(Duration.ofMillis(5)).until(() -> read(notes).size() == next);
    }

    assertThat(ask(notes, "last")).isEqualTo("ok");
  }

  @Test
  void writesForManyActorsInFewBatches() throws Exception {
    int actors = 200;
    List<ActorRef<Command>> all = new ArrayList<>();
    for (int i = 0; i < actors; i++) {
      all.add(spawn(JournalContract.owner(i)));
    }
    for (ActorRef<Command> notes : all) {
      read(notes);
    }

    List<CompletableFuture<String>> answers =
        all.stream().map(notes -> add(notes, "one").toCompletableFuture()).toList();
    for (CompletableFuture<String> answer : answers) {
      assertThat(answer.get(10, TimeUnit.SECONDS)).isEqualTo("ok");
    }

    assertThat(journal.metrics().events()).isEqualTo(actors);
    assertThat(journal.metrics().batches()).isLessThan(actors / 2);
  }

  @Test
  void storesNoSnapshotForPekkoItself() {
    var snapshots = Persistence.get(system).snapshotStoreFor("", ConfigFactory.empty());
    TestProbe<Object> probe = TestProbe.create(system);

    snapshots.tell(
        new SnapshotProtocol.SaveSnapshot(
            new SnapshotMetadata(JournalContract.ANN.toString(), 1, 0), "state"),
        Adapter.toClassic(probe.ref()));

    assertThat(probe.expectMessageClass(SaveSnapshotFailure.class).cause())
        .hasMessageContaining("Journal.offerSnapshot");
  }

  @Test
  void handsOutTheReasonInThePlaceOfASnapshotThatCannotBeRead() throws Exception {
    journal.write(notesOf(JournalContract.ANN, 3)).join();
    var snapshot = new JournalSnapshot("notes.v1", "note".getBytes(UTF_8));
    store.write(
        journal.node(), List.of(), List.of(new SnapshotWrite(JournalContract.ANN, 3, 0, snapshot)));
    try (var connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
        var delete = connection.createStatement()) {
      assertThat(delete.executeUpdate("DELETE FROM event WHERE seq = 3")).isEqualTo(1);
    }
    TestProbe<Object> probe = TestProbe.create(system);

    Persistence.get(system)
        .snapshotStoreFor("", ConfigFactory.empty())
        .tell(
            new SnapshotProtocol.LoadSnapshot(
                JournalContract.ANN.toString(), SnapshotSelectionCriteria.latest(), Long.MAX_VALUE),
            Adapter.toClassic(probe.ref()));

    Object instead =
        probe
            .expectMessageClass(SnapshotProtocol.LoadSnapshotResult.class)
            .snapshot()
            .get()
            .snapshot();
    assertThat(instead)
        .isInstanceOfSatisfying(
            NotReplayed.class,
            why -> {
              assertThat(why.reason()).isEqualTo(NotReplayed.Reason.DAMAGED);
              assertThat(why.detail()).isEqualTo("the snapshot of event 3 is ahead of the log");
            });
    assertThat(journal.recoveries().highest(JournalContract.ANN).join())
        .as("so nothing is replayed")
        .isZero();
  }

  private @Nullable SnapshotWrite storedSnapshot() {
    return journal.recover(JournalContract.ANN).join().snapshot();
  }

  private static OwnerWrite notesOf(Owner owner, int events) {
    return notesFrom(owner, 1, events);
  }

  private static OwnerWrite notesFrom(Owner owner, long first, int events) {
    return new OwnerWrite(
        owner,
        first,
        IntStream.range(0, events)
            .mapToObj(i -> new NoteAdapter().toJournal("note " + (first + i)))
            .toList());
  }

  private ActorRef<Command> spawn(Owner owner) throws Exception {
    return AskPattern.<SpawnProtocol.Command, ActorRef<Command>>ask(
            system,
            replyTo ->
                new SpawnProtocol.Spawn<>(
                    Notes.create(owner, journal, persistFailures),
                    owner.toString(),
                    Props.empty(),
                    replyTo),
            SOON,
            system.scheduler())
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
  }

  private CompletionStage<String> add(ActorRef<Command> notes, String note) {
    return AskPattern.ask(notes, replyTo -> new Add(note, replyTo), SOON, system.scheduler());
  }

  private String ask(ActorRef<Command> notes, String note) throws Exception {
    return add(notes, note).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private List<String> read(ActorRef<Command> notes) throws Exception {
    return AskPattern.<Command, List<String>>ask(notes, Read::new, SOON, system.scheduler())
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
  }

  private sealed interface Command {}

  private record Add(String note, ActorRef<String> replyTo) implements Command {}

  private record Read(ActorRef<List<String>> replyTo) implements Command {}

  /** A list of notes; each event is one. */
  private static final class Notes extends EventSourcedBehavior<Command, String, List<String>> {

    static final int SNAPSHOT_EVERY = 5;

    private final Owner owner;
    private final ActorContext<Command> context;
    private final Journal journal;
    private final LinkedBlockingQueue<Throwable> failures;

    static Behavior<Command> create(
        Owner owner, Journal journal, LinkedBlockingQueue<Throwable> failures) {
      return Behaviors.setup(context -> new Notes(owner, context, journal, failures));
    }

    private Notes(
        Owner owner,
        ActorContext<Command> context,
        Journal journal,
        LinkedBlockingQueue<Throwable> failures) {
      super(
          PersistenceId.ofUniqueId(owner.toString()),
          SupervisorStrategy.restartWithBackoff(Duration.ofMillis(5), Duration.ofMillis(50), 0.1)
              .withLoggingEnabled(false));
      this.owner = owner;
      this.context = context;
      this.journal = journal;
      this.failures = failures;
    }

    @Override
    public List<String> emptyState() {
      return List.of();
    }

    @Override
    public CommandHandler<Command, String, List<String>> commandHandler() {
      return (state, command) ->
          switch (command) {
            case Add add ->
                Effect()
                    .persist(add.note())
                    .thenRun(after -> {
                      snapshot(after);
                      add.replyTo().tell("ok");
                    });
            case Read read -> {
              read.replyTo().tell(state);
              yield Effect().none();
            }
          };
    }

    private void snapshot(List<String> state) {
      long number = lastSequenceNumber(context);
      if (number % SNAPSHOT_EVERY == 0) {
        journal.offerSnapshot(
            new SnapshotWrite(
                owner, number, 0, (JournalSnapshot) snapshotAdapter().toJournal(state)));
      }
    }

    @Override
    public EventHandler<List<String>, String> eventHandler() {
      return (state, note) -> {
        List<String> after = new ArrayList<>(state);
        after.add(note);
        return List.copyOf(after);
      };
    }

    @Override
    public SignalHandler<List<String>> signalHandler() {
      return newSignalHandlerBuilder()
          .onSignal(
              JournalPersistFailed.class, (state, failed) -> failures.add(failed.getFailure()))
          .build();
    }

    @Override
    public EventAdapter<String, ?> eventAdapter() {
      return new NoteAdapter();
    }

    @Override
    public SnapshotAdapter<List<String>> snapshotAdapter() {
      return new SnapshotAdapter<>() {
        @Override
        public Object toJournal(List<String> state) {
          return new JournalSnapshot("notes.v1", String.join("\n", state).getBytes(UTF_8));
        }

        @Override
        public List<String> fromJournal(Object from) {
          return List.of(new String(((JournalSnapshot) from).payload(), UTF_8).split("\n", -1));
        }
      };
    }
  }

  private static final class NoteAdapter extends EventAdapter<String, JournalEvent> {

    @Override
    public JournalEvent toJournal(String note) {
      return new JournalEvent("note.v1", note.getBytes(UTF_8), 0, JournalEvent.NO_DEADLINE);
    }

    @Override
    public String manifest(String note) {
      return "";
    }

    @Override
    public EventSeq<String> fromJournal(JournalEvent event, String manifest) {
      return EventSeq.single(new String(event.payload(), UTF_8));
    }
  }
}
