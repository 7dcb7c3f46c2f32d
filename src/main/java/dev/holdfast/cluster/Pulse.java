package dev.holdfast.cluster;

import java.time.Duration;
import org.apache.pekko.actor.typed.ActorSystem;

/** Whether the actors get their turn: beats on the threads that run the users. */
final class Pulse {

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private volatile long last = System.nanoTime();

  /** Beats as long as the actor system runs. */
  static Pulse of(ActorSystem<?> system) {
    var pulse = new Pulse();
    var _ =
        system
            .scheduler()
            .scheduleWithFixedDelay(
                Duration.ZERO,
                INTERVAL,
                () -> pulse.last = System.nanoTime(),
                system.executionContext());
    return pulse;
  }

  /** {@return how long ago the last beat was; about a second at most while all is well} */
  Duration sinceLast() {
    return Duration.ofNanos(System.nanoTime() - last);
  }
}
