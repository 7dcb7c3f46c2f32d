package dev.holdfast.journal;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of the node processes that write to a journal, and the cluster incarnation that they
 * belong to. This is what makes a takeover safe: whoever is fenced here writes nothing any more.
 *
 * <p>Times are those of the store, so that no two nodes' clocks are compared. Failures are those of
 * {@link JournalStore}'s methods that write; a caller that gets {@link InDoubt} looks at the rows
 * again.
 */
public interface NodeRegistry {

  /** The incarnation of the cluster as it stands; number 0 before the first claim. */
  Incarnation incarnation();

  /**
   * Claims the next incarnation for a cluster that {@code node} is the first member of, registers
   * the node in it, and fences every node of all earlier incarnations, in one transaction.
   *
   * <p>Taken only if the current number is still {@code expected} and its cluster is gone:
   * released, or not renewed for {@code silence} or longer. A silence of zero claims it in any
   * case, for those who know in another way that no other process lives, such as the holder of an
   * embedded journal's directory.
   *
   * @return the new incarnation, or null if somebody else was first, the cluster lives, or the node
   *     is known already: a process claims once, before all else
   */
  @Nullable Incarnation claim(NodeId node, long expected, Duration silence);

  /**
   * Renews the incarnation, so that nobody else may claim the next one.
   *
   * @return false if {@code node} is fenced or {@code number} is no longer the current one
   */
  boolean renew(NodeId node, long number);

  /**
   * Whether the current incarnation was not released and was claimed or renewed less than {@code
   * silence} ago.
   */
  boolean lives(Duration silence);

  /**
   * Fences {@code node} as one that leaves: it writes nothing any more. If no other node of the
   * incarnation is left that is not fenced, releases the incarnation too, so that the next one can
   * be claimed at once.
   *
   * @return false if {@code node} is fenced already or {@code number} is no longer the current one
   */
  boolean release(NodeId node, long number);

  /**
   * Registers a node that joins a cluster.
   *
   * @param number the incarnation, as learned from a member
   * @return false if {@code number} is no longer the current one, or {@code node} is fenced
   */
  boolean register(NodeId node, long number);

  /**
   * Tells where a registered node is reached by other nodes, and which keys it has for session
   * tokens.
   *
   * @param address {@code host:port}
   * @param tokenKeys names of the keys, which tell nothing of the keys themselves; the first one
   *     signs
   * @return false if {@code node} is fenced, or was never registered
   */
  boolean announce(NodeId node, String address, List<String> tokenKeys);

  /** The nodes of an incarnation that are registered and not fenced, whether they live or not. */
  List<Registered> registered(long number);

  /**
   * Fences {@code other}, for good. Waits for its batch in flight, so whatever it has committed can
   * be read by whoever reads after this, and nothing more will come. A node that is not registered
   * yet is fenced as well: it can never be registered.
   *
   * @param by the node that fences; must itself be registered and not fenced. A node may fence
   *     itself.
   */
  FenceResult fence(NodeId by, NodeId other);

  /** The newest form of events that may stand in the journal, from 1. It never goes back. */
  int form();

  /**
   * Says that events of this form may be written from now on, so that nobody who does not know it
   * reads the journal any more. Nothing happens where a newer one may already.
   */
  void raiseForm(int form);

  /** What became of an attempt to fence. */
  enum FenceResult {
    /** The other is fenced now. */
    FENCED,
    /** The other had been fenced before. */
    FENCED_ALREADY,
    /** Refused: the one who wanted to fence is itself fenced, or was never registered. */
    FENCED_ONESELF
  }

  /** Whether {@code node} is fenced; a node that was never registered counts as fenced. */
  boolean isFenced(NodeId node);

  /**
   * A node that may write.
   *
   * @param address where other nodes reach it, as {@code host:port}; null if it has not told yet
   * @param tokenKeys names of the keys that it has for session tokens; the first one signs. Empty
   *     if it has not told yet
   */
  record Registered(NodeId id, @Nullable String address, List<String> tokenKeys) {

    public Registered {
      tokenKeys = List.copyOf(tokenKeys);
    }

    /** The row in which a store keeps the keys' names as one text. */
    static Registered of(String id, @Nullable String address, @Nullable String tokenKeys) {
      return new Registered(
          new NodeId(id),
          address,
          tokenKeys == null || tokenKeys.isEmpty() ? List.of() : List.of(tokenKeys.split(",")));
    }
  }

  /**
   * A cluster's life on this journal.
   *
   * @param number grows by one with each claim, 0 before the first
   * @param released whether its last member has left in good order
   */
  record Incarnation(long number, boolean released) {}
}
