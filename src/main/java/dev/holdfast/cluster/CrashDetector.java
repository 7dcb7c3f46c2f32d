package dev.holdfast.cluster;

import dev.holdfast.cluster.NodeMessage.Seen;
import dev.holdfast.cluster.NodeMessage.Status;
import dev.holdfast.cluster.NodeMessage.TellSight;
import dev.holdfast.cluster.NodeMessage.TellStatus;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSelection;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressTerminated;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.event.AddressTerminatedTopic;
import org.apache.pekko.remote.RemoteActorRefProvider;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * Excludes a member whose process has died, on proof and therefore at once.
 *
 * <p>Proof is what the {@link DeathWire} shows: the session with that very process has ended, and
 * its address refuses one attempt after another, or another process answers there. A firewall can
 * refuse as well. So before refusals count, the accused is asked, whose answer disproves them, and
 * so are the other members: who still has a session with it contradicts, and where several are
 * accused at once, which may be this node's own fault, somebody must agree.
 *
 * <p>Should all that be wrong, it costs a healthy node its place: nothing of the accused can commit
 * once it is fenced, and its right to answer from memory ends before its users are taken over
 * ({@link ShardGate}), proof or not.
 *
 * <p>Each member decides for itself. The exclusion names the process, by the system's uid, since a
 * new one may come to the same address.
 */
final class CrashDetector extends AbstractActorWithTimers {

  private static final Logger LOG = LoggerFactory.getLogger(CrashDetector.class);

  /** At the root of the system's own actors, where nobody else makes any. */
  static final String NAME = "holdfast-crash-detector";

  /** How long the accused and the others have for their answers. */
  private static final Duration ANSWERING = Duration.ofMillis(120);

  /** After somebody has contradicted, or nobody agreed. */
  private static final Duration AGAIN = Duration.ofMillis(100);

  /** After the accused has answered. */
  private static final Duration DISPROVED = Duration.ofSeconds(2);

  /**
   * What the detector uses.
   *
   * @param self the id of this process
   * @param onDeath told of each process that is proven dead, before it is excluded
   */
  record Parts(String self, DeathWire wire, Losses losses, Consumer<String> onDeath) {}

  private record Saw(String id, Sight sight) {}

  private record Verdict(String id, int inquiry) {}

  /** A member, and what is seen of it. */
  private static final class Watched {
    Member member;
    Sight sight = Sight.UNKNOWN;
    boolean dead;
    int inquiries;
    boolean inquiring;
    boolean answered;
    boolean contradicted;
    boolean supported;
    boolean pausing;

    Watched(Member member) {
      this.member = member;
    }

    /** Whether it may still hold users, or block those who come in. */
    boolean isInPlace() {
      MemberStatus status = member.status();
      return status.equals(MemberStatus.up())
          || status.equals(MemberStatus.joining())
          || status.equals(MemberStatus.weaklyUp());
    }
  }

  private final Parts parts;
  private final Cluster cluster = Cluster.get(getContext().getSystem());
  private final Map<String, Watched> watched = new HashMap<>();

  private CrashDetector(Parts parts) {
    this.parts = parts;
  }

  static Props props(Parts parts) {
    return Props.create(CrashDetector.class, () -> new CrashDetector(parts));
  }

  private static ActorSelection at(ActorSystem system, Address address) {
    return system.actorSelection(address + "/system/" + NAME);
  }

  @Override
  public void preStart() {
    cluster.subscribe(
        getSelf(), ClusterEvent.initialStateAsEvents(), ClusterEvent.MemberEvent.class);
  }

  @Override
  public void postStop() {
    cluster.unsubscribe(getSelf());
    watched.keySet().forEach(parts.wire()::forget);
  }

  @Override
  public Receive createReceive() {
    return receiveBuilder()
        .match(Saw.class, this::saw)
        .match(TellSight.class, this::tell)
        .match(Seen.class, this::heard)
        .match(Status.class, this::answered)
        .match(Verdict.class, this::decide)
        .match(ClusterEvent.MemberRemoved.class, event -> forget(event.member()))
        .match(ClusterEvent.MemberEvent.class, event -> watch(event.member()))
        .build();
  }

  // ---------------------------------------------------------------------------------------------
  // Watching

  private void watch(Member member) {
    String id = Members.id(member);
    if (id.equals(parts.self())) {
      return;
    }
    @Nullable Watched known = watched.get(id);
    if (known != null) {
      known.member = member;
      return;
    }
    watched.put(id, new Watched(member));
    int port = Members.wirePort(member);
    @Nullable String host = member.address().getHost().orElse(null);
    if (port == 0 || host == null) {
      LOG.warn("node {} does not tell where its end could be seen", Members.name(member));
      return;
    }
    ActorRef own = getSelf();
    parts
        .wire()
        .watch(
            id,
            InetSocketAddress.createUnresolved(host, port),
            sight -> own.tell(new Saw(id, sight), ActorRef.noSender()));
  }

  private void forget(Member member) {
    String id = Members.id(member);
    watched.remove(id);
    parts.wire().forget(id);
  }

  private void saw(Saw saw) {
    @Nullable Watched it = watched.get(saw.id());
    if (it == null || it.dead) {
      return;
    }
    it.sight = saw.sight();
    switch (saw.sight()) {
      case UNKNOWN, CONNECTED -> {}
      case ENDED -> LOG.debug("the connection to node {} ended", Members.name(it.member));
      case REPLACED -> {
        if (it.isInPlace()) {
          exclude(saw.id(), it, Tier.REPLACED);
        }
      }
      case REFUSED -> inquire(saw.id(), it);
    }
  }

  private void tell(TellSight question) {
    @Nullable Watched it = watched.get(question.id());
    Sight sight = it == null ? Sight.UNKNOWN : it.sight;
    getSender().tell(new Seen(parts.self(), question.id(), sight), getSelf());
  }

  // ---------------------------------------------------------------------------------------------
  // The inquiry

  private void inquire(String id, Watched it) {
    if (it.inquiring || it.pausing || !it.isInPlace()) {
      return;
    }
    it.inquiring = true;
    it.inquiries++;
    it.answered = false;
    it.contradicted = false;
    it.supported = false;
    ActorSystem system = getContext().getSystem();
    NodeActor.at(system, it.member.address()).tell(new TellStatus(), getSelf());
    watched.forEach((other, each) -> {
      if (!other.equals(id) && !isAccused(each)) {
        at(system, each.member.address()).tell(new TellSight(id), getSelf());
      }
    });
    var verdict = new Verdict(id, it.inquiries);
    getTimers().startSingleTimer(verdict, verdict, ANSWERING);
  }

  private static boolean isAccused(Watched it) {
    return it.dead || it.sight == Sight.ENDED || it.sight == Sight.REFUSED;
  }

  private void heard(Seen seen) {
    @Nullable Watched it = watched.get(seen.id());
    if (it == null || !it.inquiring) {
      return;
    }
    switch (seen.sight()) {
      case CONNECTED -> it.contradicted = true;
      case ENDED, REFUSED, REPLACED -> it.supported = true;
      case UNKNOWN -> {}
    }
  }

  private void answered(Status status) {
    @Nullable Watched it = watched.get(status.id());
    if (it != null) {
      it.answered = true;
    }
  }

  private void decide(Verdict verdict) {
    @Nullable Watched it = watched.get(verdict.id());
    if (it == null || !it.inquiring || it.inquiries != verdict.inquiry()) {
      if (it != null) {
        it.pausing = false;
      }
      return;
    }
    it.inquiring = false;
    if (it.sight != Sight.REFUSED || it.dead) {
      return;
    }
    String name = Members.name(it.member);
    long accused = watched.values().stream().filter(each -> !each.dead && isAccused(each)).count();
    if (it.answered) {
      LOG.warn("node {} refuses connections, but lives: is there a firewall?", name);
      pause(verdict.id(), it, DISPROVED);
    } else if (it.contradicted) {
      LOG.debug("node {} refuses connections, but others have one", name);
      pause(verdict.id(), it, AGAIN);
    } else if (accused > 1 && !it.supported) {
      LOG.warn("{} nodes refuse connections, and nobody else says so: it may be this one", accused);
      pause(verdict.id(), it, AGAIN);
    } else {
      exclude(verdict.id(), it, Tier.PROOF);
    }
  }

  /** Further refusals are not looked into for a while. */
  private void pause(String id, Watched it, Duration time) {
    it.pausing = true;
    var end = new Verdict(id, -it.inquiries);
    getTimers().startSingleTimer(end, end, time);
  }

  // ---------------------------------------------------------------------------------------------
  // The end

  private void exclude(String id, Watched it, Tier tier) {
    it.dead = true;
    parts.losses().note(id, tier);
    parts.onDeath().accept(id);
    LOG.warn(
        "node {} ({}) is gone: {}",
        Members.name(it.member),
        id,
        tier == Tier.REPLACED ? "another process is in its place" : "its process has died");
    Member member = it.member;
    // Unreachable by its uid, so that the leader removes it, and nothing of it is listened to.
    ((RemoteActorRefProvider) ((ExtendedActorSystem) getContext().getSystem()).provider())
        .quarantine(
            member.address(),
            Option.apply(member.uniqueAddress().longUid()),
            "its process is gone");
    for (Member now : cluster.state().getMembers()) {
      if (now.uniqueAddress().equals(member.uniqueAddress())) {
        // Whoever watches an actor of it hears at once, and not only when all members agree that
        // it is none any more: the coordinator may then wait for the gate, which is what takes
        // time. No other process can come to that address before it is removed.
        AddressTerminatedTopic.get(getContext().getSystem())
            .publish(AddressTerminated.apply(member.address()));
        cluster.down(member.address());
      }
    }
  }
}
