package dev.holdfast.faults;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Spreads requests over the nodes that say they are ready, as a load balancer does: by asking them
 * now and then, and not by trying.
 */
final class Front implements Supplier<URI>, AutoCloseable {

  private static final long PAUSE_NANOS = 50_000_000;

  private final CopyOnWriteArrayList<URI> nodes = new CopyOnWriteArrayList<>();
  private final AtomicInteger turn = new AtomicInteger();
  private final AtomicLong nextSlot = new AtomicLong(System.nanoTime());
  private final long slotNanos;
  private final Thread asking = Thread.ofVirtual().unstarted(this::askAll);
  private volatile List<URI> ready = List.of();
  private volatile boolean closed;

  /**
   * @param perSecond requests at most, so that the machine carries the load with ease whatever else
   *     happens; who comes sooner waits
   */
  Front(int perSecond) {
    slotNanos = 1_000_000_000L / perSecond;
    asking.start();
  }

  void add(URI node) {
    nodes.add(node);
    ask();
  }

  /** The node is gone. One that leaves in good order says so itself. */
  void remove(URI node) {
    nodes.remove(node);
    ask();
  }

  private void askAll() {
    while (!closed) {
      ask();
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private synchronized void ask() {
    ready =
        nodes.stream()
            .filter(node ->
                new ApiClient(node).send(Call.get("/health/ready")) instanceof Answer answer
                    && answer.ok())
            .toList();
  }

  @Override
  public URI get() {
    long slot =
        nextSlot.updateAndGet(last -> Math.max(last + slotNanos, System.nanoTime() - slotNanos));
    LockSupport.parkNanos(slot - System.nanoTime());
    List<URI> now = ready;
    while (now.isEmpty()) {
      LockSupport.parkNanos(PAUSE_NANOS);
      now = ready;
    }
    return now.get(Math.floorMod(turn.getAndIncrement(), now.size()));
  }

  @Override
  public void close() {
    closed = true;
  }
}
