package dev.holdfast.cluster;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * The threads of this node that wait for something until a moment of their own, all on one timer.
 * Nearly all get what they wait for long before it, and a timer for each would cost more than what
 * they wait for. When a node is lost all are woken at once: what it was sent is lost too.
 */
final class Waiting implements AutoCloseable {

  /** How late a thread may be woken. */
  private static final long TICK_MILLIS = 25;

  private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
  private final AtomicInteger lost = new AtomicInteger();
  private volatile boolean closed;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-waiting").factory());

  Waiting() {
    var _ =
        timer.scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** {@return how many nodes were lost so far} */
  int lostNodes() {
    return lost.get();
  }

  /** Another one is lost. */
  void nodeLost() {
    lost.incrementAndGet();
    waiters.forEach(Waiter::wake);
  }

  private void tick() {
    long now = System.nanoTime();
    for (Waiter waiter : waiters) {
      if (now - waiter.until >= 0) {
        waiter.wake();
      }
    }
  }

  /** {@return the present thread as one that may wait, until it is closed} */
  Waiter join() {
    var waiter = new Waiter(Thread.currentThread());
    waiters.add(waiter);
    return waiter;
  }

  /** Whoever still waits, or comes to, does it on a timer of their own. */
  @Override
  public void close() {
    timer.shutdownNow();
    closed = true;
    waiters.forEach(Waiter::wake);
  }

  /** One thread. */
  final class Waiter implements AutoCloseable {
    private final Thread thread;
    private volatile long until = System.nanoTime() + TimeUnit.DAYS.toNanos(1);

    private Waiter(Thread thread) {
      this.thread = thread;
    }

    /**
     * Waits for {@link #wake} until that moment by {@link System#nanoTime}; or shorter, so the
     * thread looks itself whether what it waits for is there. Only for that thread.
     *
     * @throws InterruptedException if it is interrupted
     */
    void await(long moment) throws InterruptedException {
      until = moment;
      long left = moment - System.nanoTime();
      if (closed) {
        LockSupport.parkNanos(this, left);
      } else if (left > 0) {
        LockSupport.park(this);
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }

    void wake() {
      if (!thread.equals(Thread.currentThread())) { // which would not wait the next time
        LockSupport.unpark(thread);
      }
    }

    @Override
    public void close() {
      waiters.remove(this);
    }
  }
}
