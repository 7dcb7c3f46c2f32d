package dev.holdfast.local;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Closes connections whose time is over: what waits on them then fails. */
final class Watch implements AutoCloseable {

  private static final long LOOK_MILLIS = 50;

  private final Set<Wire> open = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("front-watch").factory());

  private Watch() {}

  static Watch start() {
    var watch = new Watch();
    var _ =
        watch.clock.scheduleWithFixedDelay(
            watch::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    return watch;
  }

  private void look() {
    long now = System.nanoTime();
    for (Wire wire : open) {
      wire.closeIfOverdue(now);
    }
  }

  void add(Wire wire) {
    open.add(wire);
  }

  void remove(Wire wire) {
    open.remove(wire);
  }

  /** Closes all connections that are left. */
  @Override
  public void close() {
    clock.shutdownNow();
    open.forEach(Wire::close);
  }
}
