package dev.holdfast.entity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.entity.Answer.Answered;
import dev.holdfast.entity.Answer.Unavailable;
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
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import dev.holdfast.user.User;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The actor over a real journal on disk; users are found in a map instead of a cluster. */
@Timeout(60)
final class UserEntityTest {

  private static final OwnerKey VISITOR = new OwnerKey(7, 7);
  private static final OwnerKey ADA = OwnerKey.ofUser("ada");
  private static final SessionId SESSION = new SessionId(1, 1);
  private static final Access ACCESS = new Access(SESSION, 1);
  private static final NodeId SUCCESSOR = new NodeId("successor");

  @TempDir private Path folder;

  private NodeId node;
  private SqliteStore store;
  private FailingStore failing;
  private Journal journal;
  private ActorTestKit kit;
  private final Population population = new Population();
  private final AtomicInteger fenced = new AtomicInteger();
  private final AtomicInteger requests = new AtomicInteger();
  private final Map<OwnerKey, ActorRef<Message>> users = new ConcurrentHashMap<>();
  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);
  private final AtomicBoolean right = new AtomicBoolean(true);
  private final AtomicBoolean clockFails = new AtomicBoolean();
  private volatile CountDownLatch clockWaits = new CountDownLatch(0);

  @BeforeEach
  void start() throws JournalUnusable {
    start(SqliteOptions.UNLIMITED);
  }

  private void start(long maxBytes) throws JournalUnusable {
    var config = ConfigFactory.load();
    node = NodeId.random();
    store = SqliteStore.open(folder, new SqliteOptions(2, maxBytes));
    assertThat(store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO))
        .isNotNull();
    failing = new FailingStore(store);
    journal =
        Journal.start(
            failing,
            node,
            JournalSettings.from(config),
            InstantSource.system(),
            fenced::incrementAndGet);
    kit =
        ActorTestKit.create(
            ActorSystem.create(
                Behaviors.empty(),
                "entity",
                ConfigFactory.parseString("pekko.actor.provider = local").withFallback(config)));
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
    journal.close();
  }

  @Test
  void answersAChangeOnlyWhenItIsInTheJournal() {
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1", "cart.line-set.v1");
  }

  @Test
  void knowsAfterARestWhatItKnewBefore() {
    open(VISITOR);
    Request request = request();
    Reply.Done first = done(act(VISITOR, request, setLine("a", 3)));
    Reply.View before = look(VISITOR);
    restUser(VISITOR);
    assertThat(look(VISITOR)).isEqualTo(before);
    restUser(VISITOR);
    Reply.Done repeated = done(act(VISITOR, request, setLine("a", 3)));
    assertThat(repeated.outcome()).isEqualTo(first.outcome());
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1", "cart.line-set.v1");
    restUser(VISITOR);
    done(act(VISITOR, setLine("b", 1)));
    assertThat(look(VISITOR).cart().lines()).hasSize(2);
  }

  /** Twice, since a user who was asked for since the last time stays awake. */
  private void restUser(OwnerKey owner) {
    actor(owner).tell(new Message.Rest());
    actor(owner).tell(new Message.Rest());
  }

  /** A repeat was refused, and then its first attempt arrives, held up on its way. */
  @Test
  void refusesForGoodWhatItRefusedOfARepeat() {
    open(VISITOR);
    var checkOut =
        new Command.Act(
            ACCESS, request(), Precondition.None.none(), new Action.CheckOut("order-1", null));
    TestProbe<Answer> probe = kit.createTestProbe();
    actor(VISITOR).tell(new Message.Ask(checkOut, new Asker.ByMessage(probe.getRef()), true, null));
    Answer refused = probe.receiveMessage(Duration.ofSeconds(10));
    assertThat(refused)
        .isInstanceOfSatisfying(
            Answered.class, answer -> assertThat(answer.reply()).isInstanceOf(Reply.Refused.class));
    done(act(VISITOR, setLine("a", 3)));

    actor(VISITOR).tell(new Message.Ask(checkOut, probe.getRef()));

    probe.expectMessage(Duration.ofSeconds(10), refused);
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1", "cart.line-set.v1");
  }

  /** The first request with a new token journals that it was used, also where it is refused. */
  @Test
  void refusesForGoodWhatItRefusedOfARepeatThoughItJournaledSomethingElse() {
    open(VISITOR);
    var rotated = new Command.Access(ACCESS.session(), ACCESS.generation() + 1);
    done(act(VISITOR, new Action.Rotate()));
    Request request = request();
    Action checkOut = new Action.CheckOut("order-1", null);
    assertThat(refusal(repeat(rotated, request, checkOut))).isEqualTo(Refusal.Reason.CART_EMPTY);
    assertThat(eventsOf(VISITOR)).endsWith("session.touched.v1");
    done(repeat(rotated, request(), setLine("a", 3)));

    TestProbe<Answer> late = kit.createTestProbe();
    var command = new Command.Act(rotated, request, Precondition.None.none(), checkOut);
    actor(VISITOR).tell(new Message.Ask(command, late.getRef()));

    assertThat(late.receiveMessage(Duration.ofSeconds(10)))
        .isInstanceOfSatisfying(
            Answered.class, answer -> assertThat(answer.reply()).isInstanceOf(Reply.Refused.class));
    assertThat(eventsOf(VISITOR)).doesNotContain("cart.checked-out.v1");
  }

  /** An attempt that was held up on its way comes after a rotation; then its caller asks again. */
  @Test
  void answersAGoodTokenThoughARepeatUnderTheOneBeforeWasRefused() {
    open(VISITOR);
    var rotated = new Command.Access(ACCESS.session(), ACCESS.generation() + 1);
    Request happened = keyedRequest();
    Reply.Done first = done(act(VISITOR, happened, setLine("a", 3)));
    done(act(VISITOR, new Action.Rotate()));
    Request neverCame = keyedRequest();

    assertThat(repeat(ACCESS, happened, setLine("a", 3)))
        .as("its own earlier attempt may be what happened")
        .isEqualTo(new Answer.Unknown());
    assertThat(refusal(repeat(ACCESS, neverCame, setLine("a", 3))))
        .isEqualTo(Refusal.Reason.SESSION_INVALID);

    Reply.Done again = done(repeat(rotated, happened, setLine("a", 3)));
    assertThat(again.replayed()).isTrue();
    assertThat(again.revision()).isEqualTo(first.revision());
    assertThat(done(repeat(rotated, neverCame, setLine("b", 1))).replayed()).isFalse();
    assertThat(repeat(ACCESS, neverCame, setLine("b", 1))).isEqualTo(new Answer.Unknown());
  }

  /** As the guide to the API says: look, correct it, and send the same key again. */
  @Test
  void doesWhatWasRefusedOfARepeatOnceItsCallerHasCorrectedIt() {
    open(VISITOR);
    Request request = keyedRequest();
    TestProbe<Answer> probe = kit.createTestProbe();
    for (boolean repeated : new boolean[] {false, true}) {
      var stale = new Command.Act(ACCESS, request, revision(99), setLine("a", 3));
      actor(VISITOR)
          .tell(new Message.Ask(stale, new Asker.ByMessage(probe.getRef()), repeated, null));
      assertThat(refusal(probe.receiveMessage(Duration.ofSeconds(10))))
          .isEqualTo(Refusal.Reason.STALE_REVISION);
    }

    var corrected = new Command.Act(ACCESS, request, revision(0), setLine("a", 3)); // an empty cart

    assertThat(done(ask(VISITOR, corrected)).replayed()).isFalse();
  }

  private static Precondition revision(long revision) {
    return new Precondition.OneOf(Set.of(revision));
  }

  /** Another request by the same key is refused, and not the one whose key it is. */
  @Test
  void replaysARequestThoughARepeatOfAnotherByItsKeyWasRefused() {
    open(VISITOR);
    Request request = keyedRequest();
    done(act(VISITOR, request, setLine("a", 3)));
    var other = new Request(request.id(), request.fingerprint() + 1, true);

    assertThat(refusal(repeat(ACCESS, other, setLine("a", 4))))
        .isEqualTo(Refusal.Reason.KEY_REUSED);

    assertThat(done(repeat(ACCESS, request, setLine("a", 3))).replayed()).isTrue();
    assertThat(look(VISITOR).cart().itemCount()).isEqualTo(3);
  }

  private Answer repeat(Command.Access access, Request request, Action action) {
    var command = new Command.Act(access, request, Precondition.None.none(), action);
    TestProbe<Answer> probe = kit.createTestProbe();
    actor(VISITOR).tell(new Message.Ask(command, new Asker.ByMessage(probe.getRef()), true, null));
    return probe.receiveMessage(Duration.ofSeconds(10));
  }

  private Request keyedRequest() {
    return new Request(new RequestId(0, requests.incrementAndGet()), 0, true);
  }

  @Test
  void comesBackFromTheJournalAsItWas() {
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    Reply.View before = look(VISITOR);
    restart(VISITOR);
    Reply.View after = look(VISITOR);
    assertThat(after.cart()).isEqualTo(before.cart());
    assertThat(after.session()).isEqualTo(before.session());
    assertThat(population.started()).as("the visitor twice").isEqualTo(2);
  }

  @Test
  void comesBackFromASnapshotAndLaterEventsAsFromAllEvents() {
    open(VISITOR);
    for (int i = 0; i < 70; i++) {
      done(act(VISITOR, setLine("sku-" + i % 7, i + 1)));
    }
    SnapshotWrite snapshot =
        await().until(() -> snapshot(VISITOR), Optional::isPresent).orElseThrow();
    var state = UserCodec.decode(snapshot.snapshot());
    var replayed = User.nobody();
    for (StoredEvent stored : stored(VISITOR)) {
      replayed = replayed.apply(UserCodec.decode(stored.event()));
      if (stored.number() == snapshot.number()) {
        assertThat(UserCodec.encode(state)).isEqualTo(UserCodec.encode(replayed));
      }
    }
    Reply.View before = look(VISITOR);
    restart(VISITOR);
    assertThat(look(VISITOR).cart()).isEqualTo(before.cart());
    assertThat(look(VISITOR).cart()).isEqualTo(replayed.cart());
  }

  @Test
  void givesARepeatTheFirstOutcomeAcrossARestart() {
    open(VISITOR);
    var request = request();
    Reply.Done first = done(act(VISITOR, request, setLine("a", 3)));
    done(act(VISITOR, setLine("a", 9)));
    restart(VISITOR);
    Reply.Done repeat = done(act(VISITOR, request, setLine("a", 3)));
    assertThat(repeat.replayed()).isTrue();
    assertThat(repeat.outcome()).isEqualTo(first.outcome());
    assertThat(repeat.revision()).isEqualTo(first.revision());
    assertThat(look(VISITOR).cart().itemCount()).isEqualTo(9);
  }

  @Test
  void bindsAVisitorToAUserInBothJournals() {
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    var user = new SessionId(9, 9);
    Reply.Done done = done(act(VISITOR, logIn(user)));
    assertThat(done.outcome()).isInstanceOf(Outcome.LoggedIn.class);
    assertThat(eventsOf(VISITOR))
        .containsExactly(
            "session.opened.v1", "cart.line-set.v1", "log-in.started.v1", "log-in.finished.v1");
    assertThat(eventsOf(ADA)).containsExactly("log-in.admitted.v1");
    Reply.View view = seen(ask(ADA, new Command.Look(new Access(user, 1))));
    assertThat(view.cart().itemCount()).isEqualTo(3);
    assertThat(refusal(ask(VISITOR, new Command.Look(ACCESS))))
        .isEqualTo(Refusal.Reason.SESSION_INVALID);
  }

  @Test
  void finishesALogInThatWasStartedBeforeARestartWithoutBeingAsked() {
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    var user = new SessionId(9, 9);
    // As a process leaves it that dies right after the visitor's first step.
    Entry started =
        new Entry(
            clock.get(),
            SESSION,
            null,
            new Event.LogInStarted(
                new LogIn(user, "ada", 0, MergePolicy.SUM, SESSION, request(), clock.get())));
    stop(VISITOR);
    write(VISITOR, 3, started);
    actor(VISITOR);
    await().until(() -> eventsOf(VISITOR).contains("log-in.finished.v1"));
    assertThat(eventsOf(ADA)).containsExactly("log-in.admitted.v1");
    assertThat(seen(ask(ADA, new Command.Look(new Access(user, 1)))).cart().itemCount())
        .isEqualTo(3);
  }

  @Test
  void answersWhatCameDuringALogInAfterItsEnd() {
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    TestProbe<Answer> logIn = kit.createTestProbe();
    TestProbe<Answer> later = kit.createTestProbe();
    ActorRef<Message> visitor = actor(VISITOR);
    visitor.tell(
        new Message.Ask(
            new Command.Act(
                ACCESS, request(), Precondition.None.none(), logIn(new SessionId(9, 9))),
            logIn.getRef()));
    for (int i = 0; i < 5; i++) {
      visitor.tell(new Message.Ask(new Command.Look(ACCESS), later.getRef()));
    }
    done(logIn.receiveMessage());
    for (int i = 0; i < 5; i++) {
      assertThat(refusal(later.receiveMessage())).isEqualTo(Refusal.Reason.SESSION_INVALID);
    }
  }

  @Test
  void refusesChangesWhileTheJournalIsFullAndGoesOnReading() throws JournalUnusable {
    stop();
    users.clear();
    start(1 << 20);
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    List<Answer> answers = new ArrayList<>();
    await()
        .until(() -> {
          Answer answer = act(VISITOR, fill());
          answers.add(answer);
          return answer instanceof Unavailable;
        });
    assertThat(answers.getLast()).isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));
    await().untilAsserted(() -> assertThat(look(VISITOR).cart().itemCount()).isEqualTo(3));
    long acknowledged = answers.stream().filter(Answered.class::isInstance).count();
    assertThat(eventsOf(VISITOR)).hasSize((int) acknowledged + 2);
  }

  @Test
  void decidesAgainOnTheTrueHistoryWhenSomebodyElseWrote() {
    open(VISITOR);
    done(act(VISITOR, setLine("a", 3)));
    write(VISITOR, 3, new Entry(clock.get(), null, null, new Event.LineSet(line("b", 5))));
    Reply.Done done = done(act(VISITOR, setLine("c", 1)));
    assertThat(done.replayed()).isFalse();
    assertThat(look(VISITOR).cart().lines())
        .extracting(line -> line.sku().value())
        .containsExactly("a", "b", "c");
    assertThat(eventsOf(VISITOR)).hasSize(4);
  }

  @Test
  void findsTheOutcomeOfAWriteInDoubtInTheJournal() {
    open(VISITOR);
    failing.failAfterNextCommit(new InDoubt("the disk failed while it committed", null));
    assertThat(done(act(VISITOR, setLine("a", 3))).outcome()).isInstanceOf(Outcome.Created.class);
    assertThat(look(VISITOR).cart().itemCount()).isEqualTo(3);
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1", "cart.line-set.v1");
  }

  @Test
  void tellsAWriteInDoubtAsUnknownWhileTheJournalStaysDown() {
    open(VISITOR);
    failing.breakDown(new InDoubt("the disk failed while it committed", null));
    assertThat(act(VISITOR, setLine("a", 3))).isEqualTo(new Answer.Unknown());
    // What comes later was never given to the journal, so that is certain.
    assertThat(act(VISITOR, setLine("b", 1)))
        .isEqualTo(new Unavailable(Answer.Cause.JOURNAL, 1_000));
    failing.repair();
    await().until(() -> act(VISITOR, setLine("c", 2)) instanceof Answered);
    assertThat(look(VISITOR).cart().itemCount()).isEqualTo(2);
  }

  @Test
  void tellsACommandThatEndsTheActorByAFaultAsUnknownAndComesBack() {
    open(VISITOR);
    clockFails.set(true);
    ActorRef<Message> faulty = actor(VISITOR);
    assertThat(act(VISITOR, setLine("a", 3))).isEqualTo(new Answer.Unknown());
    kit.createTestProbe().expectTerminated(faulty, Duration.ofSeconds(10));

    clockFails.set(false);
    users.remove(VISITOR);
    assertThat(look(VISITOR).cart().itemCount()).isZero();
    assertThat(population.inMemory()).as("the visitor, started again").isEqualTo(1);
  }

  @Test
  void countsOnlyThoseInMemoryOfWhomSomethingIsJournaled() {
    assertThat(ask(ADA, new Command.AskEpoch())).isInstanceOf(Answered.class);
    assertThat(population.inMemory()).isZero();
    open(VISITOR);
    assertThat(population.inMemory()).isEqualTo(1);
  }

  @Test
  void writesNothingOnceItsNodeIsFenced() {
    open(VISITOR);
    assertThat(store.nodes().register(SUCCESSOR, store.nodes().incarnation().number())).isTrue();
    store.nodes().fence(SUCCESSOR, node);
    assertThat(act(VISITOR, setLine("a", 3)))
        .isInstanceOf(Unavailable.class)
        .isNotEqualTo(new Unavailable(Answer.Cause.OVERLOADED, 1_000));
    await().until(() -> fenced.get() == 1);
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1");
  }

  @Test
  void journalsAnExpiryBeforeItRefusesForIt() {
    open(VISITOR);
    clock.addAndGet(1_800_000);
    assertThat(refusal(ask(VISITOR, new Command.Look(ACCESS))))
        .isEqualTo(Refusal.Reason.SESSION_INVALID);
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1", "session.expired.v1");
    clock.addAndGet(-1_000_000);
    restart(VISITOR);
    assertThat(refusal(ask(VISITOR, new Command.Look(ACCESS))))
        .isEqualTo(Refusal.Reason.SESSION_INVALID);
  }

  @Test
  void grantsATenthOfTheIdleTimeoutAfterARestartForReadsTheJournalDoesNotKnow() {
    open(VISITOR);
    clock.addAndGet(170_000);
    look(VISITOR);
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1");
    clock.addAndGet(1_799_999); // since the read, which is in memory only
    restart(VISITOR);
    look(VISITOR);
  }

  @Test
  void holdsASessionAsLongAsItSaidThoughTheClockRanBehindTheLastEntry() {
    open(VISITOR);
    long start = clock.get();
    clock.addAndGet(170_000);
    done(
        ask(
            VISITOR,
            new Command.Open(
                request(), new SessionId(2, 2), null, Json.Obj.empty(), 1_800_000, 604_800_000)));
    clock.set(start);
    long expiresAt = look(VISITOR).expiresAt();
    assertThat(expiresAt).isEqualTo(start + 170_000 + 1_800_000);
    clock.set(expiresAt - 1);
    look(VISITOR);
  }

  @Test
  void answersNothingFromMemoryWithoutTheRightTo() {
    open(VISITOR);
    right.set(false);

    assertThat(ask(VISITOR, new Command.Look(ACCESS)))
        .isEqualTo(new Answer.Unavailable(Answer.Cause.NO_OWNER, 1_000));

    right.set(true);
    look(VISITOR);
  }

  @Test
  void acknowledgesWithoutTheRightWhatTheJournalHasTaken() {
    right.set(false);
    open(VISITOR);
    assertThat(eventsOf(VISITOR)).containsExactly("session.opened.v1");
  }

  // ---------------------------------------------------------------------------------------------
  // Looks on the threads of requests

  @Test
  void showsRequestsAChangeOnceItIsAcknowledged() {
    open(VISITOR);
    for (int quantity = 1; quantity < 50; quantity++) {
      done(act(VISITOR, setLine("a", quantity)));
      Reply.View actors = look(VISITOR);
      assertThat(seen(glanced())).isEqualTo(actors);
      assertThat(actors.cart().lines().getFirst().quantity()).isEqualTo(quantity);
      done(act(VISITOR, setLine("b", quantity)));
      assertThat(seen(glanced()).cart().lines().getLast().quantity()).isEqualTo(quantity);
    }
  }

  @Test
  void showsRequestsNothingWithoutTheRightToAnswer() {
    open(VISITOR);
    look(VISITOR);
    right.set(false);
    assertThat(glance()).isNull();
    right.set(true);
    assertThat(glance()).isNotNull();
  }

  @Test
  void extendsASessionByWhatRequestsLookAt() {
    open(VISITOR);
    look(VISITOR);
    clock.addAndGet(170_000);
    assertThat(seen(glanced()).lastSeenAt()).isEqualTo(clock.get());
    clock.addAndGet(1_799_000); // not yet idle for long enough since
    ask(VISITOR, new Command.Wake());
    assertThat(eventsOf(VISITOR)).doesNotContain("session.expired.v1");
    look(VISITOR);
  }

  @Test
  void leavesToTheActorWhatMustBeJournaledFirst() {
    open(VISITOR);
    look(VISITOR);
    clock.addAndGet(180_001);
    assertThat(glance()).as("a tenth of the idle timeout is over").isNull();
    look(VISITOR);
    assertThat(eventsOf(VISITOR)).endsWith("session.touched.v1");
    assertThat(glance()).isNotNull();
    clock.addAndGet(1_800_000);
    assertThat(glance()).as("the session is over").isNull();
  }

  @Test
  void leavesASessionThatIsAboutToEndToTheActor() {
    done(
        ask(
            VISITOR,
            new Command.Open(request(), SESSION, null, Json.Obj.empty(), 10_000, 604_800_000)));
    look(VISITOR);
    clock.addAndGet(900);
    assertThat(glance()).isNotNull();
    clock.addAndGet(9_600);
    assertThat(glance()).isNull();
  }

  @Test
  void leavesRefusalsToTheActor() {
    open(VISITOR);
    look(VISITOR);
    assertThat(glance(new Access(SESSION, 2))).isNull();
    assertThat(glance(new Access(new SessionId(1, 2), 1))).isNull();
  }

  @Test
  void showsRequestsNothingOfAnotherHistoryOfTheJournal() {
    open(VISITOR);
    look(VISITOR);
    failing.changeHistory();
    assertThat(glance()).isNull();
    look(VISITOR);
    assertThat(glance()).isNotNull();
  }

  @Test
  void showsRequestsNothingWhileAWriteInDoubtIsSought() {
    open(VISITOR);
    look(VISITOR);
    failing.failAfterNextCommit(new InDoubt("the disk failed while it committed", null));
    done(act(VISITOR, setLine("a", 3)));
    assertThat(seen(glanced()).cart().lines()).hasSize(1);
  }

  @Test
  void showsRequestsNobodyWhoRestsOrHasLeft() {
    open(VISITOR);
    look(VISITOR);
    restUser(VISITOR);
    await().until(() -> !isShown());
    assertThat(glance()).isNull();
    assertThat(population.local().get(VISITOR)).as("who is there to be asked").isNotNull();
    look(VISITOR);
    assertThat(glance()).isNotNull();
    stop(VISITOR);
    assertThat(population.local().get(VISITOR)).isNull();
  }

  @Test
  void staysAwakeForWhatRequestsLookAt() {
    open(VISITOR);
    look(VISITOR);
    actor(VISITOR).tell(new Message.Rest());
    look(VISITOR);
    assertThat(glance()).isNotNull();
    actor(VISITOR).tell(new Message.Rest());
    ask(VISITOR, new Command.AskEpoch()); // the message before is dealt with
    assertThat(isShown()).isTrue();
    restUser(VISITOR);
    await().until(() -> !isShown());
  }

  /** Unlike a glance this does not count as use. */
  private boolean isShown() {
    return Objects.requireNonNull(population.local().get(VISITOR)).isShown();
  }

  /** What came straight here behind the shard's last message is not left without an answer. */
  @Test
  void answersWhatCameStraightToItBeforeItEnds() {
    open(VISITOR);
    look(VISITOR);
    ActorRef<Message> actor = actor(VISITOR);
    TestProbe<Answer> probe = kit.createTestProbe();
    var go = new CountDownLatch(1);
    clockWaits = go;
    actor.tell(new Message.Ask(new Command.AskEpoch(), kit.<Answer>createTestProbe().getRef()));
    actor.tell(new Message.Stop());
    actor.tell(new Message.Ask(new Command.Look(ACCESS), probe.getRef()));
    go.countDown();
    assertThat(seen(probe.receiveMessage(Duration.ofSeconds(10))).session().id())
        .isEqualTo(SESSION);
    kit.createTestProbe().expectTerminated(actor, Duration.ofSeconds(10));
  }

  private @Nullable Answer glance() {
    return glance(ACCESS);
  }

  private @Nullable Answer glance(Access access) {
    LocalUser local = population.local().get(VISITOR);
    return local == null ? null : local.look(new Command.Look(access), null);
  }

  private Answer glanced() {
    return Objects.requireNonNull(glance());
  }

  // ---------------------------------------------------------------------------------------------

  @Test
  void tellsTheJournalWhenTheUserMustBeWoken() {
    open(VISITOR);
    assertThat(stored(VISITOR).getLast().event().deadline()).isEqualTo(clock.get() + 1_980_000);
  }

  // ---------------------------------------------------------------------------------------------

  private void open(OwnerKey owner) {
    done(
        ask(
            owner,
            new Command.Open(request(), SESSION, null, Json.Obj.empty(), 1_800_000, 604_800_000)));
  }

  private Answer act(OwnerKey owner, Action action) {
    return act(owner, request(), action);
  }

  private Answer act(OwnerKey owner, Request request, Action action) {
    return ask(owner, new Command.Act(ACCESS, request, Precondition.None.none(), action));
  }

  private Reply.View look(OwnerKey owner) {
    return seen(ask(owner, new Command.Look(ACCESS)));
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
    var clocks =
        new TrustedClock(
            () -> {
              if (clockFails.get()) {
                throw new IllegalStateException("planted");
              }
              awaitUninterruptibly(clockWaits);
              return Instant.ofEpochMilli(clock.get());
            },
            clock::get,
            clock::get);
    ActorRef<Message> actor =
        kit.spawn(
            UserEntity.create(
                owner,
                new UserEntity.Surroundings(
                    "node-1",
                    journal,
                    clocks,
                    right::get,
                    Limits.defaults(),
                    (other, message) -> Objects.requireNonNull(users.get(other)).tell(message),
                    population,
                    Event::newestForm,
                    OwnerKeys.plain()),
                departing -> departing.tell(new Message.Stop())));
    users.put(owner, actor);
    return actor;
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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

  private void write(OwnerKey owner, long number, Entry entry) {
    JournalEvent event = UserCodec.encode(entry, User.NEVER);
    journal
        .write(new OwnerWrite(new Owner(owner.high(), owner.low()), number, List.of(event)))
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }

  private List<StoredEvent> stored(OwnerKey owner) {
    var events = new ArrayList<StoredEvent>();
    journal.eventsOf(new Owner(owner.high(), owner.low()), events::add);
    return events;
  }

  private List<String> eventsOf(OwnerKey owner) {
    return stored(owner).stream().map(stored -> stored.event().name()).toList();
  }

  private Optional<SnapshotWrite> snapshot(OwnerKey owner) {
    return Optional.ofNullable(
        store.recover(List.of(new Owner(owner.high(), owner.low())), 1_000).getFirst().snapshot());
  }

  private Request request() {
    return new Request(new RequestId(0, requests.incrementAndGet()), 0, false);
  }

  private static Action setLine(String sku, int quantity) {
    return new Action.SetLine(line(sku, quantity));
  }

  private static Action fill() {
    return new Action.PutAttribute("fill", new Json.Text("x".repeat(60_000)));
  }

  private static Action logIn(SessionId session) {
    return new Action.StartLogIn(session, "ada", 0, MergePolicy.SUM);
  }

  private static Line line(String sku, int quantity) {
    return new Line(
        new Sku(sku), quantity, new Price(100, Price.currency("EUR")), null, Json.Obj.empty());
  }

  private static Reply.Done done(Answer answer) {
    assertThat(reply(answer)).isInstanceOf(Reply.Done.class);
    return (Reply.Done) reply(answer);
  }

  private static Reply.View seen(Answer answer) {
    assertThat(reply(answer)).isInstanceOf(Reply.Seen.class);
    return ((Reply.Seen) reply(answer)).view();
  }

  private static Refusal.Reason refusal(Answer answer) {
    assertThat(reply(answer)).isInstanceOf(Reply.Refused.class);
    return ((Reply.Refused) reply(answer)).refusal().reason();
  }

  private static Reply reply(Answer answer) {
    assertThat(answer).isInstanceOf(Answered.class);
    return ((Answered) answer).reply();
  }
}
