package dev.holdfast.drill;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a drill does to a cluster. */
public enum Fault {
  /** SIGKILL of a node, not the oldest. */
  CRASH(3, "a node is killed (SIGKILL), not the oldest"),
  /** SIGKILL of the node that decides where users go. */
  CRASH_OLDEST(3, "the oldest node is killed: the one that decides where users go"),
  /** SIGKILL of two nodes at once. */
  CRASH_TWO(5, "two nodes are killed at once"),
  /** SIGKILL of a node while users are moved to one that has just come. */
  CRASH_MOVING(3, "a node is killed while users are being moved to one that has just come"),
  /** SIGSTOP, and SIGCONT when the others have long gone on. */
  HANG(3, "a node is stopped (SIGSTOP), and goes on later (SIGCONT) as if nothing had been"),
  /** SIGSTOP of one node and SIGKILL of another. */
  HANG_CRASH(3, "one node is stopped and another is killed at the same moment"),
  /** Nothing passes between a node and the others. */
  PARTITION(
      3, "a node is cut off from the others, and from the load balancer, but not from the journal"),
  /** Nothing passes between two nodes and the others: a machine without a word. */
  PARTITION_TWO(
      5,
      "a machine with two of the nodes is cut off from the others, and from the load balancer, but"
          + " not from the journal"),
  /** What a node sends does not arrive. */
  ONE_WAY(3, "what a node sends does not reach the others, though they reach it"),
  /** A firewall before a node that refuses instead of dropping. */
  REJECT(3, "a firewall before a node resets its connections and refuses further ones"),
  /** SIGTERM of a node. */
  LEAVE(3, "a node is told to end (SIGTERM)"),
  /** SIGTERM and restart of each node, one after the other. */
  ROLLING(3, "all nodes are restarted one after the other, the oldest last"),
  /** Two further nodes. */
  SCALE_OUT(3, "two nodes come"),
  /** SIGTERM of two nodes at once. */
  SCALE_IN(5, "two nodes are told to end at once"),
  /** No journal for a while. */
  JOURNAL_DOWN(3, "nobody can write to the journal for a while");

  private final int nodes;
  private final String text;

  Fault(int nodes, String text) {
    this.nodes = nodes;
    this.text = text;
  }

  /** {@return how it is called on the command line} */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** {@return the fault of that name, if there is one} */
  public static Optional<Fault> of(String word) {
    return Arrays.stream(values()).filter(fault -> fault.word().equals(word)).findFirst();
  }

  /** {@return how many nodes it is done to unless told otherwise} */
  public int nodes() {
    return nodes;
  }

  /** {@return how many nodes it takes at least} */
  public int leastNodes() {
    return switch (this) {
      case PARTITION_TWO -> 5;
      case CRASH_TWO, SCALE_IN, HANG_CRASH -> 3;
      case CRASH, CRASH_OLDEST, CRASH_MOVING, HANG, PARTITION, ONE_WAY, REJECT -> 2;
      case LEAVE, ROLLING, SCALE_OUT, JOURNAL_DOWN -> 2;
    };
  }

  /** {@return what happens, for people} */
  public String text() {
    return text;
  }

  /** {@return whether it is done to the connections between nodes} */
  boolean needsRelay() {
    return switch (this) {
      case PARTITION, PARTITION_TWO, ONE_WAY, REJECT -> true;
      case CRASH, CRASH_OLDEST, CRASH_TWO, CRASH_MOVING, HANG, HANG_CRASH -> false;
      case LEAVE, ROLLING, SCALE_OUT, SCALE_IN, JOURNAL_DOWN -> false;
    };
  }

  /**
   * {@return what it needs and is missing here, for people; empty if it can be done}
   *
   * @param embedded whether the journal is the embedded one
   * @param baseline whether it is done to nodes without the wire as well
   */
  public String missing(boolean embedded, boolean baseline) {
    if ((needsRelay() || baseline) && !Relay.works()) {
      return (baseline ? "--baseline" : word())
          + " needs Linux: it is found in /proc which process has opened a connection, so that"
          + " those between two nodes can be cut without further rights";
    }
    if (this == JOURNAL_DOWN && !embedded) {
      return word() + " is done to the embedded journal: leave out --postgres";
    }
    return "";
  }

  /** {@return whether callers at any node may be told that nothing happened, or that it is open} */
  boolean mayRefuse() {
    return this == JOURNAL_DOWN || this == REJECT;
  }
}
