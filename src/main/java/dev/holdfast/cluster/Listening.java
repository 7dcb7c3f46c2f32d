package dev.holdfast.cluster;

import dev.holdfast.entity.Message;
import dev.holdfast.entity.Told;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArraySet;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Listens to users for all of this node: one actor, to which the users' actors tell what happens,
 * and which passes it on to whoever listens here. However many listen to a user, the user's actor
 * tells a node once.
 *
 * <p>A user's actor remembers a listening node for 15 seconds only, so it is asked again every
 * {@link #RENEWAL}: that also finds the actor after its shard has moved, and shows by the numbers
 * what was missed. When nodes come or go, everybody is asked again each second for a while.
 */
final class Listening implements Changes {

  /** Each user who is listened to is asked again after so long. */
  private static final Duration RENEWAL = Duration.ofSeconds(4);

  private static final Duration TICK = Duration.ofMillis(250);
  private static final int SLOTS = (int) (RENEWAL.toMillis() / TICK.toMillis());

  /** While nodes come and go: a quarter of the users with each tick. */
  private static final int URGENT_SLOTS = 4;

  private static final int URGENT_TICKS = 60;

  private final UserEntity.Mail mail;
  private final Map<OwnerKey, Set<Listener>> listeners = new ConcurrentHashMap<>();
  private final ActorRef<Told> here;

  /** What the actor hears besides what users tell. */
  private sealed interface Heard {
    record Tick() implements Heard {}

    record MembersChanged() implements Heard {}
  }

  // Only the actor's own thread knows these.
  private int tick;
  private int urgent;

  Listening(ActorSystem<?> system, UserEntity.Mail mail) {
    this.mail = mail;
    this.here = system.systemActorOf(behavior(), "holdfast-listening", Props.empty()).narrow();
  }

  private Behavior<Object> behavior() {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> {
          timers.startTimerWithFixedDelay(new Heard.Tick(), TICK);
          Cluster.get(context.getSystem())
              .subscriptions()
              .tell(
                  Subscribe.create(
                      context.messageAdapter(
                          ClusterEvent.MemberEvent.class, _ -> new Heard.MembersChanged()),
                      ClusterEvent.MemberEvent.class));
          return Behaviors.receive(Object.class)
              .onMessage(Told.Happened.class, this::happened)
              .onMessage(Told.Left.class, this::left)
              .onMessage(Heard.Tick.class, _ -> ticked())
              .onMessage(Heard.MembersChanged.class, _ -> membersChanged())
              .build();
        }));
  }

  private Behavior<Object> happened(Told.Happened happened) {
    for (Listener listener : listeners.getOrDefault(happened.owner(), Set.of())) {
      listener.told(happened);
    }
    return Behaviors.same();
  }

  /** It is somewhere again as soon as it is asked for. */
  private Behavior<Object> left(Told.Left left) {
    if (listeners.containsKey(left.owner())) {
      ask(left.owner());
    }
    return Behaviors.same();
  }

  private Behavior<Object> membersChanged() {
    urgent = URGENT_TICKS;
    return Behaviors.same();
  }

  private Behavior<Object> ticked() {
    int slots = urgent > 0 ? URGENT_SLOTS : SLOTS;
    urgent = Math.max(0, urgent - 1);
    tick++;
    for (OwnerKey owner : listeners.keySet()) {
      if (Math.floorMod(owner.low(), slots) == tick % slots) {
        ask(owner);
      }
    }
    return Behaviors.same();
  }

  private void ask(OwnerKey owner) {
    mail.send(owner, new Message.Listen(here));
  }

  @Override
  public Subscription listen(OwnerKey owner, Listener listener) {
    listeners.compute(
        owner,
        (_, before) -> {
          Set<Listener> those = before == null ? new CopyOnWriteArraySet<>() : before;
          those.add(listener);
          return those;
        });
    ask(owner);
    return () ->
        listeners.computeIfPresent(
            owner,
            (_, those) -> {
              those.remove(listener);
              return those.isEmpty() ? null : those;
            });
  }

  /** {@return how many users are listened to from here} */
  int users() {
    return listeners.size();
  }
}
