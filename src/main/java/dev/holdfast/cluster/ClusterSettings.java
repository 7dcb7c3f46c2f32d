package dev.holdfast.cluster;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a node takes part in the cluster.
 *
 * @param shards into which the users are divided; the same on every node, for ever
 * @param usersInMemory most users of this node in memory; beyond it those not asked for leave
 * @param sweepInterval how often the agenda is looked at
 * @param sweepParallel users that the agenda wakes at a time
 * @param drain how long a node that leaves hands its users over at most
 * @param eventForm the newest form of events to write; greater than any is all that are known
 * @param place where the node stands among the others
 */
public record ClusterSettings(
    int shards,
    int usersInMemory,
    Duration sweepInterval,
    int sweepParallel,
    Duration drain,
    int eventForm,
    Place place) {

  /** A node that other processes of this machine reach. */
  public ClusterSettings(int shards, int usersInMemory, Duration sweepInterval, int sweepParallel) {
    this(
        shards,
        usersInMemory,
        sweepInterval,
        sweepParallel,
        Duration.ofSeconds(20),
        Integer.MAX_VALUE,
        new Place("node-1", "127.0.0.1", "127.0.0.1", 0, 0, null));
  }

  /**
   * Where a node stands among the others.
   *
   * @param name what people call it
   * @param host where the others reach it
   * @param bindHost what it listens on, which is the same unless a network translates addresses
   * @param port likewise; 0 for any that is free
   * @param wirePort where they see that its process lives, likewise
   * @param tls how nodes know each other; null to go without
   */
  public record Place(
      String name, String host, String bindHost, int port, int wirePort, @Nullable Tls tls) {}

  /**
   * Nodes show each other certificates of one authority, all with one subject or alternative name
   * in common. The files are PEM and are read again every few minutes.
   */
  public record Tls(Path certificate, Path key, Path authority) {}
}
