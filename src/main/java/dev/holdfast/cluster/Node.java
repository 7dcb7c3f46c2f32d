package dev.holdfast.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.MessageSerializer;
import dev.holdfast.entity.Population;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.journal.Journal;
import dev.holdfast.user.Command;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;

/**
 * This process as a member of the cluster: the actor system, the users it holds, and the agenda.
 *
 * <p>For now it forms a cluster of one. The journal must know the process before it starts here:
 * see {@link dev.holdfast.journal.NodeRegistry}.
 */
public final class Node implements AutoCloseable {

  private static final EntityTypeKey<Message> USERS = EntityTypeKey.create(Message.class, "user");
  private static final Duration FORMING = Duration.ofSeconds(30);
  private static final Duration STOPPING = Duration.ofSeconds(20);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final OwnerKey NOBODY = new OwnerKey(0, 0);

  private final ActorSystem<Void> system;
  private final ShardedUsers users;
  private final Population population;
  private final Agenda agenda;

  private Node(ActorSystem<Void> system, ShardedUsers users, Population population, Agenda agenda) {
    this.system = system;
    this.users = users;
    this.population = population;
    this.agenda = agenda;
  }

  /**
   * Starts the node and returns when it serves users.
   *
   * @param config with the keys of Pekko
   * @throws IllegalStateException if it does not get there within {@code 30 s}
   */
  public static Node start(
      Config config, ClusterSettings settings, Journal journal, TrustedClock clock, Limits limits) {
    Config own =
        ConfigFactory.parseMap(
                Map.of(
                    "pekko.cluster.sharding.number-of-shards",
                    settings.shards(),
                    "pekko.cluster.sharding.passivation.default-strategy.active-entity-limit",
                    settings.usersInMemory(),
                    "pekko.remote.artery.advanced.maximum-frame-size",
                    MessageSerializer.mostBytes(limits) + "b"))
            .withFallback(config);
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "holdfast", own);
    try {
      Cluster cluster = Cluster.get(system);
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
      var population = new Population();
      // Users reach each other over the region, which is there only after they are defined.
      var surroundings = new CompletableFuture<UserEntity.Surroundings>();
      ActorRef<Addressed> region =
          ClusterSharding.get(system)
              .init(
                  Entity.of(
                          USERS,
                          entity ->
                              UserEntity.create(
                                  OwnerKey.parse(entity.getEntityId()),
                                  surroundings.join(),
                                  actor ->
                                      entity
                                          .getShard()
                                          .tell(new ClusterSharding.Passivate<>(actor))))
                      .withStopMessage(new Message.Stop())
                      .withMessageExtractor(new ShardRanges(settings.shards())));
      var users = new ShardedUsers(system, region);
      surroundings.complete(new UserEntity.Surroundings(journal, clock, limits, users, population));
      if (!comesToServe(users)) {
        throw new IllegalStateException("the node did not come to serve users within " + FORMING);
      }
      var agenda = new Agenda(journal, users, clock, settings);
      agenda.start();
      return new Node(system, users, population, agenda);
    } catch (RuntimeException e) {
      system.terminate();
      throw e;
    }
  }

  /**
   * The first answer shows that the cluster stands, that its shards are allocated and that the
   * journal can be read; anybody's will do.
   */
  private static boolean comesToServe(Users users) {
    long end = System.nanoTime() + FORMING.toNanos();
    long left = FORMING.toNanos();
    boolean serves = false;
    while (!serves && left > 0) {
      Answer answer =
          users.ask(NOBODY, new Command.AskEpoch(), TimeUnit.NANOSECONDS.toMillis(left) + 1);
      serves = answer instanceof Answer.Answered;
      if (!serves) {
        // The journal does not answer yet: it is told at once, and tried again now and then.
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      left = end - System.nanoTime();
    }
    return serves;
  }

  public Users users() {
    return users;
  }

  public Population population() {
    return population;
  }

  /** {@return where other nodes reach it, as {@code host:port}} */
  public String address() {
    Address address = Cluster.get(system).selfMember().address();
    return address.getHost().orElse("") + ":" + address.getPort().orElse(0);
  }

  /** {@return whether this node is a member in good standing} */
  public boolean isUp() {
    return Cluster.get(system).selfMember().status().equals(MemberStatus.up());
  }

  /** Leaves the cluster and stops, within 20 s. */
  @Override
  public void close() {
    agenda.close();
    system.terminate();
    try {
      system.getWhenTerminated().toCompletableFuture().get(STOPPING.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the node did not stop within " + STOPPING, e);
    }
  }
}
