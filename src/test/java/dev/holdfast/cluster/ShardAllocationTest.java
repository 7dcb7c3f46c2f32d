package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scala.collection.immutable.IndexedSeq;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/** Asked as Pekko's coordinator asks, which alone sees the shards move. */
@Timeout(30)
final class ShardAllocationTest {

  private static final int SHARDS = 60;
  private static final Duration NOTICING = Duration.ofSeconds(1);

  @TempDir private Path folder;

  private final ActorSystem system =
      ActorSystem.create(
          "allocation",
          ConfigFactory.parseString("pekko.actor.provider = local")
              .withFallback(ConfigFactory.load()));
  private final ActorRef first = region("first");
  private final ActorRef second = region("second");
  private final ActorRef third = region("third");

  private final Set<ActorRef> serving = new HashSet<>();
  private final Set<ActorRef> draining = new HashSet<>();
  private final Set<ActorRef> unreachable = new HashSet<>();
  private final Map<ActorRef, List<String>> held = new LinkedHashMap<>();

  private SqliteStore store;
  private ShardAllocation allocation;

  private ActorRef region(String name) {
    return system.actorOf(Props.empty(), name);
  }

  @BeforeEach
  void begin() throws Exception {
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    var self = new NodeId("self");
    assertThat(store.nodes().claim(self, 0, Duration.ZERO)).isNotNull();
    var losses = new Losses(InstantSource.system());
    var takeovers = new TakeoverLog(InstantSource.system());
    var host = new Host(List.of(), Duration.ofSeconds(5), () -> {}, () -> {});
    var gate =
        new ShardGate(
            store.nodes(),
            self,
            1,
            new Nobody(),
            new NodeFence(store.nodes(), self, host),
            losses,
            takeovers,
            Thread::startVirtualThread,
            NOTICING);
    allocation =
        new ShardAllocation(
            SHARDS,
            gate,
            new ShardAllocation.Standing() {
              @Override
              public boolean drains(ActorRef region) {
                return draining.contains(region);
              }

              @Override
              public boolean serves(ActorRef region) {
                return serving.contains(region);
              }

              @Override
              public boolean isUnreachable(ActorRef region) {
                return unreachable.contains(region);
              }
            },
            _ -> {},
            takeovers);
    held.put(first, new ArrayList<>(IntStream.range(0, SHARDS).mapToObj(String::valueOf).toList()));
    held.put(second, new ArrayList<>());
    held.put(third, new ArrayList<>());
  }

  /** No other node is there to be asked. */
  private static final class Nobody implements ShardGate.Outlook {
    @Override
    public CompletionStage<CurrentClusterState> members() {
      return new CompletableFuture<>();
    }

    @Override
    public CompletionStage<NodeId> whoIsAt(Address address, Duration patience) {
      return new CompletableFuture<>();
    }

    @Override
    public CompletionStage<Long> refuse(Address address, List<String> ids, Duration patience) {
      return new CompletableFuture<>();
    }
  }

  @AfterEach
  void end() {
    system.terminate();
    store.close();
  }

  @Test
  void movesOneShardAtATimeToEachNodeThatHoldsTooFew() throws Exception {
    serving.addAll(held.keySet());

    assertThat(next()).as("one for each of the two").hasSize(2).isSubsetOf(held(first));
    assertThat(next()).as("not at once again").isEmpty();

    long began = System.nanoTime();
    await().pollInterval(Duration.ofMillis(20)).until(() -> !next().isEmpty());
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(200));
  }

  @Test
  void movesNothingToANodeThatDoesNotServeYet() throws Exception {
    serving.add(first);
    assertThat(next()).isEmpty();

    serving.add(second);
    assertThat(next()).as("one, for the second alone").hasSize(1);
  }

  @Test
  void movesNothingWhereAllHoldAsManyButForOne() throws Exception {
    serving.addAll(held.keySet());
    share(20, 20, 19);
    assertThat(next()).isEmpty();

    share(20, 21, 19);
    assertThat(next()).hasSize(1).isSubsetOf(held(second));
  }

  @Test
  void movesShardsOfANodeThatLeavesAsFastAsTheyGo() throws Exception {
    serving.addAll(held.keySet());
    share(20, 20, 20);
    draining.add(second);

    for (int i = 0; i < 3; i++) {
      Set<String> moving = next();
      assertThat(moving).hasSize(ShardAllocation.MOVES).isSubsetOf(held(second));
      held(second).removeAll(moving);
    }
  }

  @Test
  void movesNothingWhileANodeIsNotReached() throws Exception {
    serving.addAll(held.keySet());
    unreachable.add(third);

    assertThat(next()).isEmpty();
  }

  private List<String> held(ActorRef region) {
    return held.getOrDefault(region, List.of());
  }

  private void share(int... sizes) {
    int from = 0;
    List<ActorRef> regions = List.copyOf(held.keySet());
    for (int i = 0; i < sizes.length; i++) {
      List<String> shards =
          IntStream.range(from, from + sizes[i]).mapToObj(String::valueOf).toList();
      held.put(regions.get(i), new ArrayList<>(shards));
      from += sizes[i];
    }
  }

  /** The shards to be moved next, none of which is on the move. */
  private Set<String> next() throws Exception {
    Map<ActorRef, IndexedSeq<String>> current = new LinkedHashMap<>();
    held.forEach((region, shards) ->
        current.put(region, CollectionConverters.asScala(shards).toIndexedSeq()));
    return FutureConverters.asJava(allocation.rebalance(current, Set.of()))
        .toCompletableFuture()
        .get(5, TimeUnit.SECONDS);
  }
}
