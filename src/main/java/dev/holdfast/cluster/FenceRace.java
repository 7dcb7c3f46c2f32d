package dev.holdfast.cluster;

import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.StoreUnreadable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Of two members that do not reach each other, neither is a majority: whoever fences the other
 * first survives. The split-brain resolver would keep the one with the lower address, be it dead or
 * not, so this comes before it decides. While the journal does not answer, nobody wins, and the
 * resolver decides after all.
 */
final class FenceRace extends AbstractActorWithTimers {

  private static final Logger LOG = LoggerFactory.getLogger(FenceRace.class);

  /** At the root of the system's own actors, where nobody else makes any. */
  static final String NAME = "holdfast-fence-race";

  private static final Duration LOOK = Duration.ofMillis(250);

  /** Less than {@code stable-after} of the resolver, by the time that a fence takes. */
  private static final long PATIENCE_NANOS = Duration.ofMillis(1_500).toNanos();

  private enum Look {
    LOOK
  }

  private record Won(Member other) {}

  private record Undecided() {}

  private final NodeFence fence;
  private final Losses losses;
  private final Cluster cluster = Cluster.get(getContext().getSystem());
  private boolean waiting;
  private boolean racing;
  private long since;

  private FenceRace(NodeFence fence, Losses losses) {
    this.fence = fence;
    this.losses = losses;
  }

  static Props props(NodeFence fence, Losses losses) {
    return Props.create(FenceRace.class, () -> new FenceRace(fence, losses));
  }

  @Override
  public void preStart() {
    getTimers().startTimerWithFixedDelay(Look.LOOK, Look.LOOK, LOOK);
  }

  @Override
  public Receive createReceive() {
    return receiveBuilder()
        .matchEquals(Look.LOOK, _ -> look())
        .match(Won.class, won -> exclude(won.other()))
        .match(Undecided.class, _ -> racing = false)
        .build();
  }

  private void look() {
    CurrentClusterState state = cluster.state();
    // Those who come in have no users, and those who leave have none any more: to the resolver
    // neither of them counts.
    List<Member> others = new ArrayList<>();
    for (Member member : state.getMembers()) {
      if (!member.uniqueAddress().equals(cluster.selfUniqueAddress())
          && member.status().equals(MemberStatus.up())) {
        others.add(member);
      }
    }
    boolean split =
        cluster.selfMember().status().equals(MemberStatus.up())
            && others.size() == 1
            && state.getUnreachable().contains(others.getFirst());
    if (!split) {
      waiting = false;
      return;
    }
    if (!waiting) {
      waiting = true;
      since = System.nanoTime();
    }
    if (!racing && System.nanoTime() - since > PATIENCE_NANOS) {
      race(others.getFirst());
    }
  }

  private void race(Member other) {
    racing = true;
    var self = getSelf();
    Thread.startVirtualThread(() -> {
      Object end = new Undecided();
      try {
        if (fence.fence(new NodeId(Members.id(other)))) {
          end = new Won(other);
        }
      } catch (JournalFailure | StoreUnreadable e) {
        LOG.warn("of two nodes the other is not reached, and the journal does not answer");
      } finally {
        self.tell(end, self);
      }
    });
  }

  private void exclude(Member other) {
    racing = false;
    LOG.warn("node {} is not reached, and is fenced: this one goes on alone", Members.name(other));
    losses.note(Members.id(other), Tier.RACE);
    for (Member now : cluster.state().getMembers()) {
      if (now.uniqueAddress().equals(other.uniqueAddress())) {
        cluster.down(other.address());
      }
    }
  }
}
