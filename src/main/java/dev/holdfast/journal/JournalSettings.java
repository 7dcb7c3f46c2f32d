package dev.holdfast.journal;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * How a node's journal groups, bounds and reads. The keys and their defaults are in {@code
 * reference.conf} under {@code holdfast.journal}, each with its reason.
 *
 * @param shared whether other processes of this machine may use an embedded journal's folder as
 *     well
 * @param maxBatchWrites most owners' writes in one batch
 * @param maxBatchBytes bytes of payload at which a batch is full; a single larger write goes alone
 * @param maxQueuedWrites most writes that wait; more are refused
 * @param maxQueuedBytes most bytes of payload that wait; more are refused
 * @param maxQueuedSnapshots most snapshots that wait; more are dropped
 * @param stallAfter how long a batch may be on its way before the journal counts as stalled
 * @param probeInterval how often a journal that is down is tried
 * @param readers threads, and connections, that read
 * @param maxRecoveryGroup most owners that are recovered in one query
 * @param maxRecoveryEvents most events of one owner that are read at once; a longer log is read in
 *     parts
 * @param maxPrefetched most recoveries that are read and not yet replayed; as many again may be
 *     read ahead
 * @param maxRecoveryBytes bytes of them at which no more are read; half as many again may be read
 *     ahead
 * @param maxWaitingRecoveries most owners that wait to be read; more are refused
 * @param prefetchTtl how long one of them is held
 */
public record JournalSettings(
    boolean shared,
    int maxBatchWrites,
    long maxBatchBytes,
    int maxQueuedWrites,
    long maxQueuedBytes,
    int maxQueuedSnapshots,
    Duration stallAfter,
    Duration probeInterval,
    int readers,
    int maxRecoveryGroup,
    int maxRecoveryEvents,
    int maxPrefetched,
    long maxRecoveryBytes,
    int maxWaitingRecoveries,
    Duration prefetchTtl) {

  public JournalSettings {
    atLeastOne(maxBatchWrites, "batch.max-writes");
    atLeastOne(maxBatchBytes, "batch.max-bytes");
    atLeastOne(maxQueuedWrites, "queue.max-writes");
    atLeastOne(maxQueuedBytes, "queue.max-bytes");
    atLeastOne(maxQueuedSnapshots, "queue.max-snapshots");
    atLeastOne(stallAfter.toMillis(), "stall-after");
    atLeastOne(probeInterval.toMillis(), "probe-interval");
    atLeastOne(readers, "recovery.readers");
    atLeastOne(maxRecoveryGroup, "recovery.max-group");
    atLeastOne(maxRecoveryEvents, "recovery.max-events");
    atLeastOne(maxPrefetched, "recovery.max-prefetched");
    atLeastOne(maxRecoveryBytes, "recovery.max-bytes");
    atLeastOne(maxWaitingRecoveries, "recovery.max-waiting");
    atLeastOne(prefetchTtl.toMillis(), "recovery.prefetch-ttl");
  }

  private static void atLeastOne(long value, String key) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "holdfast.journal." + key + " must be positive, not " + value);
    }
  }

  /** The same bounds on writes that wait, divided between so many lanes; one has all snapshots. */
  JournalSettings sharedBy(int lanes) {
    return new JournalSettings(
        shared,
        maxBatchWrites,
        maxBatchBytes,
        Math.ceilDiv(maxQueuedWrites, lanes),
        Math.ceilDiv(maxQueuedBytes, lanes),
        maxQueuedSnapshots,
        stallAfter,
        probeInterval,
        readers,
        maxRecoveryGroup,
        maxRecoveryEvents,
        maxPrefetched,
        maxRecoveryBytes,
        maxWaitingRecoveries,
        prefetchTtl);
  }

  /**
   * Reads {@code holdfast.journal} from {@code config}.
   *
   * @throws com.typesafe.config.ConfigException if a key is missing or has the wrong type
   * @throws IllegalArgumentException if a value is not positive
   */
  public static JournalSettings from(Config config) {
    Config journal = config.getConfig("holdfast.journal");
    return new JournalSettings(
        journal.getBoolean("shared"),
        journal.getInt("batch.max-writes"),
        journal.getBytes("batch.max-bytes"),
        journal.getInt("queue.max-writes"),
        journal.getBytes("queue.max-bytes"),
        journal.getInt("queue.max-snapshots"),
        journal.getDuration("stall-after"),
        journal.getDuration("probe-interval"),
        journal.getInt("recovery.readers"),
        journal.getInt("recovery.max-group"),
        journal.getInt("recovery.max-events"),
        journal.getInt("recovery.max-prefetched"),
        journal.getBytes("recovery.max-bytes"),
        journal.getInt("recovery.max-waiting"),
        journal.getDuration("recovery.prefetch-ttl"));
  }
}
