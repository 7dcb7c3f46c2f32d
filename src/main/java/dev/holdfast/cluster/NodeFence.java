package dev.holdfast.cluster;

import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.NodeRegistry.FenceResult;
import dev.holdfast.journal.NotWritten;
import dev.holdfast.journal.StoreUnreadable;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fences other nodes for this one, which halts when it turns out to be fenced itself. */
final class NodeFence {

  private static final Logger LOG = LoggerFactory.getLogger(NodeFence.class);

  private final NodeRegistry nodes;
  private final NodeId self;
  private final Host host;

  /** Those of whom this node knows. */
  private final Set<NodeId> already = ConcurrentHashMap.newKeySet();

  /** Those whose row may say that they are fenced before every standby of the journal knows it. */
  private final Set<NodeId> unconfirmed = ConcurrentHashMap.newKeySet();

  private boolean fencedAny;
  private long lastAt;

  NodeFence(NodeRegistry nodes, NodeId self, Host host) {
    this.nodes = nodes;
    this.self = self;
    this.host = host;
  }

  /**
   * Fences a node, for good. Waits for its batch in flight.
   *
   * @return whether it is fenced; if not, this one is, and is about to halt
   * @throws JournalFailure if the journal does not take it
   * @throws StoreUnreadable likewise
   */
  boolean fence(NodeId other) {
    FenceResult result;
    unconfirmed.add(other);
    try {
      result = nodes.fence(self, other);
    } catch (NotWritten nothing) {
      unconfirmed.remove(other);
      throw nothing;
    }
    unconfirmed.remove(other);
    return switch (result) {
      case FENCED -> {
        LOG.warn("node {} is fenced: its users may be taken over", other);
        already.add(other);
        fenced();
        yield true;
      }
      case FENCED_ALREADY -> {
        // By whom and when is not known: by an attempt of this node just now whose answer was lost?
        if (already.add(other)) {
          fenced();
        }
        yield true;
      }
      case FENCED_ONESELF -> {
        LOG.error("this node is fenced: others hold its users");
        host.halt().run();
        yield false;
      }
    };
  }

  private synchronized void fenced() {
    fencedAny = true;
    lastAt = System.nanoTime();
  }

  /** Begins to fence a node whose end is known, ahead of the gate that will ask for it. */
  void fenceSoon(NodeId other) {
    Thread.startVirtualThread(() -> {
      try {
        fence(other);
      } catch (JournalFailure | StoreUnreadable e) {
        LOG.debug("node {} is not fenced yet", other, e);
      }
    });
  }

  /**
   * {@return those whom this node is about to fence, or has tried to with unknown outcome} Whatever
   * their rows say, they count as fenced only when {@link #fence} has said so.
   */
  Set<NodeId> unconfirmed() {
    return Set.copyOf(unconfirmed);
  }

  /** {@return the nanoseconds since this node fenced another last; very many if it never did} */
  synchronized long sinceLast() {
    return fencedAny ? System.nanoTime() - lastAt : Long.MAX_VALUE;
  }
}
