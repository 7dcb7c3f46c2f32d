package dev.holdfast.cluster;

import dev.holdfast.cluster.NodeMessage.Drain;
import dev.holdfast.cluster.NodeMessage.DrainBegins;
import dev.holdfast.cluster.NodeMessage.Status;
import dev.holdfast.cluster.NodeMessage.TellStatus;
import dev.holdfast.cluster.NodeMessage.TellTakeovers;
import dev.holdfast.cluster.NodeStatus.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.pattern.Patterns;
import org.jspecify.annotations.Nullable;

/** Asks the {@link NodeActor} of each member. */
final class ClusterMembership implements Membership {

  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final int MOST_TAKEOVERS = 100;

  private final ActorSystem system;

  ClusterMembership(ActorSystem system) {
    this.system = system;
  }

  @Override
  public List<NodeStatus> nodes() {
    Set<Member> unreachable = Cluster.get(system).state().getUnreachable();
    List<Member> members = members();
    List<CompletableFuture<Optional<Status>>> asked =
        members.stream().map(member -> ask(member, new TellStatus(), Status.class)).toList();
    @Nullable Member oldest = oldest(members);
    List<NodeStatus> found = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      found.add(
          status(
              member,
              asked.get(i).join().orElse(null),
              unreachable.contains(member),
              member.equals(oldest)));
    }
    found.sort(Comparator.comparing(NodeStatus::name).thenComparing(NodeStatus::address));
    return found;
  }

  /** {@return of the members that count, the one that came first; null before any is up} */
  private static @Nullable Member oldest(List<Member> members) {
    return members.stream()
        .filter(member -> state(member, false, false) == State.UP)
        .reduce((one, other) -> one.isOlderThan(other) ? one : other)
        .orElse(null);
  }

  private static NodeStatus status(
      Member member, @Nullable Status told, boolean unreachable, boolean oldest) {
    boolean own = told != null && told.id().equals(Members.id(member));
    return new NodeStatus(
        Members.name(member),
        Formation.hostPort(member.address()),
        told == null || !own ? null : told.http(),
        told == null || !own ? OptionalLong.empty() : OptionalLong.of(told.pid()),
        state(member, told != null && told.draining(), unreachable),
        oldest,
        told == null || !own ? OptionalLong.empty() : told.shards(),
        told == null || !own ? OptionalLong.empty() : OptionalLong.of(told.users()));
  }

  private static State state(Member member, boolean draining, boolean unreachable) {
    MemberStatus status = member.status();
    if (status.equals(MemberStatus.down()) || status.equals(MemberStatus.removed())) {
      return State.DOWN;
    }
    if (unreachable) {
      return State.UNREACHABLE;
    }
    if (status.equals(MemberStatus.joining()) || status.equals(MemberStatus.weaklyUp())) {
      return State.JOINING;
    }
    if (status.equals(MemberStatus.up())) {
      return draining ? State.DRAINING : State.UP;
    }
    return State.LEAVING;
  }

  @Override
  public List<Takeover> takeovers() {
    // Each was seen by the node that was the place of the coordinator then.
    List<CompletableFuture<Optional<NodeMessage.Takeovers>>> asked =
        members().stream()
            .map(member -> ask(member, new TellTakeovers(), NodeMessage.Takeovers.class))
            .toList();
    return asked.stream()
        .flatMap(answer -> answer.join().stream())
        .flatMap(takeovers -> takeovers.list().stream())
        .sorted(Comparator.comparing(Takeover::at).reversed())
        .limit(MOST_TAKEOVERS)
        .toList();
  }

  @Override
  public List<NodeFigures> figures() {
    List<Member> members = members();
    List<CompletableFuture<Optional<NodeMessage.Work>>> asked =
        members.stream()
            .map(member -> ask(member, new NodeMessage.TellWork(), NodeMessage.Work.class))
            .toList();
    List<NodeFigures> found = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      found.add(
          new NodeFigures(
              Members.name(members.get(i)),
              asked.get(i).join().map(NodeMessage.Work::figures).orElse(null)));
    }
    found.sort(Comparator.comparing(NodeFigures::node));
    return found;
  }

  @Override
  public boolean drain(String name) {
    return members().stream()
        .filter(member -> Members.name(member).equals(name))
        .map(member -> ask(member, new Drain(), DrainBegins.class))
        .toList()
        .stream()
        .anyMatch(answer -> answer.join().isPresent());
  }

  private List<Member> members() {
    return StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
        .toList();
  }

  private <T> CompletableFuture<Optional<T>> ask(
      Member member, NodeMessage question, Class<T> type) {
    CompletionStage<Object> answer =
        Patterns.ask(NodeActor.at(system, member.address()), question, PATIENCE);
    return answer
        .thenApply(told -> Optional.of(type.cast(told)))
        .exceptionally(_ -> Optional.empty())
        .toCompletableFuture();
  }
}
