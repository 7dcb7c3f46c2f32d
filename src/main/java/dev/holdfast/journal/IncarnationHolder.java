package dev.holdfast.journal;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the incarnation of the cluster that this process belongs to from being claimed by others,
 * and notices when it was, or when this node was fenced.
 *
 * <p>One node speaks for the cluster and renews. The others look, and renew in its place when it
 * has not for a while: a cluster must not be taken for gone while it finds out that its speaker is.
 */
public final class IncarnationHolder implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(IncarnationHolder.class);

  /** Renewals within the silence after which others may claim. */
  private static final int RENEWALS = 5;

  private final NodeRegistry nodes;
  private final NodeId node;
  private final long number;
  private final Duration interval;
  private final Runnable onLost;
  private final Witness witness;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread renewing;
  private volatile BooleanSupplier speaks = () -> true;

  /** Is told, on one thread, what became of each look at the incarnation. */
  public interface Witness {

    /** The journal is about to be asked. */
    void asks();

    /**
     * The incarnation was renewed after {@link #asks}, or less than two fifths of the silence
     * before it, and this node is not fenced. Not told if the journal does not answer.
     */
    void held();
  }

  private IncarnationHolder(
      NodeRegistry nodes,
      NodeId node,
      long number,
      Duration silence,
      Runnable onLost,
      Witness witness) {
    this.nodes = nodes;
    this.node = node;
    this.number = number;
    this.interval = silence.dividedBy(RENEWALS);
    this.onLost = onLost;
    this.witness = witness;
    this.renewing =
        Thread.ofPlatform().daemon().name("holdfast-journal-incarnation").unstarted(this::renew);
  }

  /**
   * Begins to hold an incarnation that this node is registered in. Until {@link #speaksWhile} says
   * otherwise, this node renews it.
   *
   * @param silence after which others take the cluster for gone, by the store's clock; zero for
   *     those who know that there are none: then nothing is to be done here
   * @param onLost called once, on a thread of its own, when somebody else has claimed, or fenced
   *     this node: must halt the process
   * @param witness told of each look, the first of which is at once
   */
  public static IncarnationHolder hold(
      NodeRegistry nodes,
      NodeId node,
      long number,
      Duration silence,
      Runnable onLost,
      Witness witness) {
    IncarnationHolder holder = new IncarnationHolder(nodes, node, number, silence, onLost, witness);
    if (!silence.isZero()) {
      holder.renewing.start();
    }
    return holder;
  }

  /** From now on this node renews while {@code speaks} says so, and else only if nobody does. */
  public void speaksWhile(BooleanSupplier speaks) {
    this.speaks = speaks;
  }

  private void renew() {
    long waits;
    try {
      do {
        long begun = System.nanoTime();
        if (!isHeld()) {
          LOG.error("this node is fenced, or incarnation {} of the cluster is over", number);
          onLost.run();
          return;
        }
        // One that took long is followed by the next at once: the right to answer ages meanwhile.
        waits = interval.toNanos() - (System.nanoTime() - begun);
      } while (!closing.await(waits, TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  private boolean isHeld() {
    try {
      witness.asks();
      boolean held =
          (speaks.getAsBoolean() || !nodes.lives(interval.multipliedBy(2)))
              ? nodes.renew(node, number)
              : !nodes.isFenced(node);
      if (held) {
        witness.held();
      }
      return held;
    } catch (JournalFailure | StoreUnreadable unreachable) {
      // The next one may go through; if somebody else claims before it does, it will say so.
      LOG.warn("the incarnation could not be renewed: {}", unreachable.getMessage());
      return true;
    }
  }

  /** Within so long a node that reaches the journal notices that it is fenced, or replaced. */
  public static Duration noticing(Duration silence) {
    return silence.dividedBy(RENEWALS);
  }

  /** The number of the incarnation. */
  public long number() {
    return number;
  }

  /** Ends renewing. Does not release: see {@link Journal#release}. */
  @Override
  public void close() {
    closing.countDown();
  }
}
