package dev.holdfast.drill;

import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.NoAnswer;
import dev.holdfast.drill.ApiClient.Sent;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Callers who have not noticed that a node is cut off or hangs: they go on asking it, for the users
 * that were its own. What it answers, whenever that is, goes into the history: an answer that is
 * older than what others acknowledged before it was asked for is stale.
 */
final class Probes {

  private static final long PAUSE_NANOS = 50_000_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final AtomicInteger asked = new AtomicInteger();
  private final AtomicInteger shown = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final Phaser waiting = new Phaser(1);
  private volatile boolean stopped;

  /**
   * Begins.
   *
   * @param node where all of it enters
   * @param shoppers whose users are asked for, in turn
   */
  Probes(URI node, List<Shopper> shoppers) {
    Api direct =
        call -> {
          Sent sent = ApiClient.sendTo(node, call, PATIENCE);
          switch (sent) {
            case Answer answer -> (answer.status() < 300 ? shown : refused).incrementAndGet();
            case NoAnswer _ -> {}
          }
          return sent;
        };
    if (!shoppers.isEmpty()) {
      Thread.ofVirtual().start(() -> ask(direct, shoppers));
    }
  }

  private void ask(Api direct, List<Shopper> shoppers) {
    while (!stopped) {
      int number = asked.getAndIncrement();
      Shopper shopper = shoppers.get(number % shoppers.size());
      waiting.register();
      Thread.ofVirtual()
          .start(() -> {
            try {
              if (number % 4 == 3) {
                shopper.putThrough(direct, "probe", "probe-" + shopper.name() + "-" + number);
              } else {
                shopper.lookThrough(direct);
              }
            } finally {
              waiting.arriveAndDeregister();
            }
          });
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Asks no more. */
  void end() {
    stopped = true;
  }

  /** Waits until what was asked is answered, or it is clear that it will not be. */
  void await() {
    waiting.arriveAndAwaitAdvance();
  }

  @Override
  public String toString() {
    return "%d asked there meanwhile: %d were answered, %d refused, the others not answered"
        .formatted(asked.get(), shown.get(), refused.get());
  }
}
