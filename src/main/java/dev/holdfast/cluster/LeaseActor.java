package dev.holdfast.cluster;

import dev.holdfast.cluster.NodeMessage.AskGrant;
import dev.holdfast.cluster.NodeMessage.Grant;
import dev.holdfast.cluster.NodeMessage.Grants;
import dev.holdfast.cluster.NodeMessage.Refuse;
import dev.holdfast.journal.StoreUnreadable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSelection;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews this node's {@link ReadLease}, and grants the others theirs.
 *
 * <p>A member is asked on each renewal and answers only for that one, by its number. It grants
 * nothing to a process that it holds to be no member in good standing, that it does not reach, or
 * that it was told to refuse because its users are being taken over.
 */
final class LeaseActor extends AbstractActorWithTimers {

  private static final Logger LOG = LoggerFactory.getLogger(LeaseActor.class);

  /** At the root of the system's own actors, where nobody else makes any. */
  static final String NAME = "holdfast-lease";

  private static final Duration RENEWAL = Duration.ofMillis(100);

  /** Without a majority's grant for so long, the journal is asked where it may answer instead. */
  private static final long WITHOUT_GRANT_NANOS = Duration.ofMillis(150).toNanos();

  private static final int ROUNDS = 8;
  private static final int MOST_REFUSED = 1_000;

  private enum Renew {
    RENEW
  }

  /** Members that were asked at a moment, and those that have granted. */
  private static final class Round {
    final ReadLease.Moment asked;
    final int majority;
    final Set<String> granted = new HashSet<>();

    Round(ReadLease.Moment asked, int majority) {
      this.asked = asked;
      this.majority = majority;
    }
  }

  private final String self;
  private final ReadLease lease;
  private final BooleanSupplier isNotFenced;
  private final Cluster cluster = Cluster.get(getContext().getSystem());

  private final Map<Long, Round> rounds = new LinkedHashMap<>();
  private long number;
  private ReadLease.Moment lastGranted;
  private volatile boolean askingJournal;

  /** When each process was granted a right here last, by the clock that never jumps ahead. */
  private final Map<String, Long> grants = new LinkedHashMap<>();

  private final Set<String> refused = new LinkedHashSet<>();

  /** The members that were up at the last look. */
  private Set<UniqueAddress> wereUp = Set.of();

  /** How many of such were excluded since the incarnation was last seen to be held, and when. */
  private int excluded;

  private ReadLease.Moment excludedAt;

  private LeaseActor(String self, ReadLease lease, BooleanSupplier isNotFenced) {
    this.self = self;
    this.lease = lease;
    this.isNotFenced = isNotFenced;
    this.lastGranted = lease.now();
    this.excludedAt = lastGranted;
  }

  /**
   * Starts the one of this node.
   *
   * @param self the id of this process
   * @param isNotFenced whether the journal shows that this node is not fenced; may wait
   */
  static void start(ActorSystem system, String self, ReadLease lease, BooleanSupplier isNotFenced) {
    ActorRef _ =
        ((ExtendedActorSystem) system)
            .systemActorOf(
                Props.create(LeaseActor.class, () -> new LeaseActor(self, lease, isNotFenced)),
                NAME);
  }

  /** {@return the one of another node} */
  static ActorSelection at(ActorSystem system, Address address) {
    return system.actorSelection(address + "/system/" + NAME);
  }

  @Override
  public void preStart() {
    getTimers().startTimerAtFixedRate(Renew.RENEW, Renew.RENEW, RENEWAL);
  }

  @Override
  public Receive createReceive() {
    return receiveBuilder()
        .matchEquals(Renew.RENEW, _ -> renew())
        .match(AskGrant.class, this::answer)
        .match(Grant.class, this::granted)
        .match(Refuse.class, this::refuse)
        .build();
  }

  // ---------------------------------------------------------------------------------------------
  // Its own

  private void renew() {
    if (lease.tick()) {
      LOG.warn("this process seems to have been stopped for a while");
      rounds.clear();
    }
    List<Member> members = standing();
    if (!cluster.selfMember().status().equals(MemberStatus.up())) {
      return; // holds no users yet, or has handed them over
    }
    ReadLease.Moment now = lease.now();
    noticeExcluded(members, now);
    // Those who are joining count as well: they may be up for others already.
    var round = new Round(now, members.size() / 2 + 1);
    rounds.put(++number, round);
    if (rounds.size() > ROUNDS) {
      rounds.remove(rounds.keySet().iterator().next());
    }
    grantedBy(self, round);
    for (Member member : members) {
      if (!member.uniqueAddress().equals(cluster.selfUniqueAddress())) {
        at(getContext().getSystem(), member.address()).tell(new AskGrant(self, number), getSelf());
      }
    }
    if (members.size() <= 2
        && (ReadLease.elapsed(lastGranted, now) > WITHOUT_GRANT_NANOS || !lease.isUnclaimed())) {
      askJournal(now);
    }
  }

  /**
   * Whoever excludes half of the members or more does not know but that those have excluded this
   * side, fenced it, and go on with its users. A majority of those who are left is none then of
   * those who were; the journal has to say that this node is still good.
   */
  private void noticeExcluded(List<Member> standing, ReadLease.Moment now) {
    Set<UniqueAddress> here = new HashSet<>();
    Set<UniqueAddress> up = new HashSet<>();
    for (Member member : standing) {
      here.add(member.uniqueAddress());
      if (member.status().equals(MemberStatus.up())) {
        up.add(member.uniqueAddress());
      }
    }
    int gone = 0;
    for (UniqueAddress before : wereUp) {
      gone += here.contains(before) ? 0 : 1; // who leaves in good order is seen to be leaving first
    }
    wereUp = up;
    if (lease.isHeldSince(excludedAt)) {
      excluded = 0;
    }
    if (gone > 0) {
      excluded += gone;
      excludedAt = now;
      if (up.size() <= excluded) {
        lease.doubt();
      }
    }
  }

  private void granted(Grant grant) {
    Round round = rounds.get(grant.number());
    if (round != null) {
      grantedBy(grant.by(), round);
    }
  }

  private void grantedBy(String member, Round round) {
    round.granted.add(member);
    if (round.granted.size() >= round.majority) {
      lease.granted(round.asked);
      lastGranted = round.asked;
    }
  }

  /**
   * Of two members none is a majority. Whoever takes over from the other fences it first, and then
   * waits for as long as what its row has shown is good for.
   */
  private void askJournal(ReadLease.Moment now) {
    if (askingJournal) {
      return;
    }
    askingJournal = true;
    Thread.startVirtualThread(() -> {
      try {
        if (isNotFenced.getAsBoolean()) {
          lease.shown(now);
        }
      } catch (StoreUnreadable silent) {
        LOG.debug("the journal does not say whether this node is fenced", silent);
      } finally {
        askingJournal = false;
      }
    });
  }

  /** The members, this one included, that nobody has excluded. */
  private List<Member> standing() {
    List<Member> found = new ArrayList<>();
    for (Member member : cluster.state().getMembers()) {
      if (!Members.isExcluded(member)) {
        found.add(member);
      }
    }
    return found;
  }

  // ---------------------------------------------------------------------------------------------
  // The others'

  private void answer(AskGrant question) {
    if (!Members.mayGrant(cluster.selfMember())) {
      return;
    }
    CurrentClusterState state = cluster.state();
    String asker = question.id();
    Member member = Members.of(asker, state);
    if (member != null
        && !Members.isExcluded(member)
        && !state.getUnreachable().contains(member)
        && !refused.contains(asker)) {
      grants.put(asker, lease.now().nanos());
      getSender().tell(new Grant(self, question.number()), getSelf());
    }
  }

  /** From now on nothing is granted to these. */
  private void refuse(Refuse order) {
    refused.addAll(order.ids());
    while (refused.size() > MOST_REFUSED) {
      refused.remove(refused.iterator().next());
    }
    Set<String> members = new HashSet<>();
    standing().forEach(member -> members.add(Members.id(member)));
    members.removeAll(refused);
    long now = lease.now().nanos();
    long since = Long.MAX_VALUE;
    for (Map.Entry<String, Long> grant : grants.entrySet()) {
      if (!members.contains(grant.getKey())) {
        since = Math.min(since, now - grant.getValue());
      }
    }
    grants.values().removeIf(at -> now - at > ROUNDS * ReadLease.WAITED_FOR.toNanos());
    getSender().tell(new Grants(TimeUnit.NANOSECONDS.toMillis(since)), getSelf());
  }
}
