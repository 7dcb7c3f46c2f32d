package dev.holdfast.cluster;

import java.time.Duration;

/**
 * How a node takes part in the cluster.
 *
 * @param shards into which the users are divided; the same on every node, for ever
 * @param usersInMemory most users of this node in memory; beyond it those not asked for leave
 * @param sweepInterval how often the agenda is looked at
 * @param sweepParallel users that the agenda wakes at a time
 */
public record ClusterSettings(
    int shards, int usersInMemory, Duration sweepInterval, int sweepParallel) {}
