package dev.holdfast.entity;

import dev.holdfast.telemetry.Traces;
import dev.holdfast.user.Command;
import dev.holdfast.user.Decision;
import dev.holdfast.user.Presence;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Session;
import dev.holdfast.user.User;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A user whose actor is on this node and has been asked. The threads of requests, of this node and
 * of others, send to the actor itself, and look at what it shows: the journaled state, while the
 * user is in use and that is what the actor would decide a look on.
 *
 * <p>The actor shows a state before it answers the write that led to it, and hides it before it
 * reads the journal anew, freezes, packs or ends. So a look here says what was true at a moment
 * between its beginning and its end, as a look at the actor does: the moment at which the state was
 * taken, at which this node had the user if it has the right to answer after that.
 *
 * <p>Whatever is more than a look leaves here without an answer, and goes to the actor: an expiry
 * or an activity that is to be journaled first, a refusal, a state of another history.
 */
public final class LocalUser {

  /**
   * So often at the least a request takes the way over the shard region: a node makes room for
   * others by what its shards have seen of their users.
   */
  private static final long REGIONS_TURN_NANOS = TimeUnit.SECONDS.toNanos(30);

  /**
   * A session that would end within this is left to its actor, so that no look here can say that it
   * goes on while the actor finds that it has ended. It is also how long a look here may take.
   */
  private static final long MARGIN_MILLIS = 500;

  private static final long MARGIN_NANOS = TimeUnit.MILLISECONDS.toNanos(MARGIN_MILLIS);

  /** A state and the number of the journal's history that it is of. */
  private record Shown(User user, long history) {}

  private final ActorRef<Message> actor;
  private final UserEntity.Surroundings surroundings;
  private final SeenSessions presence;

  private volatile @Nullable Shown shown;
  private volatile long routedAt = System.nanoTime();
  private volatile boolean used;

  /**
   * A user who is not shown yet.
   *
   * @param presence the actor's own, which looks add to
   */
  LocalUser(ActorRef<Message> actor, UserEntity.Surroundings surroundings, SeenSessions presence) {
    this.actor = actor;
    this.surroundings = surroundings;
    this.presence = presence;
  }

  // ---------------------------------------------------------------------------------------------
  // For the actor

  void show(User user, long history) {
    shown = new Shown(user, history);
  }

  void hide() {
    shown = null;
  }

  boolean isShown() {
    return shown != null;
  }

  /** {@return whether there was a look since the last time} */
  boolean takeUsed() {
    boolean taken = used;
    used = false;
    return taken;
  }

  // ---------------------------------------------------------------------------------------------
  // For the threads of requests

  /** {@return whether this request is to go over the shard region} Then it is taken to go there. */
  public boolean takeRegionsTurn() {
    long now = System.nanoTime();
    boolean turn = now - routedAt > REGIONS_TURN_NANOS;
    if (turn) {
      routedAt = now;
    }
    return turn;
  }

  /** {@return where to send what cannot be answered here} */
  public ActorRef<Message> actor() {
    return actor;
  }

  /**
   * Looks at a session as the actor would.
   *
   * @param trace that the look is part of; null for none
   * @return null if only the actor can tell, as of all commands that are no looks
   */
  public Answer.@Nullable Answered look(Command command, @Nullable String trace) {
    if (!(command instanceof Command.Look look)) {
      return null;
    }
    long began = System.nanoTime();
    Shown taken = shown;
    if (taken == null || surroundings.journal().historyNumber() != taken.history) {
      return null;
    }
    try (var _ = Traces.begin("user Look", trace)) {
      Reply.Seen reply = decide(look, taken.user);
      return reply != null
              && System.nanoTime() - began < MARGIN_NANOS
              && surroundings.right().isHeld()
          ? new Answer.Answered(reply, surroundings.node())
          : null;
    }
  }

  private Reply.@Nullable Seen decide(Command.Look look, User user) {
    boolean journalUp = surroundings.journal().health().isAvailable();
    TrustedClock.Reading clock = surroundings.clock().read();
    long seenBefore = presence.seen(look.access().session());
    Decision decision = user.decide(look, surroundings.context(clock, journalUp, presence));
    if (!decision.entries().isEmpty()
        || !(decision.reply() instanceof Reply.Seen seen)
        || endsSoon(seen.view().session(), seenBefore, clock.millis())) {
      return null;
    }
    if (journalUp) {
      presence.note(decision, clock.millis());
    }
    if (!used) {
      used = true;
    }
    return seen;
  }

  private static boolean endsSoon(Session session, long seenBefore, long now) {
    long seen =
        seenBefore == Presence.UNKNOWN
            ? session.lastSeenAt()
            : Math.max(seenBefore, session.lastSeenAt());
    return session.expiresAt(seen) - now < MARGIN_MILLIS;
  }
}
