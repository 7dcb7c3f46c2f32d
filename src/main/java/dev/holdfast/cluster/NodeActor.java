package dev.holdfast.cluster;

import dev.holdfast.cluster.NodeMessage.Drain;
import dev.holdfast.cluster.NodeMessage.DrainBegins;
import dev.holdfast.cluster.NodeMessage.Drains;
import dev.holdfast.cluster.NodeMessage.TellStatus;
import dev.holdfast.cluster.NodeMessage.TellTakeovers;
import dev.holdfast.cluster.NodeMessage.TellWork;
import dev.holdfast.telemetry.Figures;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.ActorSelection;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One on each node, at a path that all know: tells others of its node, hears of theirs, and sees to
 * it that a node that was excluded ends.
 */
final class NodeActor extends AbstractActorWithTimers {

  private static final Logger LOG = LoggerFactory.getLogger(NodeActor.class);

  /** At the root of the system's own actors, where nobody else makes any. */
  static final String NAME = "holdfast-node";

  private static final Duration TICK = Duration.ofMillis(200);

  /** What it tells and does, and whom. */
  record Voice(
      String id,
      Supplier<NodeMessage.Status> status,
      Supplier<@Nullable Figures> work,
      TakeoverLog takeovers,
      Losses losses,
      Leavers leavers,
      Serving serving,
      Runnable onGone,
      BooleanSupplier draining,
      BooleanSupplier leaving,
      Runnable onMembers,
      Host host) {}

  /** Asks for the members, from this node only. */
  record TellMembers(CompletableFuture<CurrentClusterState> answer) {}

  private enum Tick {
    TICK
  }

  private final Voice voice;
  private final Cluster cluster = Cluster.get(getContext().getSystem());
  private final Deque<CompletableFuture<CurrentClusterState>> asked = new ArrayDeque<>();

  private NodeActor(Voice voice) {
    this.voice = voice;
  }

  static Props props(Voice voice) {
    return Props.create(NodeActor.class, () -> new NodeActor(voice));
  }

  /** {@return the one of another node} */
  static ActorSelection at(ActorSystem system, Address address) {
    return system.actorSelection(address + "/system/" + NAME);
  }

  @Override
  public void preStart() {
    cluster.subscribe(
        getSelf(), ClusterEvent.initialStateAsEvents(), ClusterEvent.MemberEvent.class);
    getTimers().startTimerWithFixedDelay(Tick.TICK, Tick.TICK, TICK);
  }

  @Override
  public void postStop() {
    cluster.unsubscribe(getSelf());
  }

  @Override
  public Receive createReceive() {
    return receiveBuilder()
        .match(TellStatus.class, _ -> getSender().tell(voice.status().get(), getSelf()))
        .match(NodeMessage.Status.class, this::heard)
        .match(
            TellTakeovers.class,
            _ -> getSender().tell(new NodeMessage.Takeovers(voice.takeovers().list()), getSelf()))
        .match(TellWork.class, _ -> tellWork())
        .match(Drains.class, drains -> voice.leavers().heard(drains.id()))
        .match(Drain.class, _ -> drain())
        .match(TellMembers.class, this::tellMembers)
        .match(CurrentClusterState.class, state -> asked.removeFirst().complete(state))
        .matchEquals(Tick.TICK, _ -> tick())
        .match(ClusterEvent.MemberUp.class, event -> knows(event.member()))
        .match(ClusterEvent.MemberDowned.class, event -> downed(event.member()))
        .match(ClusterEvent.MemberRemoved.class, this::removed)
        .match(ClusterEvent.MemberEvent.class, _ -> voice.onMembers().run())
        .build();
  }

  /** A node that does not know yet says nothing. */
  private void tellWork() {
    Figures figures = voice.work().get();
    if (figures != null) {
      getSender().tell(new NodeMessage.Work(figures), getSelf());
    }
  }

  private void drain() {
    LOG.info("told to hand the users over and end");
    getSender().tell(new DrainBegins(), getSelf());
    voice.host().stop().run();
  }

  private void tellMembers(TellMembers question) {
    asked.addLast(question.answer());
    cluster.sendCurrentClusterState(getSelf());
  }

  private void tick() {
    announce();
    askWhoServes();
  }

  private void announce() {
    if (voice.draining().getAsBoolean()) {
      var drains = new Drains(voice.id());
      for (Member member : cluster.state().getMembers()) {
        at(getContext().getSystem(), member.address()).tell(drains, getSelf());
      }
    }
  }

  /** The coordinator needs to know, which may be here from one moment to the next. */
  private void askWhoServes() {
    for (Member member : cluster.state().getMembers()) {
      if (member.status().equals(MemberStatus.up())
          && !voice.serving().serves(Members.id(member))) {
        at(getContext().getSystem(), member.address()).tell(new TellStatus(), getSelf());
      }
    }
  }

  private void heard(NodeMessage.Status status) {
    // Of one that was removed meanwhile nobody would forget it again.
    if (status.http() != null && Members.of(status.id(), cluster.state()) != null) {
      voice.serving().heard(status.id());
    }
  }

  private void knows(Member member) {
    voice.onMembers().run();
    voice.takeovers().knows(Members.id(member), Members.name(member));
  }

  private void removed(ClusterEvent.MemberRemoved event) {
    if (!event.previousStatus().equals(MemberStatus.exiting())) {
      voice.losses().note(Members.id(event.member()), Tier.RESOLVER);
    }
    voice.serving().forget(Members.id(event.member()));
    voice.leavers().forget(Members.id(event.member()));
    voice.onMembers().run();
    voice.onGone().run();
    haltIfOneself(event.member(), "removed");
  }

  private void downed(Member member) {
    voice.losses().note(Members.id(member), Tier.RESOLVER);
    haltIfOneself(member, "excluded");
  }

  /** No shutdown in good order: others may hold the users already. */
  private void haltIfOneself(Member member, String how) {
    if (member.uniqueAddress().equals(cluster.selfUniqueAddress())
        && !voice.leaving().getAsBoolean()) {
      LOG.error("this node was {} by the others", how);
      voice.host().halt().run();
    }
  }
}
