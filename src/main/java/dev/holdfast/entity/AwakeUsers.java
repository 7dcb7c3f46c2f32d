package dev.holdfast.entity;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The actors of this node whose users are not packed, in the order in which they were noted, so
 * that those who are not asked for any more can be told to {@link Message.Rest}. Users who rest are
 * not here: most do, and they cost nothing.
 *
 * <p>An actor is here at most once: it notes itself when it is asked and is not here, and is taken
 * out when it is told to rest, or ends.
 */
public final class AwakeUsers {

  /** Twice that at most is the time from the last request to the packing. */
  static final long REST_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** How often {@link #sweep} is meant to be called. */
  public static final long SWEEP_MILLIS = 100;

  /** Told to rest in one sweep: packing 2,000 users a second takes a tenth of one processor. */
  static final int MOST_A_SWEEP = 200;

  private final Queue<Noted> noted = new ConcurrentLinkedQueue<>();
  private final LongSupplier nanoTime;

  /** One note of one actor. */
  static final class Noted {
    private final long at;
    private volatile @Nullable ActorRef<Message> actor;

    private Noted(ActorRef<Message> actor, long at) {
      this.actor = actor;
      this.at = at;
    }

    /** The actor ends: there may be many of those, and nothing is kept of them. */
    void takeBack() {
      actor = null;
    }
  }

  AwakeUsers(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  Noted note(ActorRef<Message> actor) {
    var note = new Noted(actor, nanoTime.getAsLong());
    noted.add(note);
    return note;
  }

  /** Tells those who were noted long enough ago to rest. */
  public void sweep() {
    long now = nanoTime.getAsLong();
    int told = 0;
    for (Noted next = noted.peek(); next != null && told < MOST_A_SWEEP; next = noted.peek()) {
      ActorRef<Message> actor = next.actor;
      if (actor != null) {
        if (now - next.at < REST_NANOS) {
          return;
        }
        actor.tell(new Message.Rest());
        told++;
      }
      noted.remove(); // the same one: nobody else takes any out
    }
  }
}
