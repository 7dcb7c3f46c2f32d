package dev.holdfast.cluster;

import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.NodeRegistry.Registered;
import dev.holdfast.journal.StoreUnreadable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a shard have a home only when nobody else can write for its users any more: every node that
 * may once have held it is fenced, is this cluster's living member, or has handed it over.
 *
 * <p>A shard loses its home in one of two ways. Its region hands it over in good order, which stops
 * the users first: nothing is to be done. Or the coordinator finds that the region is gone; then it
 * is missing among the regions that the coordinator names. So the nodes' rows are looked at when a
 * region that was named before is missing, and once when a coordinator begins, which cannot know
 * what its predecessor saw. Else the gate is open and costs nothing.
 *
 * <p>What counts is the row of each node that is not fenced. A node passes if the coordinator names
 * a region at its address, since then it is not taken over. If there is no such region, but a
 * member of its id, that member is asked who it is: it may have come up without a region yet, or
 * leave after its region has ended; but where another process answers, or nobody, it does not pass.
 * A node that is no member, or one that was excluded, is fenced. After that nothing of it can be
 * written; and before the gate opens, its right to answer from memory must have ended as well.
 *
 * <p>The members come from the publisher of the cluster's events, behind the event that told the
 * coordinator of a loss, so they are not older than what it acts on.
 */
final class ShardGate {

  private static final Logger LOG = LoggerFactory.getLogger(ShardGate.class);

  private static final Duration ANSWERING = Duration.ofMillis(500);
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long PAUSE_MILLIS = 100;
  private static final long NANOS_A_MILLI = 1_000_000;
  private static final long LONG_AGO_MILLIS = 3_600_000;

  /** Where the gate looks, and whom it asks. */
  interface Outlook {

    /** The members, not older than what the coordinator has acted on so far. */
    CompletionStage<CurrentClusterState> members();

    /** The id of the process that answers for a node at an address; fails if nobody does. */
    CompletionStage<NodeId> whoIsAt(Address address, Duration patience);

    /**
     * Has the node at an address grant nothing to these processes any more.
     *
     * @return the milliseconds since it granted something to one of them, or to anybody else who is
     *     no member; fails if it does not answer
     */
    CompletionStage<Long> refuse(Address address, List<String> ids, Duration patience);
  }

  private final NodeRegistry nodes;
  private final NodeId self;
  private final long incarnation;
  private final Outlook outlook;
  private final NodeFence fence;
  private final Losses losses;
  private final TakeoverLog takeovers;
  private final Executor blocking;
  private final Duration noticing;

  // Guarded by this.
  private boolean mustLook = true;
  private Set<ActorRef> named = new HashSet<>();
  private @Nullable CompletableFuture<Void> looking;
  private @Nullable CompletableFuture<Void> next;

  /**
   * @param noticing after which a node that reaches the journal knows that it is fenced
   */
  ShardGate(
      NodeRegistry nodes,
      NodeId self,
      long incarnation,
      Outlook outlook,
      NodeFence fence,
      Losses losses,
      TakeoverLog takeovers,
      Executor blocking,
      Duration noticing) {
    this.nodes = nodes;
    this.self = self;
    this.incarnation = incarnation;
    this.outlook = outlook;
    this.fence = fence;
    this.losses = losses;
    this.takeovers = takeovers;
    this.blocking = blocking;
    this.noticing = noticing;
  }

  /** A coordinator begins here. */
  synchronized void begin() {
    mustLook = true;
    named = new HashSet<>();
  }

  /** The coordinator names these regions. */
  synchronized void named(Set<ActorRef> regions) {
    named.addAll(regions);
  }

  /**
   * Ends when a shard that has no home may have one; fails if the gate stays shut.
   *
   * @param regions that the coordinator names now
   */
  synchronized CompletableFuture<Void> open(Set<ActorRef> regions) {
    if (!regions.containsAll(named)) {
      mustLook = true;
      LOG.debug("a region is gone: the gate is shut");
    }
    named.addAll(regions);
    if (!mustLook) {
      // A look under way began after the coordinator knew all that it knows now.
      return looking == null ? CompletableFuture.completedFuture(null) : looking;
    }
    named = new HashSet<>(regions);
    if (next == null) {
      next = new CompletableFuture<>();
    }
    CompletableFuture<Void> answer = next;
    if (looking == null) {
      lookNext();
    }
    return answer;
  }

  /** What a look under way has seen may be older than what made another one necessary. */
  private synchronized void lookNext() {
    CompletableFuture<Void> answer = next;
    looking = answer;
    next = null;
    if (answer == null) {
      return;
    }
    mustLook = false;
    Set<ActorRef> regions = Set.copyOf(named);
    blocking.execute(() -> {
      @Nullable Throwable obstacle = null;
      try {
        lookUntilClear(regions);
      } catch (RuntimeException | InterruptedException e) {
        obstacle = e;
      }
      ended(answer, obstacle);
    });
  }

  private void ended(CompletableFuture<Void> answer, @Nullable Throwable obstacle) {
    synchronized (this) {
      if (obstacle != null) {
        mustLook = true;
      }
      lookNext();
    }
    if (obstacle == null) {
      answer.complete(null);
    } else {
      LOG.warn("{}; looked at again while shards wait", obstacle.getMessage());
      answer.completeExceptionally(obstacle);
    }
  }

  private void lookUntilClear(Set<ActorRef> regions) throws InterruptedException {
    long giveUpAt = System.nanoTime() + PATIENCE.toNanos();
    @Nullable String obstacle = look(regions);
    while (obstacle != null) {
      if (System.nanoTime() - giveUpAt > 0) {
        throw new IllegalStateException("no shard may have a new home: " + obstacle);
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      obstacle = look(regions);
    }
  }

  /** {@return what stands in the way, or null} */
  private @Nullable String look(Set<ActorRef> regions) throws InterruptedException {
    try {
      CurrentClusterState state = await(outlook.members());
      for (NodeId open : fence.unconfirmed()) {
        @Nullable String obstacle = fence(open);
        if (obstacle != null) {
          return obstacle;
        }
      }
      for (Registered row : nodes.registered(incarnation)) {
        @Nullable String obstacle = row.id().equals(self) ? null : pass(row.id(), state, regions);
        if (obstacle != null) {
          return obstacle;
        }
      }
      losses.all().forEach(takeovers::begin);
      LOG.debug("all who are gone are fenced");
      @Nullable String obstacle = awaitRights(state);
      LOG.debug("the gate is {}", obstacle == null ? "open" : "shut: " + obstacle);
      return obstacle;
    } catch (JournalFailure | StoreUnreadable | ExecutionException | TimeoutException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private @Nullable String pass(NodeId id, CurrentClusterState state, Set<ActorRef> regions)
      throws InterruptedException {
    @Nullable Member member = Members.of(id.value(), state);
    if (member == null || isGone(member)) {
      return fence(id);
    }
    if (regions.stream().anyMatch(region -> region.path().address().equals(member.address()))) {
      return null;
    }
    try {
      NodeId there = await(outlook.whoIsAt(member.address(), ANSWERING));
      return there.equals(id) ? null : fence(id);
    } catch (ExecutionException | TimeoutException e) {
      return "the node at " + member.address() + " has no region and does not answer";
    }
  }

  private @Nullable String fence(NodeId id) {
    return fence.fence(id) ? null : "this node is fenced";
  }

  // ---------------------------------------------------------------------------------------------
  // The right to answer

  /**
   * Waits until no process that is gone, or seems to be, can still have the right to answer from
   * memory. It had it from a majority of members; those who are left are one, or it is proven dead:
   * so each that is left is told to grant nothing any more, and the last grant must be as old as a
   * right is good for. Where nobody else is left it had it from its row, which is fenced now. Where
   * others are left, and say nothing, they may be with it in spite of the proof: then it gets the
   * time to notice the fence.
   */
  private @Nullable String awaitRights(CurrentClusterState state)
      throws InterruptedException, TimeoutException {
    List<String> gone = new ArrayList<>();
    List<Member> asked = new ArrayList<>();
    int all = 0;
    boolean alone = true;
    boolean only = true;
    for (Member member : state.getMembers()) {
      String id = Members.id(member);
      if (isGone(member)) {
        gone.add(id);
      }
      if (Members.mayGrant(member) || isGone(member)) {
        all++;
      }
      if (Members.mayGrant(member) && !isGone(member)) {
        only &= id.equals(self.value());
        if (!state.getUnreachable().contains(member)) {
          asked.add(member);
          alone &= id.equals(self.value());
        }
      }
    }
    List<CompletionStage<Long>> answers =
        asked.stream().map(member -> outlook.refuse(member.address(), gone, ANSWERING)).toList();
    long age = alone ? fence.sinceLast() : Long.MAX_VALUE;
    int answered = 0;
    for (CompletionStage<Long> answer : answers) {
      try {
        long millis = await(answer);
        age = Math.min(age, Math.clamp(millis, 0, LONG_AGO_MILLIS) * NANOS_A_MILLI);
        answered++;
      } catch (ExecutionException e) {
        LOG.debug("a member does not say whom it has granted the right to answer", e);
      }
    }
    boolean proven = !gone.isEmpty() && gone.stream().allMatch(losses::isProven);
    boolean silent = 2 * answered <= all && all > 0;
    if (silent && !proven) {
      return "only " + answered + " of " + all + " members say what they have granted";
    }
    long left = ReadLease.WAITED_FOR.toNanos() - age;
    if (silent && !only) {
      left = Math.max(left, noticing.plus(ReadLease.WAITED_FOR).toNanos() - fence.sinceLast());
    }
    if (left > 0) {
      TimeUnit.NANOSECONDS.sleep(left);
    }
    return null;
  }

  /** Whether it is excluded, or is about to be since its process is known to be dead. */
  private boolean isGone(Member member) {
    return Members.isExcluded(member) || losses.isProven(Members.id(member));
  }

  private static <T> T await(CompletionStage<T> stage)
      throws InterruptedException, ExecutionException, TimeoutException {
    return stage.toCompletableFuture().get(2 * ANSWERING.toMillis(), TimeUnit.MILLISECONDS);
  }
}
