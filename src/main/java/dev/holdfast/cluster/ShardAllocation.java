package dev.holdfast.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * Where shards live: with the node that holds fewest, never with one that hands its own over or
 * does not serve yet while there is another, and only after the {@link ShardGate} has opened. Only
 * the coordinator asks it.
 *
 * <p>Few shards move at a time, since the users of a shard that moves wait. First those of nodes
 * that leave, one node after the other: who has begun, then who holds fewest, as one that had begun
 * before the coordinator moved; the coordinator's own last. (Pekko's own way out,
 * GracefulShutdownReq, moves all shards of a node at once, and those of several nodes too.) Then it
 * levels out, to within one shard, two or three a second to each node that holds too few.
 */
final class ShardAllocation extends ShardCoordinator.AbstractShardAllocationStrategy
    implements ShardCoordinator.StartableAllocationStrategy {

  /** Most shards on the move at a time. */
  static final int MOVES = 4;

  /** Between two steps of levelling, in each of which a node gets one shard at most. */
  private static final long LEVELLING_NANOS = TimeUnit.MILLISECONDS.toNanos(350);

  /** No move lasts longer: well above {@code handoff-timeout}. */
  private static final long HANDING_OVER_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final int shards;
  private final ShardGate gate;
  private final Standing standing;
  private final Consumer<ActorRef> ended;
  private final TakeoverLog takeovers;

  /** Regions that the coordinator named last, and those missing since, with the moment. */
  private Set<ActorRef> named = Set.of();

  private final Map<ActorRef, Long> missing = new HashMap<>();

  /** Homes given while the gate was shut, which the coordinator has not counted yet. */
  private final Map<ActorRef, Integer> given = new HashMap<>();

  /** Whose shards move now, before any others'. Only the coordinator's thread knows of it. */
  private @Nullable ActorRef leaving;

  /** When shards were last moved to level out. Only the coordinator's thread knows of it. */
  private @Nullable Long levelled;

  /** How the node of a region stands. */
  interface Standing {

    /** Whether it hands its shards over, or is on its way out already. */
    boolean drains(ActorRef region);

    /** Whether it is known to serve the API: it is through with starting. */
    boolean serves(ActorRef region);

    /** Whether some member does not reach it: it may be gone. */
    boolean isUnreachable(ActorRef region);
  }

  /**
   * @param shards how many there are
   * @param ended has those who see to a move hear that a region is gone
   */
  ShardAllocation(
      int shards,
      ShardGate gate,
      Standing standing,
      Consumer<ActorRef> ended,
      TakeoverLog takeovers) {
    this.shards = shards;
    this.gate = gate;
    this.standing = standing;
    this.ended = ended;
    this.takeovers = takeovers;
  }

  @Override
  public void start() {
    named = Set.of();
    missing.clear();
    synchronized (given) {
      given.clear();
    }
    gate.begin();
  }

  @Override
  public Future<ActorRef> allocateShard(
      ActorRef requester, String shard, Map<ActorRef, IndexedSeq<String>> current) {
    Map<ActorRef, Integer> held = new LinkedHashMap<>();
    current.forEach((region, list) -> held.put(region, list.size()));
    CompletableFuture<Void> open = gate.open(held.keySet());
    if (open.isDone() && !open.isCompletedExceptionally()) {
      synchronized (given) {
        given.clear();
      }
      takeovers.home(shard);
      return FutureConverters.asScala(CompletableFuture.completedFuture(leastOf(held)));
    }
    var home = new CompletableFuture<ActorRef>();
    // While the gate stays shut it has no end: regions ask again several times a second, and the
    // coordinator would tell of each that nothing came of it.
    CompletableFuture<Void> _ = open.thenRun(() -> home.complete(homeOf(shard, held)));
    return FutureConverters.asScala(home);
  }

  private ActorRef homeOf(String shard, Map<ActorRef, Integer> held) {
    synchronized (given) {
      given.forEach((region, more) -> held.computeIfPresent(region, (_, n) -> n + more));
      ActorRef home = leastOf(held);
      given.merge(home, 1, Integer::sum);
      takeovers.home(shard);
      return home;
    }
  }

  private ActorRef leastOf(Map<ActorRef, Integer> held) {
    // Where all leave or start at once there is no better place than one of them.
    Comparator<Map.Entry<ActorRef, Integer>> order =
        Comparator.<Map.Entry<ActorRef, Integer>, Boolean>comparing(
                e -> standing.isUnreachable(e.getKey()))
            .thenComparing(e -> standing.drains(e.getKey()))
            .thenComparing(e -> !standing.serves(e.getKey()))
            .thenComparing(Map.Entry::getValue);
    return held.entrySet().stream().min(order).orElseThrow().getKey();
  }

  /** A region and its shards. */
  private record Holding(ActorRef region, List<String> shards) {

    int size() {
      return shards.size();
    }
  }

  @Override
  public Future<Set<String>> rebalance(
      Map<ActorRef, IndexedSeq<String>> current, Set<String> moving) {
    gate.named(current.keySet());
    tellOfMissing(current.keySet(), !moving.isEmpty());
    List<Holding> holdings = new ArrayList<>();
    current.forEach((region, shards) ->
        holdings.add(new Holding(region, new ArrayList<>(CollectionConverters.asJava(shards)))));
    if (holdings.stream().mapToInt(Holding::size).sum() == shards) {
      takeovers.allHome();
    }
    return FutureConverters.asScala(CompletableFuture.completedFuture(moves(holdings, moving)));
  }

  /**
   * Whoever sees to the move of a shard hears once that a region is gone. If that was the one to
   * hand the shard over, and others had not agreed to the move yet, that once is forgotten, and the
   * shard asked for in vain for as long as a hand-over may take. So it is told again.
   */
  private void tellOfMissing(Set<ActorRef> now, boolean moves) {
    long time = System.nanoTime();
    for (ActorRef region : named) {
      if (!now.contains(region)) {
        missing.put(region, time);
      }
    }
    named = Set.copyOf(now);
    missing.values().removeIf(since -> time - since > HANDING_OVER_NANOS);
    if (moves) {
      missing.keySet().forEach(ended);
    }
  }

  private Set<String> moves(List<Holding> holdings, Set<String> moving) {
    List<Holding> staying =
        holdings.stream().filter(holding -> !standing.drains(holding.region())).toList();
    // Each region must agree to a move. While one is not reached, users would wait for it in vain.
    if (staying.isEmpty()
        || moving.size() >= MOVES
        || holdings.stream().anyMatch(holding -> standing.isUnreachable(holding.region()))) {
      return Set.of();
    }
    @Nullable Holding next = nextToLeave(holdings);
    leaving = next == null ? null : next.region();
    if (next != null) {
      return next.shards().stream()
          .filter(shard -> !moving.contains(shard))
          .limit(MOVES - moving.size())
          .collect(Collectors.toSet());
    }
    return moving.isEmpty() ? level(staying) : Set.of();
  }

  /** Who has begun goes on. */
  private @Nullable Holding nextToLeave(List<Holding> holdings) {
    return holdings.stream()
        .filter(holding -> standing.drains(holding.region()) && holding.size() > 0)
        .min(
            Comparator.comparing((Holding holding) -> !holding.region().equals(leaving))
                .thenComparing(holding -> holding.region().path().address().hasLocalScope())
                .thenComparingInt(Holding::size)
                .thenComparing(holding -> holding.region().path()))
        .orElse(null);
  }

  /**
   * From who holds most to who holds fewest, one shard to each at a time. A JVM that has just
   * started runs all that it does for the first time: with many users at once it would keep each of
   * them waiting for all of that, and with few it is quick by the time that the others come.
   */
  private Set<String> level(List<Holding> staying) {
    long now = System.nanoTime();
    if (levelled != null && now - levelled < LEVELLING_NANOS) {
      return Set.of();
    }
    Comparator<Holding> bySize = Comparator.comparingInt(Holding::size);
    List<Holding> takers =
        staying.stream()
            .filter(holding -> standing.serves(holding.region()))
            .sorted(bySize)
            .limit(MOVES)
            .toList();
    Set<String> next = new HashSet<>();
    for (Holding taker : takers) {
      Holding most = staying.stream().max(bySize).orElseThrow();
      if (most.size() - taker.size() > 1) {
        next.add(most.shards().removeFirst());
      }
    }
    if (!next.isEmpty()) {
      levelled = now;
    }
    return next;
  }
}
