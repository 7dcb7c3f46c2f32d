package dev.holdfast.entity;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The actors of this node whose users are not packed, in the order in which they were noted, so
 * that those who are not asked for any more can be told to {@link Message.Rest}. Users who rest are
 * not here: most do, and they cost nothing.
 *
 * <p>An actor is here at most once: it notes itself when it is asked and is not here, and is taken
 * out when it is told to rest.
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

  private record Noted(ActorRef<Message> actor, long at) {}

  AwakeUsers(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  void note(ActorRef<Message> actor) {
    noted.add(new Noted(actor, nanoTime.getAsLong()));
  }

  /** Tells those who were noted long enough ago to rest. */
  public void sweep() {
    long now = nanoTime.getAsLong();
    for (int i = 0; i < MOST_A_SWEEP; i++) {
      Noted next = noted.peek();
      if (next == null || now - next.at < REST_NANOS) {
        return;
      }
      noted.remove(); // the same one: nobody else takes any out
      next.actor.tell(new Message.Rest());
    }
  }
}
