package dev.holdfast.entity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.entity.Answer.Unavailable;
import dev.holdfast.entity.Answer.Unreadable;
import dev.holdfast.journal.FailingStore;
import dev.holdfast.journal.InDoubt;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerWrite;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import dev.holdfast.user.User;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users who cannot be read: for good, for now, or not as they were. */
@Timeout(60)
final class UserRecoveryTest {

  private static final OwnerKey VISITOR = new OwnerKey(7, 7);
  private static final OwnerKey OTHER = new OwnerKey(8, 8);
  private static final OwnerKey ADA = OwnerKey.ofUser("ada");
  private static final SessionId SESSION = new SessionId(1, 1);
  private static final Access ACCESS = new Access(SESSION, 1);
  private static final long NOW = 1_700_000_000_000L;

  @TempDir private Path folder;

  private SqliteStore store;
  private FailingStore failing;
  private Journal journal;
  private ActorTestKit kit;
  private NodeId node;
  private final Population population = new Population();
  private final AtomicInteger requests = new AtomicInteger();
  private final Map<OwnerKey, ActorRef<Message>> users = new ConcurrentHashMap<>();

  @BeforeEach
  void start() throws JournalUnusable {
    var config = ConfigFactory.load();
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
                "recovery",
                ConfigFactory.parseString("pekko.actor.provider = local").withFallback(config)));
  }

  @AfterEach
  void stop() {
    failing.repairReading();
    kit.shutdownTestKit();
    journal.close();
  }

  // ---------------------------------------------------------------------------------------------
  // Users whose log cannot be replayed

  @ParameterizedTest
  @ValueSource(strings = {"cart.line-set.v9", "cart.line-set.v1"})
  void saysAtOnceThatAUserCannotBeReadWhoseEventCannotBeDecoded(String name) {
    open(VISITOR);
    open(OTHER);
    stop(VISITOR);
    write(VISITOR, 2, new JournalEvent(name, "{\"sku\":\"secret\"}".getBytes(UTF_8), NOW, NOW));

    assertThat(look(VISITOR)).isEqualTo(new Unreadable());

    assertThat(population.unreadable().list())
        .singleElement()
        .satisfies(user -> {
          assertThat(user.owner()).isEqualTo(VISITOR);
          assertThat(user.number()).isEqualTo(2);
          assertThat(user.name()).isEqualTo(name);
          assertThat(user.reason()).isNotEmpty().doesNotContain("secret");
        });
    assertThat(look(OTHER)).isInstanceOf(Answer.Answered.class);
  }

  @Test
  void readsAUserWhoCannotBeReadNotAgainForEachWhoAsks() {
    open(VISITOR);
    stop(VISITOR);
    write(VISITOR, 2, unknownEvent());
    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
    int before = failing.recoveries();

    for (int i = 0; i < 100; i++) {
      assertThat(look(VISITOR)).isEqualTo(new Unreadable());
      assertThat(ask(VISITOR, new Command.Wake())).isEqualTo(new Unreadable());
      assertThat(act(VISITOR, setLine("a", 1))).isEqualTo(new Unreadable());
    }

    assertThat(failing.recoveries()).isEqualTo(before);
    assertThat(population.unreadable().count()).isEqualTo(1);
    assertThat(journal.metrics().events()).as("nothing more was written").isEqualTo(2);
  }

  @Test
  void readsAUserAgainWhoWasRepaired() throws SQLException {
    open(VISITOR);
    act(VISITOR, setLine("a", 3));
    stop(VISITOR);
    change("UPDATE event SET name = 'cart.line-set.v9' WHERE owner = ? AND seq = 2", VISITOR);
    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
    stop(VISITOR);

    change("UPDATE event SET name = 'cart.line-set.v1' WHERE owner = ? AND seq = 2", VISITOR);

    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(3);
    assertThat(population.unreadable().list()).isEmpty();
  }

  @Test
  void refusesAUserWhoseSnapshotCannotBeDecodedAndWritesNoneInItsPlace() throws SQLException {
    open(VISITOR);
    for (int i = 0; i < 10; i++) {
      act(VISITOR, setLine("a", i + 1));
    }
    stop(VISITOR);
    await().until(() -> journal.metrics().snapshots() == 1);
    change("UPDATE snapshot SET name = 'user.v9' WHERE owner = ?", VISITOR);

    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
    assertThat(population.unreadable().list())
        .singleElement()
        .satisfies(user -> assertThat(user.name()).isEqualTo("user.v9"));
    stop(VISITOR);
    assertThat(journal.metrics().snapshots()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void refusesAUserOfWhoseLogAPartIsMissing(int number) throws SQLException {
    open(VISITOR);
    for (int i = 0; i < 3; i++) {
      act(VISITOR, setLine("a", i + 1));
    }
    stop(VISITOR);
    change("DELETE FROM event WHERE owner = ? AND seq = " + number, VISITOR);

    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
  }

  @Test
  void refusesAUserWhoseSnapshotIsAheadOfTheLog() throws SQLException {
    open(VISITOR);
    act(VISITOR, setLine("a", 3));
    stop(VISITOR);
    var snapshot = new SnapshotWrite(owner(VISITOR), 2, NOW, UserCodec.encode(User.nobody()));
    store.write(node, List.of(), List.of(snapshot));
    change("DELETE FROM event WHERE owner = ? AND seq = 2", VISITOR);

    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
  }

  @Test
  void harmsNobodyElseByAFaultThatOneUserBringsUp() {
    List<OwnerKey> all = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      OwnerKey user = new OwnerKey(100 + i, 1);
      open(user);
      stop(user);
      all.add(user);
    }
    failing.damage(owner(all.get(25)));
    TestProbe<Answer> probe = kit.createTestProbe();

    all.forEach(
        user -> actor(user).tell(new Message.Ask(new Command.Look(ACCESS), probe.getRef())));

    assertThat(probe.receiveSeveralMessages(50, Duration.ofSeconds(10)))
        .filteredOn(Answer.Answered.class::isInstance)
        .hasSize(49);
    assertThat(look(all.get(25))).isEqualTo(new Unreadable());
    assertThat(population.unreadable().list())
        .singleElement()
        .satisfies(user -> assertThat(user.number()).as("not known").isZero());
  }

  @Test
  void letsNobodyWaitForALogInIntoAUserWhoCannotBeRead() {
    open(VISITOR);
    stop(VISITOR);
    stop(ADA);
    write(ADA, 1, unknownEvent());
    // As a process leaves it that dies right after the visitor's first step.
    Request request = request();
    var started =
        new Event.LogInStarted(
            new LogIn(new SessionId(9, 9), "ada", 0, MergePolicy.SUM, SESSION, request, NOW));
    write(VISITOR, 2, UserCodec.encode(new Entry(NOW, SESSION, null, started), User.NEVER));

    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
    assertThat(look(VISITOR)).isEqualTo(new Unreadable());
    var repeat = new Action.StartLogIn(new SessionId(9, 10), "ada", 0, MergePolicy.SUM);
    assertThat(ask(VISITOR, new Command.Act(ACCESS, request, Precondition.None.none(), repeat)))
        .as("something did happen")
        .isEqualTo(new Answer.Unknown());
    open(OTHER);
  }

  // ---------------------------------------------------------------------------------------------
  // A store that does not answer

  @Test
  void refusesAtOnceWhileTheStoreFailsAndServesAsSoonAsItIsBack() {
    open(VISITOR);
    stop(VISITOR);
    failing.breakReading();

    long began = System.nanoTime();
    assertThat(look(VISITOR)).isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));
    assertThat(act(VISITOR, setLine("a", 1)))
        .isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
    assertThat(population.unreadable().list()).as("that is another matter").isEmpty();

    failing.repairReading();
    assertServedWithinASecond(VISITOR);
  }

  @Test
  void refusesSoonWhileTheStoreIsSilentAndServesAsSoonAsItIsBack() {
    open(VISITOR);
    stop(VISITOR);
    failing.fallSilent();

    long began = System.nanoTime();
    assertThat(look(VISITOR)).isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(4));

    failing.repairReading();
    assertServedWithinASecond(VISITOR);
  }

  @Test
  void answersNothingFromTheBeginningOfALogWhoseEndWasNotRead() {
    open(VISITOR);
    stop(VISITOR);
    int lines = JournalSettings.from(ConfigFactory.load()).maxRecoveryEvents() + 50;
    var events = new ArrayList<JournalEvent>();
    for (int i = 0; i < lines; i++) {
      var set = new Event.LineSet(line("sku-" + i % 100, i + 1));
      events.add(UserCodec.encode(new Entry(NOW, SESSION, null, set), User.NEVER));
    }
    journal.write(new OwnerWrite(owner(VISITOR), 2, events)).join();
    failing.failNextStream();

    assertThat(look(VISITOR)).isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));

    Answer whole =
        await()
            .atMost(Duration.ofSeconds(2))
            .until(() -> look(VISITOR), answer -> answer instanceof Answer.Answered);
    assertThat(view(whole).cart().revision()).isEqualTo(lines + 1);
  }

  @Test
  void answersUsersInMemoryWhileTheStoreFails() {
    open(VISITOR);
    failing.breakReading();

    assertThat(look(VISITOR)).isInstanceOf(Answer.Answered.class);
  }

  @Test
  void findsTheOutcomeOfAWriteInDoubtOnceTheStoreIsBack() {
    open(VISITOR);
    TestProbe<Answer> probe = kit.createTestProbe();
    failing.failAfterNextCommit(new InDoubt("the connection was lost", null));
    failing.breakReading();
    actor(VISITOR).tell(new Message.Ask(action(setLine("a", 3)), probe.getRef()));
    int before = failing.recoveries();
    await().until(() -> failing.recoveries() > before);

    failing.repairReading();

    assertThat(probe.receiveMessage(Duration.ofSeconds(10))).isInstanceOf(Answer.Answered.class);
    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(3);
    assertThat(journal.metrics().inDoubt()).isEqualTo(1);
  }

  @Test
  void tellsAWriteInDoubtAsUnknownWhenTheStoreDoesNotComeBack() {
    open(VISITOR);
    failing.failAfterNextCommit(new InDoubt("the connection was lost", null));
    failing.breakReading();

    assertThat(act(VISITOR, setLine("a", 3))).isEqualTo(new Answer.Unknown());
  }

  @Test
  void tellsRepeatsOfAWriteInDoubtAsUnknownToo() {
    open(VISITOR);
    failing.failAfterNextCommit(new InDoubt("the connection was lost", null));
    failing.breakReading();
    TestProbe<Answer> repeats = kit.createTestProbe();
    TestProbe<Answer> others = kit.createTestProbe();
    Command change = action(setLine("a", 3));

    // As a caller does who asks again, and one who has sent the same key twice.
    for (int i = 0; i < 3; i++) {
      actor(VISITOR).tell(new Message.Ask(change, repeats.getRef()));
    }
    actor(VISITOR).tell(new Message.Ask(action(setLine("b", 4)), others.getRef()));

    assertThat(others.receiveMessage(Duration.ofSeconds(10)))
        .isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));
    assertThat(repeats.receiveSeveralMessages(3, Duration.ofSeconds(10)))
        .containsOnly(new Answer.Unknown());
    assertThat(ask(VISITOR, change)).isEqualTo(new Answer.Unknown());
  }

  @Test
  void tellsNobodyThatNothingHappenedWhileTheSameChangeIsOnItsWay() throws SQLException {
    open(VISITOR);
    TestProbe<Answer> first = kit.createTestProbe();
    TestProbe<Answer> held = kit.createTestProbe();
    TestProbe<Answer> others = kit.createTestProbe();
    TestProbe<Answer> tooMany = kit.createTestProbe();
    ActorRef<Message> visitor = actor(VISITOR);
    Command change = action(setLine("a", 3));
    int most = 4_096;
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN IMMEDIATE"); // nothing is written meanwhile
      visitor.tell(new Message.Ask(change, first.getRef()));
      visitor.tell(new Message.Ask(change, held.getRef()));
      for (int i = 1; i < most; i++) {
        visitor.tell(new Message.Ask(new Command.Look(ACCESS), others.getRef()));
      }
      visitor.tell(new Message.Ask(change, tooMany.getRef()));
      visitor.tell(new Message.Ask(new Command.Look(ACCESS), tooMany.getRef()));

      assertThat(tooMany.receiveSeveralMessages(2, Duration.ofSeconds(10)))
          .containsExactly(new Answer.Unknown(), new Unavailable(Answer.Cause.OVERLOADED, 1_000));
      kit.stop(visitor, Duration.ofSeconds(10));
      users.remove(VISITOR);
      assertThat(others.receiveSeveralMessages(most - 1, Duration.ofSeconds(10)))
          .as("the next owner is asked at once")
          .containsOnly(new Unavailable(Answer.Cause.NO_OWNER, 1_000));
      statement.execute("ROLLBACK");
    }
    held.expectNoMessage(Duration.ZERO);
    first.expectNoMessage(Duration.ZERO);
    await().until(() -> journal.metrics().events() == 2);
    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(3);
  }

  // ---------------------------------------------------------------------------------------------
  // Another history

  @Test
  void answersNothingFromAMemoryThatTheJournalDoesNotBack() throws SQLException {
    open(VISITOR);
    act(VISITOR, setLine("a", 3));
    act(VISITOR, setLine("b", 4));
    // As a standby that lacks the last write takes over.
    change("DELETE FROM event WHERE owner = ? AND seq = 3", VISITOR);
    failing.changeHistory();

    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(3);
    assertThat(act(VISITOR, setLine("c", 5))).isInstanceOf(Answer.Answered.class);
    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(8);
    assertThat(population.reloads()).isEqualTo(1);
  }

  @Test
  void losesNobodyWhoAsksWhileItReadsAUserAnew() {
    open(VISITOR);
    TestProbe<Answer> probe = kit.createTestProbe();
    for (int i = 0; i < 200; i++) {
      if (i % 20 == 10) {
        failing.changeHistory();
      }
      actor(VISITOR).tell(new Message.Ask(action(setLine("sku-" + i % 10, 1)), probe.getRef()));
    }

    assertThat(probe.receiveSeveralMessages(200, Duration.ofSeconds(20)))
        .hasOnlyElementsOfType(Answer.Answered.class);
    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(10);
    assertThat(population.reloads()).isPositive();
  }

  @Test
  void endsALogInWhoseStartIsNotInTheNewHistory() throws SQLException {
    open(VISITOR);
    act(VISITOR, setLine("a", 3));
    act(VISITOR, new Action.StartLogIn(new SessionId(9, 9), "ada", 0, MergePolicy.SUM));
    change("DELETE FROM event WHERE owner = ? AND seq > 2", VISITOR);
    failing.changeHistory();

    assertThat(view(look(VISITOR)).cart().itemCount()).isEqualTo(3);
  }

  // ---------------------------------------------------------------------------------------------

  private void assertServedWithinASecond(OwnerKey owner) {
    await()
        .atMost(Duration.ofSeconds(1))
        .pollInterval(Duration.ofMillis(50))
        .until(() -> look(owner) instanceof Answer.Answered);
  }

  private void open(OwnerKey owner) {
    assertThat(
            ask(
                owner,
                new Command.Open(
                    request(), SESSION, null, Json.Obj.empty(), 1_800_000, 604_800_000)))
        .isInstanceOf(Answer.Answered.class);
  }

  private Answer act(OwnerKey owner, Action action) {
    return ask(owner, action(action));
  }

  private Command action(Action action) {
    return new Command.Act(ACCESS, request(), Precondition.None.none(), action);
  }

  private Answer look(OwnerKey owner) {
    return ask(owner, new Command.Look(ACCESS));
  }

  private Answer ask(OwnerKey owner, Command command) {
    TestProbe<Answer> probe = kit.createTestProbe();
    actor(owner).tell(new Message.Ask(command, probe.getRef()));
    return probe.receiveMessage(Duration.ofSeconds(10));
  }

  private ActorRef<Message> actor(OwnerKey owner) {
    if (!users.containsKey(ADA)) {
      spawn(ADA);
    }
    ActorRef<Message> running = users.get(owner);
    return running == null ? spawn(owner) : running;
  }

  private ActorRef<Message> spawn(OwnerKey owner) {
    ActorRef<Message> actor =
        kit.spawn(
            UserEntity.create(
                owner,
                new UserEntity.Surroundings(
                    "node-1",
                    journal,
                    new TrustedClock(() -> Instant.ofEpochMilli(NOW), () -> NOW, () -> NOW),
                    RightToAnswer.ALWAYS,
                    Limits.defaults(),
                    (other, message) -> actor(other).tell(message),
                    population,
                    Event::newestForm,
                    OwnerKeys.plain()),
                leaving -> leaving.tell(new Message.Stop())));
    users.put(owner, actor);
    return actor;
  }

  private void stop(OwnerKey owner) {
    ActorRef<Message> actor = Objects.requireNonNull(users.remove(owner));
    actor.tell(new Message.Stop());
    kit.createTestProbe().expectTerminated(actor, Duration.ofSeconds(10));
  }

  private void write(OwnerKey owner, long number, JournalEvent event) {
    journal
        .write(new OwnerWrite(owner(owner), number, List.of(event)))
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }

  /** Does to the file what no program of ours would. */
  private void change(String sql, OwnerKey owner) throws SQLException {
    try (Connection connection = connect();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setBytes(1, owner(owner).bytes());
      assertThat(statement.executeUpdate()).isPositive();
    }
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
  }

  private static JournalEvent unknownEvent() {
    return new JournalEvent("cart.line-set.v9", "{}".getBytes(UTF_8), NOW, NOW);
  }

  private static Owner owner(OwnerKey key) {
    return new Owner(key.high(), key.low());
  }

  private Request request() {
    return new Request(new RequestId(0, requests.incrementAndGet()), 0, false);
  }

  private static Action setLine(String sku, int quantity) {
    return new Action.SetLine(line(sku, quantity));
  }

  private static Line line(String sku, int quantity) {
    return new Line(
        new Sku(sku), quantity, new Price(100, Price.currency("EUR")), null, Json.Obj.empty());
  }

  private static Reply.View view(Answer answer) {
    assertThat(answer).isInstanceOf(Answer.Answered.class);
    Reply reply = ((Answer.Answered) answer).reply();
    assertThat(reply).isInstanceOf(Reply.Seen.class);
    return ((Reply.Seen) reply).view();
  }
}
