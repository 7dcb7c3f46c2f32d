package dev.holdfast.entity;

import dev.holdfast.telemetry.Traces;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The thread of a request, lent to the actor that it asks: it takes the actor's turn with the
 * question itself, and the one in which the journal has answered, where it would else start another
 * thread and wait for it. So from its socket to the journal and back a change stays on one thread.
 *
 * <p>A turn that it was given is taken for certain: by it, or by a thread of its own once this is
 * closed. The actor notices no difference, since its turns come one after the other as ever, on
 * whatever thread.
 */
public final class LentThread implements AutoCloseable {

  /** Who takes the turns that the present thread causes; null for a thread of their own each. */
  private static final ThreadLocal<@Nullable LentThread> TAKER = new ThreadLocal<>();

  private static final Runnable CLOSED = new Closed();

  /** In the place of a turn once no more are taken. */
  private record Closed() implements Runnable {
    @Override
    public void run() {}
  }

  private final Thread thread = Thread.currentThread();
  private final AtomicReference<@Nullable Runnable> given = new AtomicReference<>();

  /** Lends the present thread, until it is closed. */
  public LentThread() {}

  /** Starts a turn of an actor. */
  public static void start(Runnable turn) {
    LentThread taker = TAKER.get();
    if (taker == null || !taker.give(turn)) {
      Thread.startVirtualThread(turn);
    }
  }

  /**
   * Sends a message.
   *
   * @param taker of the turn that this causes, where the actor has none before it; or null
   */
  static <M> void send(ActorRef<M> actor, M message, @Nullable LentThread taker) {
    if (taker == null) {
      actor.tell(message);
      return;
    }
    TAKER.set(taker);
    try {
      actor.tell(message);
    } finally {
      TAKER.set(null);
    }
  }

  /** Sends a message and takes the turn that this causes. Only for the thread that is lent. */
  public <M> void send(ActorRef<M> actor, M message) {
    send(actor, message, this);
    takeTurns();
  }

  /**
   * Takes the turns that were given, if there are any. For the thread that is lent, each time when
   * it was woken.
   */
  public void takeTurns() {
    for (Runnable turn = given.get(); turn != null; turn = given.get()) {
      given.set(null);
      take(turn);
    }
  }

  /** Neither an interrupt of the request nor its trace is the actor's. */
  private void take(Runnable turn) {
    boolean interrupted = Thread.interrupted();
    try (var _ = Traces.beginOutside()) {
      turn.run();
    } catch (Throwable fault) { // not one of the actor, which Pekko sees to
      if (fault instanceof InterruptedException) {
        interrupted = true;
      } else {
        thread.getUncaughtExceptionHandler().uncaughtException(thread, fault);
      }
    } finally {
      if (interrupted) {
        thread.interrupt();
      }
    }
  }

  private boolean give(Runnable turn) {
    if (!given.compareAndSet(null, turn)) {
      return false;
    }
    if (!thread.equals(Thread.currentThread())) {
      LockSupport.unpark(thread);
    }
    return true;
  }

  /** Takes no more turns. Only for the thread that is lent. */
  @Override
  public void close() {
    Runnable left = given.getAndSet(CLOSED);
    if (left != null) {
      Thread.startVirtualThread(left);
    }
  }
}
