package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.InDoubt;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.Member$;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.util.Version;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scala.Option;
import scala.collection.immutable.Map$;
import scala.collection.immutable.Set$;
import scala.collection.immutable.SortedSet;
import scala.collection.immutable.TreeSet$;
import scala.jdk.javaapi.CollectionConverters;

/** Over a real registry. The one member of a real cluster is the node that may be gone. */
@Timeout(60)
final class ShardGateTest {

  private static final NodeId SELF = new NodeId("self");
  private static final NodeId OTHER = new NodeId("other");
  private static final Duration NOTICING = Duration.ofMillis(600);

  @TempDir private Path folder;

  private final ActorSystem system =
      ActorSystem.create(
          "gate",
          ConfigFactory.parseMap(Map.of("pekko.cluster.roles", List.of(Members.idRole("other"))))
              .withFallback(ConfigFactory.load()));
  private final Cluster cluster = Cluster.get(system);
  private final ActorRef region = system.actorOf(Props.empty());
  private final AtomicInteger looks = new AtomicInteger();
  private final AtomicBoolean halted = new AtomicBoolean();

  private volatile Supplier<CompletionStage<Long>> grants =
      () -> CompletableFuture.completedFuture(Long.MAX_VALUE);
  private volatile Supplier<CurrentClusterState> state = () -> cluster.state();
  private final Losses losses = new Losses(InstantSource.system());

  private SqliteStore store;
  private NodeRegistry nodes;
  private ShardGate gate;
  private volatile Supplier<CompletionStage<NodeId>> answer =
      () -> CompletableFuture.failedFuture(new TimeoutException("nobody"));

  @BeforeEach
  void register() throws JournalUnusable {
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    nodes = store.nodes();
    assertThat(nodes.claim(SELF, 0, Duration.ZERO)).isNotNull();
    assertThat(nodes.register(OTHER, 1)).isTrue();
    gate = gateOver(nodes);
    gate.begin();
  }

  private ShardGate gateOver(NodeRegistry nodes) {
    return new ShardGate(
        nodes,
        SELF,
        1,
        new ShardGate.Outlook() {
          @Override
          public CompletionStage<CurrentClusterState> members() {
            looks.incrementAndGet();
            return CompletableFuture.completedFuture(state.get());
          }

          @Override
          public CompletionStage<NodeId> whoIsAt(Address address, Duration patience) {
            return answer.get();
          }

          @Override
          public CompletionStage<Long> refuse(
              Address address, List<String> ids, Duration patience) {
            return grants.get();
          }
        },
        new NodeFence(
            nodes,
            SELF,
            new Host(List.of(), Duration.ofSeconds(5), () -> halted.set(true), () -> {})),
        losses,
        new TakeoverLog(InstantSource.system()),
        Thread::startVirtualThread,
        NOTICING);
  }

  @AfterEach
  void end() {
    system.terminate();
    store.close();
  }

  @Test
  void opensOnlyAfterANodeThatIsNoMemberWasFenced() {
    CompletableFuture<Boolean> fencedAtOpening =
        gate.open(Set.of(region)).thenApply(_ -> nodes.isFenced(OTHER));

    assertThat(fencedAtOpening.join()).isTrue();
    assertThat(nodes.isFenced(SELF)).isFalse();
  }

  /** A standby of the journal may not know of it yet, and be promoted. */
  @Test
  void staysShutWhileItIsNotKnownWhetherAFenceHolds() {
    var attempts = new AtomicInteger();
    NodeRegistry doubtful =
        Faulty.made(
            NodeRegistry.class,
            nodes,
            method -> {
              if (method.equals("fence") && attempts.incrementAndGet() < 3) {
                nodes.fence(SELF, OTHER);
                throw new InDoubt("the standby does not answer", null);
              }
              return null;
            });
    ShardGate doubting = gateOver(doubtful);
    doubting.begin();

    doubting.open(Set.of(region)).join();

    assertThat(attempts).as("until one came to a known end").hasValue(3);
  }

  /** The answer to an attempt of this node may have been lost, just now. */
  @Test
  void countsTheTimeSinceAFenceThatItFindsThereAlready() {
    var fence =
        new NodeFence(nodes, SELF, new Host(List.of(), Duration.ofSeconds(5), () -> {}, () -> {}));
    assertThat(fence.sinceLast()).isEqualTo(Long.MAX_VALUE);
    nodes.fence(SELF, OTHER);

    assertThat(fence.fence(OTHER)).isTrue();

    long since = fence.sinceLast();
    assertThat(since).isLessThan(TimeUnit.MINUTES.toNanos(1));
    assertThat(fence.fence(OTHER)).isTrue();
    assertThat(fence.sinceLast()).as("it is no later by asking again").isGreaterThan(since);
  }

  @Test
  void looksOnceForAllShardsOfOneLossAndNotAtAllWithoutOne() {
    List<CompletableFuture<Void>> asked =
        List.of(gate.open(Set.of(region)), gate.open(Set.of(region)), gate.open(Set.of(region)));
    asked.forEach(CompletableFuture::join);
    assertThat(looks).hasValue(1);

    ActorRef another = system.actorOf(Props.empty());
    gate.open(Set.of(region, another)).join();
    gate.named(Set.of(region, another));
    assertThat(looks).as("nobody is missing").hasValue(1);

    gate.open(Set.of(region)).join();
    assertThat(looks).as("one is missing").hasValue(2);

    gate.begin();
    gate.open(Set.of(region)).join();
    assertThat(looks).as("another coordinator").hasValue(3);
  }

  @Test
  void letsAMemberPassThatHasNoRegionYetAndSaysWhoItIs() {
    join();
    answer = () -> CompletableFuture.completedFuture(OTHER);

    gate.open(Set.of(region)).join();

    assertThat(nodes.isFenced(OTHER)).isFalse();
  }

  @Test
  void fencesAMemberInWhosePlaceAnotherProcessAnswers() {
    join();
    answer = () -> CompletableFuture.completedFuture(new NodeId("its successor"));

    gate.open(Set.of(region)).join();

    assertThat(nodes.isFenced(OTHER)).isTrue();
  }

  @Test
  void staysShutWhileAMemberWithoutRegionDoesNotAnswer() {
    join();
    CompletableFuture<Void> open = gate.open(Set.of(region));
    await().until(() -> looks.get() > 2);
    assertThat(open).isNotDone();
    assertThat(nodes.isFenced(OTHER)).isFalse();

    answer = () -> CompletableFuture.completedFuture(OTHER);
    open.join();
  }

  @Test
  void haltsWhenItsOwnNodeIsFenced() {
    nodes.fence(OTHER, SELF);

    CompletableFuture<Void> open = gate.open(Set.of(region));

    await().untilTrue(halted);
    assertThat(open).isNotDone();
    assertThat(nodes.isFenced(OTHER)).isFalse();
  }

  @Test
  void opensOnlyWhenTheLastRightThatAMemberGrantedIsOver() {
    join();
    answer = () -> CompletableFuture.completedFuture(OTHER);
    long granted = System.nanoTime();
    grants =
        () ->
            CompletableFuture.completedFuture(
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - granted));

    gate.open(Set.of(region)).join();

    assertThat(Duration.ofNanos(System.nanoTime() - granted))
        .isGreaterThanOrEqualTo(ReadLease.LENGTH);
  }

  @Test
  void staysShutWhileNoMajoritySaysWhatItHasGranted() {
    join();
    answer = () -> CompletableFuture.completedFuture(OTHER);
    grants = () -> CompletableFuture.failedFuture(new TimeoutException("silent"));

    CompletableFuture<Void> open = gate.open(Set.of(region));
    await().until(() -> looks.get() > 1);
    assertThat(open).isNotDone();

    grants = () -> CompletableFuture.completedFuture(Long.MAX_VALUE);
    open.join();
  }

  /** The proof may be false, where the network refuses what it should deliver. */
  @Test
  void givesWhoeverIsProvenGoneTheTimeToNoticeItsFenceWhereOthersSayNothing() {
    var silent = new NodeId("silent");
    assertThat(nodes.register(silent, 1)).isTrue();
    state =
        () ->
            members(
                member(SELF, 1, MemberStatus.up()),
                member(OTHER, 2, MemberStatus.down()),
                member(silent, 3, MemberStatus.up()));
    losses.note(OTHER.value(), Tier.PROOF);
    answer = () -> CompletableFuture.completedFuture(silent);
    grants = () -> CompletableFuture.failedFuture(new TimeoutException("silent"));
    long began = System.nanoTime();

    gate.open(Set.of(region)).join();

    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isGreaterThanOrEqualTo(NOTICING.plus(ReadLease.LENGTH));
    assertThat(nodes.isFenced(OTHER)).isTrue();
    assertThat(nodes.isFenced(silent)).isFalse();
  }

  private static Member member(NodeId id, int port, MemberStatus status) {
    var address = new Address("pekko", "test", "127.0.0.1", port);
    Set<String> roles = Set.of(Members.idRole(id.value()), "dc-default");
    Member joining =
        Member$.MODULE$.apply(
            new UniqueAddress(address, (long) port),
            CollectionConverters.asScala(roles).toSet(),
            Version.Zero());
    return status.equals(MemberStatus.up())
        ? joining.copyUp(port)
        : joining.copyUp(port).copy(status);
  }

  private static CurrentClusterState members(Member... all) {
    SortedSet<Member> sorted = TreeSet$.MODULE$.empty(Member.ordering());
    for (Member each : all) {
      sorted = (SortedSet<Member>) sorted.incl(each);
    }
    return new CurrentClusterState(
        sorted,
        Set$.MODULE$.empty(),
        Set$.MODULE$.empty(),
        Option.empty(),
        Map$.MODULE$.empty(),
        Set$.MODULE$.empty(),
        Set$.MODULE$.empty());
  }

  private void join() {
    cluster.join(cluster.selfAddress());
    await().until(() -> cluster.selfMember().status().equals(MemberStatus.up()));
    await().until(() -> cluster.state().getMembers().iterator().hasNext());
  }
}
