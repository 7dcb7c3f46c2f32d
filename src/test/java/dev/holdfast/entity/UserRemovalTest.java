package dev.holdfast.entity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.journal.DueOwner;
import dev.holdfast.journal.FailingStore;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NotWritten;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.Recovered;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
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

/** How a user's actor has the journal forget: purge, erasure; and what snapshots it offers. */
@Timeout(60)
final class UserRemovalTest {

  private static final OwnerKey VISITOR = new OwnerKey(7, 7);
  private static final OwnerKey OTHER = new OwnerKey(8, 8);
  private static final OwnerKey ADA = OwnerKey.ofUser("ada");
  private static final SessionId SESSION = new SessionId(1, 1);
  private static final SessionId NEW_SESSION = new SessionId(2, 2);
  private static final Duration HISTORY = Duration.ofDays(7);

  @TempDir private Path folder;

  private final NodeId node = NodeId.random();
  private SqliteStore store;
  private FailingStore failing;
  private Journal journal;
  private ActorTestKit kit;
  private final AtomicInteger requests = new AtomicInteger();
  private final Map<OwnerKey, ActorRef<Message>> users = new ConcurrentHashMap<>();
  private final List<ActorRef<Message>> departing = new CopyOnWriteArrayList<>();
  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);

  @BeforeEach
  void start() throws JournalUnusable {
    var config = ConfigFactory.load();
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    store.nodes().claim(node, 0, Duration.ZERO);
    failing = new FailingStore(store);
    journal =
        Journal.start(
            failing, node, JournalSettings.from(config), InstantSource.system(), () -> {});
    kit =
        ActorTestKit.create(
            ActorSystem.create(
                Behaviors.empty(),
                "removal",
                ConfigFactory.parseString("pekko.actor.provider = local").withFallback(config)));
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
    journal.close();
  }

  // ---- purge

  @Test
  void hasAVisitorPurgedWhoseHistoryHasHadItsTime() {
    open(VISITOR, SESSION);
    act(VISITOR, SESSION, setLine(1));
    act(VISITOR, SESSION, new Action.LogOut());
    assertThat(due(clock.get() + HISTORY.toMillis()))
        .containsExactly(new DueOwner(owner(VISITOR), clock.get() + HISTORY.toMillis()));
    open(OTHER, SESSION); // whose event has the highest position
    clock.addAndGet(HISTORY.toMillis());

    TestProbe<Answer> agenda = kit.createTestProbe();
    actor(VISITOR).tell(new Message.Ask(new Command.Wake(), agenda.getRef()));
    leaves(VISITOR);

    agenda.expectMessage(
        Duration.ofSeconds(10), new Answer.Answered(new Reply.Nothing(), "node-1"));
    assertThat(left(VISITOR)).isEqualTo(new Recovered(owner(VISITOR), null, List.of(), 0));
    assertThat(due(Long.MAX_VALUE - 1)).extracting(DueOwner::owner).doesNotContain(owner(VISITOR));
    open(VISITOR, SESSION);
    assertThat(left(VISITOR).highest()).isEqualTo(1);
  }

  @Test
  void purgesNobodyWhoComesBackBeforeTheActorHasLeft() {
    open(VISITOR, SESSION);
    act(VISITOR, SESSION, new Action.LogOut());
    open(OTHER, SESSION);
    clock.addAndGet(HISTORY.toMillis());
    TestProbe<Answer> agenda = kit.createTestProbe();
    ActorRef<Message> actor = actor(VISITOR);
    actor.tell(new Message.Ask(new Command.Wake(), agenda.getRef()));
    awaitDeparture(actor);

    open(VISITOR, NEW_SESSION);
    leaves(VISITOR);

    agenda.expectMessage(
        Duration.ofSeconds(10), new Answer.Answered(new Reply.Nothing(), "node-1"));
    assertThat(left(VISITOR).highest()).isEqualTo(3);
    assertThat(reply(ask(VISITOR, new Command.Look(new Access(NEW_SESSION, 1)))))
        .isInstanceOf(Reply.Seen.class);
  }

  @Test
  void leavesAPurgeThatFailedToTheNextSweep() {
    open(VISITOR, SESSION);
    act(VISITOR, SESSION, new Action.LogOut());
    open(OTHER, SESSION);
    clock.addAndGet(HISTORY.toMillis());
    ActorRef<Message> actor = actor(VISITOR);
    actor.tell(new Message.Ask(new Command.Wake(), kit.<Answer>createTestProbe().getRef()));
    awaitDeparture(actor);
    failing.breakDown(new NotWritten(NotWritten.Reason.UNAVAILABLE, "planted"));
    leaves(VISITOR);
    assertThat(left(VISITOR).highest()).isEqualTo(2);
    assertThat(due(clock.get())).extracting(DueOwner::owner).contains(owner(VISITOR));
    failing.repair();

    actor(VISITOR)
        .tell(new Message.Ask(new Command.Wake(), kit.<Answer>createTestProbe().getRef()));
    leaves(VISITOR);

    assertThat(left(VISITOR).highest()).isZero();
  }

  // ---- erasure

  @Test
  void tellsOfAnErasureWhenNothingFromBeforeItIsLeft() {
    openMuch();

    Reply.Done done = erase(request());

    assertThat(done.outcome()).isInstanceOf(Outcome.Erased.class);
    assertThat(done.replayed()).isFalse();
    assertThat(names(ADA)).containsExactly("user.erased.v1");
    assertThat(text(ADA)).doesNotContain("ada", "sku", "shoe");
    assertThat(reply(ask(ADA, new Command.Look(new Access(SESSION, 1)))))
        .isInstanceOf(Reply.Refused.class);
    assertThat(due(clock.get())).as("all is done").isEmpty();
    assertThat(due(clock.get() + HISTORY.toMillis()))
        .extracting(DueOwner::owner)
        .containsExactly(owner(ADA));
  }

  @Test
  void comesBackFromTheErasureAlone() {
    openMuch();
    long revision = erase(request()).revision();
    restart(ADA);

    open(ADA, NEW_SESSION);

    var view = ((Reply.Seen) reply(ask(ADA, new Command.Look(new Access(NEW_SESSION, 1))))).view();
    assertThat(view.revision()).isGreaterThan(revision);
    assertThat(view.cart().lines()).isEmpty();
    restart(ADA);
    assertThat(reply(ask(ADA, new Command.Look(new Access(NEW_SESSION, 1)))))
        .isInstanceOf(Reply.Seen.class);
  }

  @Test
  void goesOnWithAnErasureUntilTheJournalHasDeletedAll() {
    openMuch();
    Request request = request();
    TestProbe<Answer> caller = kit.createTestProbe();
    failing.refuseToErase(new NotWritten(NotWritten.Reason.UNAVAILABLE, "planted"));
    actor(ADA).tell(new Message.Ask(new Command.Erase(request), caller.getRef()));
    await().until(() -> names(ADA).contains("user.erased.v1"));
    TestProbe<Answer> repeating = kit.createTestProbe();
    actor(ADA).tell(new Message.Ask(new Command.Erase(request), repeating.getRef()));
    open(ADA, NEW_SESSION);
    caller.expectNoMessage(Duration.ofMillis(200));
    assertThat(names(ADA)).hasSizeGreaterThan(50);

    failing.repair();

    Reply.Done first = (Reply.Done) reply(caller.receiveMessage(Duration.ofSeconds(10)));
    Reply.Done second = (Reply.Done) reply(repeating.receiveMessage(Duration.ofSeconds(10)));
    assertThat(first.replayed()).isFalse();
    assertThat(second.replayed()).isTrue();
    assertThat(names(ADA)).containsExactly("user.erased.v1", "session.opened.v1");
  }

  /** The event is there, and so is all from before it. */
  private void eraseMuchThatIsNotDeleted() {
    openMuch();
    failing.refuseToErase(new NotWritten(NotWritten.Reason.UNAVAILABLE, "planted"));
    actor(ADA)
        .tell(
            new Message.Ask(new Command.Erase(request()), kit.<Answer>createTestProbe().getRef()));
    await().until(() -> names(ADA).contains("user.erased.v1"));
  }

  @Test
  void isWokenToFinishAnErasureThatWasCutShortThoughTheUserHasComeBack() {
    eraseMuchThatIsNotDeleted();
    open(ADA, NEW_SESSION);
    stop(ADA);
    assertThat(due(clock.get())).extracting(DueOwner::owner).containsExactly(owner(ADA));
    failing.repair();

    ask(ADA, new Command.Wake());

    await().until(() -> names(ADA).equals(List.of("user.erased.v1", "session.opened.v1")));
    await().until(() -> due(clock.get()).isEmpty());
    assertThat(due(Long.MAX_VALUE - 1)).extracting(DueOwner::owner).containsExactly(owner(ADA));
  }

  @Test
  void isWokenToFinishAnErasureThatWasCutShort() {
    eraseMuchThatIsNotDeleted();
    stop(ADA);
    assertThat(left(ADA).snapshot()).as("from before").isNotNull();
    assertThat(due(clock.get())).extracting(DueOwner::owner).containsExactly(owner(ADA));
    failing.repair();

    ask(ADA, new Command.Wake());

    await().until(() -> names(ADA).equals(List.of("user.erased.v1")));
    await().until(() -> due(clock.get()).isEmpty());
    assertThat(text(ADA)).doesNotContain("ada", "sku", "shoe");
  }

  @Test
  void erasesAUserDuringALogInWhichIsThenRefused() {
    open(VISITOR, SESSION);
    act(VISITOR, SESSION, setLine(1));
    open(ADA, NEW_SESSION);
    // The known user's actor does not hear of it before it is erased.
    ActorRef<Message> ada = actor(ADA);
    TestProbe<Message> deaf = kit.createTestProbe();
    users.put(ADA, deaf.getRef());
    TestProbe<Answer> browser = startLogIn();
    deaf.receiveMessage(Duration.ofSeconds(10));
    users.put(ADA, ada);

    assertThat(erase(request()).outcome()).isInstanceOf(Outcome.Erased.class);

    var refused = (Reply.Refused) reply(browser.receiveMessage(Duration.ofSeconds(10)));
    assertThat(refused.refusal().reason()).isEqualTo(Refusal.Reason.LOG_IN_OVERTAKEN);
    var view = ((Reply.Seen) reply(ask(VISITOR, new Command.Look(new Access(SESSION, 1))))).view();
    assertThat(view.cart().lines()).hasSize(1);
    assertThat(names(ADA)).containsExactly("user.erased.v1");
  }

  @Test
  void erasesAFrozenVisitorWhenTheLogInHasEnded() {
    open(VISITOR, SESSION);
    TestProbe<Message> deaf = kit.createTestProbe();
    users.put(ADA, deaf.getRef());
    TestProbe<Answer> browser = startLogIn();
    deaf.receiveMessage(Duration.ofSeconds(10));
    TestProbe<Answer> caller = kit.createTestProbe();
    actor(VISITOR).tell(new Message.Ask(new Command.Erase(request()), caller.getRef()));
    users.remove(ADA);
    actor(ADA);

    assertThat(reply(browser.receiveMessage(Duration.ofSeconds(10))))
        .isInstanceOf(Reply.Done.class);
    assertThat(reply(caller.receiveMessage(Duration.ofSeconds(10)))).isInstanceOf(Reply.Done.class);
    assertThat(names(VISITOR)).containsExactly("user.erased.v1");
  }

  // ---- snapshots

  @Test
  void offersASnapshotAgainWhenTheJournalHasDroppedOne() {
    open(ADA, SESSION);
    failing.refuseSnapshots(new NotWritten(NotWritten.Reason.UNAVAILABLE, "no snapshots now"));
    for (int i = 1; i < 50; i++) {
      act(ADA, SESSION, setLine(i));
    }
    await().until(() -> journal.metrics().droppedSnapshots() == 1);
    failing.takeSnapshots();
    await().until(() -> journal.health().isAvailable());

    // Heavy enough that their number decides, and not what they weigh.
    for (int i = 0; i < 50; i++) {
      act(ADA, SESSION, new Action.PutAttribute("fill", new Json.Text("y".repeat(1_000))));
    }

    await().until(() -> left(ADA).snapshotNumber() == 100);
  }

  @Test
  void offersASnapshotOfALargeStateOnlyWhenTheEventsSinceWeighTwiceAsMuch() {
    open(ADA, SESSION);
    for (int i = 0; i < 3; i++) {
      act(ADA, SESSION, new Action.PutAttribute("fill" + i, new Json.Text("x".repeat(20_000))));
    }
    // The receipts of checkouts of a full cart hold the whole cart each.
    var line =
        new Line(
            new Sku("sku"),
            1,
            new Price(1, Price.currency("EUR")),
            null,
            Json.Obj.empty().with("x", new Json.Text("x".repeat(4_000))));
    for (int i = 0; i < 30; i++) {
      act(ADA, SESSION, new Action.SetLine(line));
      act(ADA, SESSION, new Action.CheckOut("o" + i, null));
    }
    await().until(() -> left(ADA).snapshotNumber() == 50);
    int weight = Objects.requireNonNull(left(ADA).snapshot()).snapshot().payload().length;
    assertThat(weight).isGreaterThan(100 << 10);

    while (weights(ADA).skip(50).sum() < 2 * weight) {
      assertThat(left(ADA).snapshotNumber()).isEqualTo(50);
      act(ADA, SESSION, new Action.PutAttribute("fill0", new Json.Text("y".repeat(3_000))));
    }
    long due = weights(ADA).count();
    await().until(() -> left(ADA).snapshotNumber() == due);
  }

  // ---- words of the tests

  private void openMuch() {
    open(ADA, SESSION);
    for (int i = 0; i < 60; i++) {
      act(ADA, SESSION, setLine(i + 1));
    }
    await().until(() -> left(ADA).snapshot() != null);
  }

  /** The visitor logs in as Ada; the answer comes when she has. */
  private TestProbe<Answer> startLogIn() {
    TestProbe<Answer> browser = kit.createTestProbe();
    actor(VISITOR)
        .tell(
            new Message.Ask(
                new Command.Act(
                    new Access(SESSION, 1),
                    request(),
                    Precondition.None.none(),
                    new Action.StartLogIn(new SessionId(3, 3), "ada", 0, MergePolicy.SUM)),
                browser.getRef()));
    return browser;
  }

  private void open(OwnerKey owner, SessionId session) {
    assertThat(
            reply(
                ask(
                    owner,
                    new Command.Open(
                        request(),
                        session,
                        owner.equals(ADA) ? "ada" : null,
                        Json.Obj.empty().with("shoe", new Json.Num("42")),
                        1_800_000,
                        604_800_000))))
        .isInstanceOf(Reply.Done.class);
  }

  private void act(OwnerKey owner, SessionId session, Action action) {
    assertThat(
            reply(
                ask(
                    owner,
                    new Command.Act(
                        new Access(session, 1), request(), Precondition.None.none(), action))))
        .isInstanceOf(Reply.Done.class);
  }

  private Reply.Done erase(Request request) {
    return (Reply.Done) reply(ask(ADA, new Command.Erase(request)));
  }

  private Answer ask(OwnerKey owner, Command command) {
    TestProbe<Answer> probe = kit.createTestProbe();
    actor(owner).tell(new Message.Ask(command, probe.getRef()));
    return probe.receiveMessage(Duration.ofSeconds(10));
  }

  private static Reply reply(Answer answer) {
    assertThat(answer).isInstanceOf(Answer.Answered.class);
    return ((Answer.Answered) answer).reply();
  }

  private ActorRef<Message> actor(OwnerKey owner) {
    return users.computeIfAbsent(
        owner,
        _ -> {
          var clocks =
              new TrustedClock(() -> Instant.ofEpochMilli(clock.get()), clock::get, clock::get);
          return kit.spawn(
              UserEntity.create(
                  owner,
                  new UserEntity.Surroundings(
                      "node-1",
                      journal,
                      clocks,
                      RightToAnswer.ALWAYS,
                      Limits.defaults(),
                      (other, message) -> actor(other).tell(message),
                      new Population(),
                      Event::newestForm,
                      OwnerKeys.plain()),
                  departing::add));
        });
  }

  /** The actor has asked to leave; what its shard then does. */
  private void leaves(OwnerKey owner) {
    awaitDeparture(actor(owner));
    stop(owner);
  }

  private void awaitDeparture(ActorRef<Message> actor) {
    await().until(() -> departing.contains(actor));
  }

  private void restart(OwnerKey owner) {
    stop(owner);
    actor(owner);
  }

  private void stop(OwnerKey owner) {
    ActorRef<Message> actor = Objects.requireNonNull(users.remove(owner));
    actor.tell(new Message.Stop());
    kit.createTestProbe().expectTerminated(actor, Duration.ofSeconds(10));
  }

  private Recovered left(OwnerKey owner) {
    return store.recover(List.of(owner(owner)), 1_000).getFirst();
  }

  private List<DueOwner> due(long now) {
    return store.due(List.of(OwnerRange.ALL), now, 100, null);
  }

  /** The bytes of each event that is kept. */
  private IntStream weights(OwnerKey owner) {
    var weights = IntStream.builder();
    journal.eventsOf(owner(owner), event -> weights.add(event.event().payload().length));
    return weights.build();
  }

  private List<String> names(OwnerKey owner) {
    var names = new ArrayList<String>();
    journal.eventsOf(owner(owner), event -> names.add(event.event().name()));
    return names;
  }

  private String text(OwnerKey owner) {
    var text = new StringBuilder();
    journal.eventsOf(
        owner(owner), event -> text.append(new String(event.event().payload(), UTF_8)));
    var snapshot = left(owner).snapshot();
    return text + (snapshot == null ? "" : new String(snapshot.snapshot().payload(), UTF_8));
  }

  private static Owner owner(OwnerKey key) {
    return new Owner(key.high(), key.low());
  }

  private Request request() {
    return new Request(new RequestId(0, requests.incrementAndGet()), 0, false);
  }

  private static Action setLine(int quantity) {
    return new Action.SetLine(
        new Line(
            new Sku("sku"),
            quantity + 1,
            new Price(100, Price.currency("EUR")),
            null,
            Json.Obj.empty()));
  }
}
