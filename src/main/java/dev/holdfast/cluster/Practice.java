package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.Population;
import dev.holdfast.entity.RightToAnswer;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.journal.ForgetfulStore;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.NodeId;
import dev.holdfast.user.Command;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.PoisonPill;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Users who are there to practise on, until this is closed: their actors are what those of others
 * are, and are reached in the same ways, but no cluster has them, and their journal keeps nothing.
 * So a node can do what it will have to do before it holds anybody.
 */
public final class Practice implements Users, AutoCloseable {

  private static final String NAME = "holdfast-practice";

  private final Journal journal;
  private final Waiting waiting = new Waiting();
  private final Peers nobody;
  private final ActorRef<Addressed> region;
  private final ShardedUsers users;

  /**
   * Begins.
   *
   * @param dispatcher of users
   */
  Practice(
      ActorSystem<?> system,
      String node,
      String dispatcher,
      ShardRanges ranges,
      JournalSettings settings,
      TrustedClock clock,
      Limits limits,
      int form) {
    NodeId id = NodeId.random();
    InstantSource time = () -> Instant.ofEpochMilli(clock.read().millis());
    this.journal = Journal.start(new ForgetfulStore(), id, settings, time, () -> {});
    this.nobody = new Peers(ranges, id.value(), null);
    var population = new Population();
    var surroundings = new CompletableFuture<UserEntity.Surroundings>();
    this.region =
        system.systemActorOf(
            Behaviors.setup(_ -> region(dispatcher, surroundings)), NAME, Props.empty());
    this.users = new ShardedUsers(system, region, population.local(), nobody, waiting);
    surroundings.complete(
        new UserEntity.Surroundings(
            node,
            journal,
            clock,
            RightToAnswer.ALWAYS,
            limits,
            users,
            population,
            () -> form,
            OwnerKeys.plain()));
  }

  /** In the place of the shards: has an actor for everybody who is written to. */
  private static Behavior<Addressed> region(
      String dispatcher, CompletableFuture<UserEntity.Surroundings> surroundings) {
    Map<OwnerKey, ActorRef<Message>> actors = new HashMap<>();
    return Behaviors.receive((context, addressed) -> {
      actors
          .computeIfAbsent(
              addressed.owner(),
              owner ->
                  context.spawn(
                      Behaviors.setup(_ -> UserEntity.create(owner, surroundings.join(), _ -> {})),
                      owner.toString(),
                      DispatcherSelector.fromConfig(dispatcher)))
          .tell(addressed.message());
      return Behaviors.same();
    });
  }

  @Override
  public Answer ask(OwnerKey owner, Command command, long timeoutMillis) {
    return users.ask(owner, command, timeoutMillis);
  }

  /** Ends these users. */
  @Override
  public void close() {
    Adapter.toClassic(region).tell(PoisonPill.getInstance(), Adapter.toClassic(region));
    nobody.close();
    waiting.close();
    journal.close();
  }
}
