package dev.holdfast.kubernetes;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has Kubernetes take other pods before the oldest node's when it is told to run fewer: the oldest
 * is the place of the coordinator, and while that moves no shard gets a new home. A ReplicaSet asks
 * the annotation {@value PodPatch#ANNOTATION} of its pods.
 *
 * <p>Written when it changes and once at the start: a container that starts again in its pod finds
 * what it wrote in its former life. What fails is tried again, ever more seldom.
 *
 * <p>Can do no harm to the node: a thread of its own asks whether the node is the oldest, and
 * nothing waits for it.
 */
public final class DeletionCost implements AutoCloseable {

  /** Of the oldest node. */
  public static final int OLDEST = 1_000;

  /** Of every other; what Kubernetes takes a pod without the annotation for. */
  public static final int OTHER = 0;

  private static final Logger LOG = LoggerFactory.getLogger(DeletionCost.class);

  /**
   * How it goes about it.
   *
   * @param look how often it looks whether the node is the oldest
   * @param patience for one call
   * @param firstPause after a call that failed; twice as long after the next
   * @param longestPause between two calls, also if the server asks for more
   */
  record Pace(Duration look, Duration patience, Duration firstPause, Duration longestPause) {

    static final Pace CALM =
        new Pace(
            Duration.ofSeconds(1),
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            Duration.ofMinutes(5));
  }

  private final PodSettings pod;
  private final BooleanSupplier isOldest;
  private final Pace pace;
  private final PodPatch patch;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("holdfast-deletion-cost").unstarted(this::run);

  private DeletionCost(PodSettings pod, BooleanSupplier isOldest, Pace pace) {
    this.pod = pod;
    this.isOldest = isOldest;
    this.pace = pace;
    this.patch = new PodPatch(pod, pace.patience());
  }

  /**
   * Begins, and returns at once.
   *
   * @param isOldest whether this node is the oldest member of its cluster; asked each second
   */
  public static DeletionCost keep(PodSettings pod, BooleanSupplier isOldest) {
    return keep(pod, isOldest, Pace.CALM);
  }

  static DeletionCost keep(PodSettings pod, BooleanSupplier isOldest, Pace pace) {
    var kept = new DeletionCost(pod, isOldest, pace);
    kept.thread.start();
    return kept;
  }

  private void run() {
    @Nullable Integer written = null;
    int failures = 0;
    Duration pause = Duration.ZERO;
    try {
      while (!closing.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
        pause = pace.look();
        int cost = isOldest.getAsBoolean() ? OLDEST : OTHER;
        if (written == null || written != cost) {
          @Nullable Duration again = write(cost, failures);
          if (again == null) {
            written = cost;
            failures = 0;
          } else {
            failures++;
            pause = again;
          }
        }
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException bug) {
      LOG.error("the deletion cost of pod {} is not kept any more", pod.name(), bug);
    }
  }

  /** {@return null if it is written, else how long to wait before the next attempt} */
  private @Nullable Duration write(int cost, int failures) throws InterruptedException {
    String problem;
    @Nullable Long asked = null;
    try {
      PodPatch.Answer answer = patch.write(cost);
      if (answer.isDone()) {
        LOG.info("the deletion cost of pod {} is {}", pod.name(), cost);
        return null;
      }
      asked = answer.retryAfterSeconds();
      problem = "status " + answer.status() + hint(answer.status());
    } catch (IOException e) {
      problem = String.valueOf(e.getMessage());
    }
    Duration pause = pause(failures, asked);
    if (failures == 0) {
      LOG.warn(
          "the deletion cost of pod {} could not be written: {}; tried again, now and then",
          pod.name(),
          problem);
    } else {
      LOG.debug("attempt {} failed: {}; the next in {}", failures + 1, problem, pause);
    }
    return pause;
  }

  private static String hint(int status) {
    return switch (status) {
      case 401 -> ", the token is not accepted";
      case 403 -> ", the service account may not patch pods";
      case 404 -> ", there is no such pod";
      default -> "";
    };
  }

  private Duration pause(int failures, @Nullable Long asked) {
    Duration own = pace.firstPause().multipliedBy(1L << Math.min(failures, 20));
    Duration pause = asked == null || own.toSeconds() >= asked ? own : Duration.ofSeconds(asked);
    return pause.compareTo(pace.longestPause()) < 0 ? pause : pace.longestPause();
  }

  /** Ends at once, in the middle of a call too. The annotation stays as it is. */
  @Override
  public void close() {
    closing.countDown();
    thread.interrupt();
  }
}
