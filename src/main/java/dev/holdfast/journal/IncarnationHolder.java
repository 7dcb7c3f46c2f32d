package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import dev.holdfast.journal.NodeRegistry.Incarnation;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims the incarnation of a new cluster, and renews it for as long as this process speaks for the
 * cluster, so that nobody else claims the next one meanwhile.
 */
public final class IncarnationHolder implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(IncarnationHolder.class);

  /** Renewals within the silence after which others may claim. */
  private static final int RENEWALS = 5;

  private static final Duration BETWEEN_ATTEMPTS = Duration.ofMillis(200);

  private final NodeRegistry nodes;
  private final NodeId node;
  private final long number;
  private final Duration interval;
  private final Runnable onLost;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread renewing;

  private IncarnationHolder(
      NodeRegistry nodes, NodeId node, long number, Duration silence, Runnable onLost) {
    this.nodes = nodes;
    this.node = node;
    this.number = number;
    this.interval = silence.dividedBy(RENEWALS);
    this.onLost = onLost;
    this.renewing =
        Thread.ofPlatform().daemon().name("holdfast-journal-incarnation").unstarted(this::renew);
  }

  /**
   * Claims the next incarnation. Where an earlier cluster was not released, waits until it has been
   * silent for long enough.
   *
   * @param silence after which an earlier cluster counts as gone, by the store's clock; zero for
   *     those who know that it is
   * @param onLost called once, on a thread of its own, when somebody else has claimed or fenced:
   *     must halt the process
   * @throws JournalUnusable if an earlier cluster lives
   * @throws StoreUnreadable if the store does not answer
   * @throws JournalFailure if the store does not take the claim
   */
  public static IncarnationHolder claim(
      JournalStore store, NodeId node, Duration silence, Runnable onLost) throws JournalUnusable {
    NodeRegistry nodes = store.nodes();
    long giveUpAt = System.nanoTime() + silence.plusSeconds(1).toNanos();
    Incarnation claimed = attempt(nodes, node, silence);
    while (claimed == null) {
      if (System.nanoTime() - giveUpAt > 0) {
        throw new JournalUnusable(
            Problem.HELD, "another cluster runs on this journal: join it, or stop it first");
      }
      pause();
      claimed = attempt(nodes, node, silence);
    }
    IncarnationHolder holder =
        new IncarnationHolder(nodes, node, claimed.number(), silence, onLost);
    if (!silence.isZero()) {
      holder.renewing.start();
    }
    return holder;
  }

  private static @Nullable Incarnation attempt(NodeRegistry nodes, NodeId node, Duration silence) {
    try {
      return nodes.claim(node, nodes.incarnation().number(), silence);
    } catch (InDoubt open) {
      // A claim registers the node, and nothing else has: if it is there, the claim went through.
      return nodes.isFenced(node) ? null : nodes.incarnation();
    }
  }

  private static void pause() throws JournalUnusable {
    try {
      TimeUnit.NANOSECONDS.sleep(BETWEEN_ATTEMPTS.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JournalUnusable(Problem.HELD, "interrupted while claiming the journal", e);
    }
  }

  private void renew() {
    try {
      while (!closing.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
        if (!renewed()) {
          LOG.error("incarnation {} of the cluster is no longer held by this node", number);
          onLost.run();
          return;
        }
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  private boolean renewed() {
    try {
      return nodes.renew(node, number);
    } catch (JournalFailure unreachable) {
      // The next one may go through; if somebody else claims before it does, it will say so.
      LOG.warn("the incarnation could not be renewed: {}", unreachable.getMessage());
      return true;
    }
  }

  /** The number of the incarnation. */
  public long number() {
    return number;
  }

  /** Stops renewing. Does not release: see {@link Journal#release}. */
  @Override
  public void close() {
    closing.countDown();
  }
}
