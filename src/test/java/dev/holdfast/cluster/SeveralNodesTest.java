package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cluster.NodeStatus.State;
import dev.holdfast.cluster.SeveralNodes.Member;
import dev.holdfast.entity.Answer;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.NodeRegistry.Incarnation;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.SessionId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.pekko.actor.AbstractActor;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystemImpl;
import org.apache.pekko.actor.Props;
import org.apache.pekko.actor.SystemGuardian;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nodes that find each other by their journal, share the users, lose one another, and leave. */
@Timeout(120)
final class SeveralNodesTest {

  private static final int USERS = 120;

  private SeveralNodes nodes;

  @BeforeEach
  void prepare() {
    nodes = new SeveralNodes();
  }

  @AfterEach
  void endAll() {
    nodes.close();
  }

  @Test
  void makesOneClusterOfNodesThatStartAtOnceAndSharesTheUsersOut() throws Exception {
    List<Member> members = nodes.startAtOnce(3);

    assertThat(members).extracting(member -> member.node.incarnation()).containsOnly(1L);
    for (Member member : members) {
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() ->
              assertThat(member.node.membership().nodes())
                  .extracting(NodeStatus::name, NodeStatus::state)
                  .containsExactly(
                      tuple("node-1", State.UP),
                      tuple("node-2", State.UP),
                      tuple("node-3", State.UP)));
    }
    awaitShards(members.getFirst(), 6, 6, 6);
    for (int i = 0; i < USERS; i++) {
      OwnerKey owner = SeveralNodes.open(members.get(i % 3).node, i);
      assertThat(SeveralNodes.look(members.get((i + 1) % 3).node, owner, i))
          .isInstanceOf(Answer.Answered.class);
    }
    long inMemory = members.stream().mapToLong(m -> m.node.population().inMemory()).sum();
    assertThat(inMemory)
        .as("each user in one place")
        .isBetween((long) USERS, USERS + SeveralNodes.SHARDS + 1L);
  }

  @Test
  void asksUsersInUseOfTheirNodeItselfAndFindsThemAgainWhenTheyHaveMoved() throws Exception {
    List<Member> members = nodes.startAtOnce(3);
    Member asking = members.get(0);
    Member leaving = members.get(1);
    awaitShards(asking, 6, 6, 6);
    List<OwnerKey> owners = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      owners.add(SeveralNodes.open(asking.node, i));
    }
    // Once more, now that it is known who has answered for each shard.
    awaitLooksBesideTheRegion(asking, owners);
    assertThat(asking.node.ways().peer()).isGreaterThanOrEqualTo(USERS / 3);
    assertThat(asking.node.ways().looks()).isPositive();

    leaving.drainAndLeave();

    lookAtAll(asking, owners);
    for (int i = 0; i < USERS; i++) {
      assertThat(SeveralNodes.write(asking.node, owners.get(i), i))
          .isInstanceOf(Answer.Answered.class);
    }
    awaitLooksBesideTheRegion(asking, owners);
  }

  @Test
  void givesUsersToANodeOnlyOnceItServes() throws Exception {
    Member first = nodes.start("node-1");
    awaitShards(first, 18);

    Member second = nodes.join("node-2");
    Member third = nodes.start("node-3");
    // By then the second has been a member for longer than the third.
    awaitShards(first, 0, 9, 9);
    assertThat(second.node.isUp()).isTrue();
    assertThat(second.node.shards()).isZero();

    second.serves();
    awaitShards(first, 6, 6, 6);
    assertThat(third.node.shards()).isPositive();
  }

  @Test
  void givesUsersToNodesThatDoNotServeYetWhereNobodyElseIs() throws Exception {
    Member first = nodes.join("node-1");
    awaitShards(first, 18);

    Member second = nodes.join("node-2");
    first.drainAndLeave();

    awaitShards(second, 18);
  }

  private static void awaitLooksBesideTheRegion(Member asking, List<OwnerKey> owners) {
    await()
        .untilAsserted(() -> {
          long before = asking.node.ways().region();
          lookAtAll(asking, owners);
          assertThat(asking.node.ways().region()).isEqualTo(before);
        });
  }

  private static void lookAtAll(Member asking, List<OwnerKey> owners) {
    for (int i = 0; i < owners.size(); i++) {
      assertThat(SeveralNodes.look(asking.node, owners.get(i), i))
          .isInstanceOf(Answer.Answered.class);
    }
  }

  @Test
  void refusesANodeThatSignsTokensWithAnotherKey() {
    nodes.start("node-1", List.of("old", "new"));
    nodes.start("node-2", List.of("new", "old"));
    assertThatThrownBy(() -> nodes.start("node-3", List.of("made-here")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("holdfast.token-keys");
  }

  @Test
  void handsAllUsersOverBeforeItLeavesAndLosesNoRequest() throws Exception {
    List<Member> members = nodes.startAtOnce(3);
    awaitShards(members.getFirst(), 6, 6, 6);
    open(members);
    Member leaving = members.get(1);
    try (var load = new Load(members.get(0), members.get(2))) {
      leaving.drainAndLeave();

      awaitShards(members.getFirst(), 9, 9);
      load.judge(Duration.ofSeconds(1));
    }
    assertThat(leaving.halted).isFalse();
    assertThat(members.getFirst().journal.nodes().isFenced(leaving.id())).isTrue();
  }

  @Test
  void drainsTheNodeOfTheCoordinatorLikeAnyOtherAndThenTheLastOne() throws Exception {
    Member oldest = nodes.start("node-1");
    Member second = nodes.start("node-2");
    awaitShards(oldest, 9, 9);
    open(List.of(oldest, second));
    try (var load = new Load(second)) {
      oldest.drainAndLeave();
      awaitShards(second, 18);
      load.judge(Duration.ofSeconds(2));
    }
    assertThat(second.journal.nodes().incarnation()).isEqualTo(new Incarnation(1, false));

    second.drainAndLeave();

    Member next = nodes.start("node-3");
    assertThat(next.node.incarnation()).as("claimed at once").isEqualTo(2);
    assertThat(SeveralNodes.look(next.node, OwnerKey.ofUser("user-0"), 0))
        .isInstanceOf(Answer.Answered.class);
  }

  @Test
  void letsOneNodeLeaveAfterTheOther() throws Exception {
    List<Member> members = nodes.startAtOnce(3);
    awaitShards(members.getFirst(), 6, 6, 6);
    Member staying = members.get(0);
    var bothPart = new AtomicBoolean();
    try (var leavers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> left = new ArrayList<>();
      for (Member member : members.subList(1, 3)) {
        left.add(leavers.submit(member::drainAndLeave));
      }
      await()
          .pollInterval(Duration.ofMillis(20))
          .until(() -> {
            List<Long> shards = shards(staying);
            if (shards.stream().filter(n -> n > 0 && n < 6).count() > 1) {
              bothPart.set(true);
            }
            return shards.contains((long) SeveralNodes.SHARDS);
          });
      for (Future<?> one : left) {
        one.get();
      }
    }
    assertThat(bothPart).as("both had given some and kept some").isFalse();
    assertThat(staying.halted).isFalse();
  }

  /** As after the store was away, or a step of its clock: whoever starts must not be quicker. */
  @Test
  void doesNotTakeAClusterForGoneWhoseNodesAreThere() throws Exception {
    Member living = nodes.start("node-1");
    awaitShards(living, 18);

    try (var hiding = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> hidden =
          hiding.submit(() -> {
            nodes.hideRenewals(Duration.ofMillis(1_500));
            return null;
          });
      Member second = nodes.start("node-2");
      hidden.get();
      assertThat(second.node.incarnation()).isEqualTo(1);
    }

    assertThat(living.halted).isFalse();
    assertThat(living.node.membership().nodes()).hasSize(2);
  }

  /** As when a stream of the remoting hangs: there is something that holds its end up. */
  @Test
  void leavesThoughItsActorSystemDoesNotEnd() throws Exception {
    Member staying = nodes.start("node-1");
    Member leaving = nodes.start("node-2");
    awaitShards(staying, 9, 9);
    var system = (ActorSystemImpl) Adapter.toClassic(leaving.node.system());
    ActorRef holding = system.systemActorOf(Props.create(DoesNotEnd.class), "does-not-end");
    system.systemGuardian().tell(SystemGuardian.RegisterTerminationHook$.MODULE$, holding);
    try {
      leaving.drainAndLeave();

      assertThat(system.whenTerminated().isCompleted()).isFalse();
      awaitShards(staying, 18);
      assertThat(staying.node.membership().nodes()).hasSize(1);
    } finally {
      system.stop(holding);
    }
  }

  private static final class DoesNotEnd extends AbstractActor {
    @Override
    public Receive createReceive() {
      return receiveBuilder().matchAny(_ -> {}).build();
    }
  }

  @Test
  void fencesALostNodeAndTakesItsUsersOver() throws Exception {
    List<Member> members = nodes.startAtOnce(3);
    awaitShards(members.getFirst(), 6, 6, 6);
    open(members);
    Member oldest = oldest(members);
    Member lost = members.stream().filter(member -> member != oldest).findFirst().orElseThrow();

    lost.crash();

    answersAllUsers(oldest);
    assertThat(oldest.journal.nodes().isFenced(lost.id())).isTrue();
    await()
        .untilAsserted(() ->
            assertThat(oldest.node.membership().takeovers())
                .singleElement()
                .satisfies(takeover -> {
                  assertThat(takeover.node()).isEqualTo(lost.name);
                  assertThat(takeover.tier()).isEqualTo(Tier.PROOF);
                  assertThat(takeover.shards()).isEqualTo(6);
                  assertThat(takeover.took()).isNotNull();
                }));
    await().untilAsserted(() -> assertThat(lost.halted).isTrue());
  }

  @Test
  void takesTheUsersOfTheCoordinatorsNodeOverToo() throws Exception {
    List<Member> members = nodes.startAtOnce(3);
    awaitShards(members.getFirst(), 6, 6, 6);
    open(members);
    Member lost = oldest(members);
    Member other = members.stream().filter(member -> member != lost).findFirst().orElseThrow();

    lost.crash();

    answersAllUsers(other);
    assertThat(other.journal.nodes().isFenced(lost.id())).isTrue();
    assertThat(other.journal.nodes().incarnation()).isEqualTo(new Incarnation(1, false));
  }

  /**
   * It cannot know but that the other, who is cut off from it, has fenced it and holds its users.
   */
  @Test
  void answersNothingFromMemoryWhenItIsLeftAloneUntilTheJournalSaysThatItIsNotFenced() {
    var cut = new AtomicBoolean();
    Member other = nodes.start("node-1");
    Member alone = nodes.join("node-2", store -> cutOff(store, cut));
    alone.serves();
    awaitShards(alone, 9, 9);
    open(List.of(other, alone));
    int own = IntStream.range(0, USERS).filter(i -> holds(alone, i)).findFirst().orElseThrow();
    cut.set(true);
    assertThat(holds(alone, own)).as("granted by both").isTrue();

    other.crash();

    await().until(() -> !holds(alone, own));
    assertThat(alone.node.membership().nodes()).hasSize(1);
    for (int i = 0; i < 5; i++) {
      assertThat(holds(alone, own)).isFalse();
    }
    cut.set(false);
    await().until(() -> holds(alone, own));
  }

  /** {@return whether the node answers for the user itself, at once} */
  private static boolean holds(Member member, int user) {
    var look = new Command.Look(new Command.Access(new SessionId(0, user), 1));
    return member.node.users().ask(OwnerKey.ofUser("user-" + user), look, 200)
            instanceof Answer.Answered(_, String node)
        && node.equals(member.name);
  }

  private static JournalStore cutOff(JournalStore store, AtomicBoolean cut) {
    NodeRegistry registry = Faulty.made(NodeRegistry.class, store.nodes(), _ -> unlessCut(cut));
    return Faulty.made(
        JournalStore.class,
        store,
        method ->
            switch (method) {
              case "nodes" -> registry;
              case "close", "historyNumber" -> null; // neither asks the database
              default -> unlessCut(cut);
            });
  }

  private static @Nullable Object unlessCut(AtomicBoolean cut) {
    if (cut.get()) {
      throw new StoreUnreadable("cut off", null);
    }
    return null;
  }

  // ---------------------------------------------------------------------------------------------

  private static Member oldest(List<Member> members) {
    return members.stream().filter(member -> member.node.isOldest()).findFirst().orElseThrow();
  }

  private static void open(List<Member> members) {
    for (int i = 0; i < USERS; i++) {
      SeveralNodes.open(members.get(i % members.size()).node, i);
    }
  }

  private static void answersAllUsers(Member member) {
    long began = System.nanoTime();
    for (int i = 0; i < USERS; i++) {
      assertThat(SeveralNodes.look(member.node, OwnerKey.ofUser("user-" + i), i))
          .isInstanceOf(Answer.Answered.class);
    }
    System.out.printf(
        "all users answered %d ms after the loss%n", (System.nanoTime() - began) / 1_000_000);
  }

  private static List<Long> shards(Member asked) {
    return asked.node.membership().nodes().stream()
        .map(status -> status.shards().orElse(-1))
        .sorted()
        .toList();
  }

  private static void awaitShards(Member asked, long... expected) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> assertThat(shards(asked)).isEqualTo(LongStream.of(expected).boxed().toList()));
  }

  /** Callers who go on while nodes come and go. */
  private static final class Load implements AutoCloseable {
    private static final int CALLERS = 8;

    /** Between two requests of a caller. Looks take so little that they would take all there is. */
    private static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final AtomicBoolean done = new AtomicBoolean();
    private final AtomicLong slowest = new AtomicLong();
    private final AtomicInteger asked = new AtomicInteger();
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Answer> failed = Collections.synchronizedList(new ArrayList<>());

    Load(Member... entries) {
      for (int i = 0; i < CALLERS; i++) {
        int caller = i;
        callers.execute(() -> goOn(caller, entries));
      }
    }

    private void goOn(int caller, Member[] entries) {
      for (int i = caller; !done.get(); i += CALLERS) {
        int user = i % USERS;
        long began = System.nanoTime();
        Answer answer =
            SeveralNodes.look(
                entries[i % entries.length].node, OwnerKey.ofUser("user-" + user), user);
        slowest.accumulateAndGet(System.nanoTime() - began, Math::max);
        asked.incrementAndGet();
        if (!(answer instanceof Answer.Answered)) {
          failed.add(answer);
        }
        LockSupport.parkNanos(PACE_NANOS);
      }
    }

    void judge(Duration most) {
      close();
      System.out.printf(
          "%d requests, the slowest took %d ms%n", asked.get(), slowest.get() / 1_000_000);
      assertThat(failed).isEmpty();
      assertThat(asked.get()).isGreaterThan(100);
      assertThat(Duration.ofNanos(slowest.get())).isLessThan(most);
    }

    @Override
    public void close() {
      done.set(true);
      callers.close();
    }
  }
}
