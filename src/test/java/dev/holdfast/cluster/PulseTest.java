package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PulseTest {

  private static final int THREADS = 2;

  private final ActorSystem<Void> system =
      ActorSystem.create(
          Behaviors.empty(),
          "pulse",
          ConfigFactory.parseString(
              "pekko.actor.provider = local, pekko.actor.default-dispatcher.fork-join-executor"
                  + " { parallelism-min = %d, parallelism-max = %d }".formatted(THREADS, THREADS)));

  @AfterEach
  void end() {
    system.terminate();
  }

  @Test
  void beatsWhileActorsGetTheirTurnAndStopsWhileTheyDoNot() {
    Pulse pulse = Pulse.of(system);
    var stuck = new CountDownLatch(1);
    for (int i = 0; i < THREADS; i++) {
      system.executionContext().execute(() -> hold(stuck));
    }
    await().until(() -> pulse.sinceLast().compareTo(Duration.ofMillis(2_500)) > 0);

    stuck.countDown();
    await().until(() -> pulse.sinceLast().compareTo(Duration.ofSeconds(1)) < 0);
    assertThat(pulse.sinceLast()).isLessThan(Duration.ofMillis(2_500));
  }

  private static void hold(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}
