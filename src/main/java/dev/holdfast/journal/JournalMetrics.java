package dev.holdfast.journal;

import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Histogram;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/**
 * What a node's journal has done since it was started. Counters only grow; reading them takes no
 * lock, and several of them read one after another need not be of one moment.
 */
public final class JournalMetrics {

  final LongAdder batchCount = new LongAdder();
  final LongAdder eventCount = new LongAdder();
  final LongAdder writeCount = new LongAdder();
  final LongAdder byteCount = new LongAdder();
  final LongAdder conflictCount = new LongAdder();
  final LongAdder refusedCount = new LongAdder();
  final LongAdder inDoubtCount = new LongAdder();
  final LongAdder snapshotCount = new LongAdder();
  final LongAdder droppedSnapshotCount = new LongAdder();
  final LongAdder outageCount = new LongAdder();
  final LongAdder batchNanos = new LongAdder();
  final LongAdder waitNanos = new LongAdder();
  final AtomicLong longestBatchNanos = new AtomicLong();
  final LongAdder recoveryCount = new LongAdder();
  final LongAdder recoveryQueryCount = new LongAdder();
  final LongAdder recoveryNanos = new LongAdder();

  final LongAdder trimmedCount = new LongAdder();
  final LongAdder purgedCount = new LongAdder();
  final LongAdder erasedCount = new LongAdder();
  final AtomicLong longestLog = new AtomicLong();
  final AtomicLong ownersOverCap = new AtomicLong();

  final Histogram commitNanos = new Histogram(Histogram.Scale.NANOS);
  final Histogram batchEvents = new Histogram(Histogram.Scale.COUNT);
  final Histogram waitedForReading = new Histogram(Histogram.Scale.NANOS);

  private final IntSupplier queuedWrites;
  private final IntSupplier queuedSnapshots;

  JournalMetrics(IntSupplier queuedWrites, IntSupplier queuedSnapshots) {
    this.queuedWrites = queuedWrites;
    this.queuedSnapshots = queuedSnapshots;
  }

  /** Batches committed. */
  public long batches() {
    return batchCount.sum();
  }

  /** Owners' writes acknowledged. */
  public long writes() {
    return writeCount.sum();
  }

  /** Events acknowledged: the rows of those writes. */
  public long events() {
    return eventCount.sum();
  }

  /** Bytes of payload acknowledged. */
  public long bytes() {
    return byteCount.sum();
  }

  /** Writes that lost against another of the same owner. */
  public long conflicts() {
    return conflictCount.sum();
  }

  /** Writes known not to be in the journal for any other reason. */
  public long refused() {
    return refusedCount.sum();
  }

  /** Writes of unknown outcome. */
  public long inDoubt() {
    return inDoubtCount.sum();
  }

  /** Snapshots handed to the store; it leaves out those that are not newer. */
  public long snapshots() {
    return snapshotCount.sum();
  }

  /** Snapshots dropped: too many waited, or the store would not take them. */
  public long droppedSnapshots() {
    return droppedSnapshotCount.sum();
  }

  /** How often the journal became unavailable. */
  public long outages() {
    return outageCount.sum();
  }

  /** Nanoseconds spent in all committed batches, from first statement to commit. */
  public long batchNanos() {
    return batchNanos.sum();
  }

  /** Nanoseconds that all acknowledged writes waited for their batch to begin. */
  public long waitNanos() {
    return waitNanos.sum();
  }

  /** Nanoseconds of the longest committed batch. */
  public long longestBatchNanos() {
    return longestBatchNanos.get();
  }

  /** Owners recovered. */
  public long recoveries() {
    return recoveryCount.sum();
  }

  /** Queries that recovered them, each for one owner or many. */
  public long recoveryQueries() {
    return recoveryQueryCount.sum();
  }

  /** Nanoseconds spent in those queries. */
  public long recoveryNanos() {
    return recoveryNanos.sum();
  }

  /** Old events deleted by {@link Retention}. */
  public long trimmed() {
    return trimmedCount.sum();
  }

  /** Owners removed, since nothing was left of them. */
  public long purged() {
    return purgedCount.sum();
  }

  /** Erasures carried out, those that were carried out again included. */
  public long erased() {
    return erasedCount.sum();
  }

  /** Events of the longest log that the last sweep of {@link Retention} left. */
  public long longestLog() {
    return longestLog.get();
  }

  /** Owners whom that sweep left with more events than should be kept. */
  public long ownersOverCap() {
    return ownersOverCap.get();
  }

  /** How long committed batches took, from first statement to commit. */
  public Distribution commits() {
    return commitNanos.read();
  }

  /** How many events were in each of them; those with none had snapshots only. */
  public Distribution batchSizes() {
    return batchEvents.read();
  }

  /** How long owners that somebody asked for waited until they were read. */
  public Distribution recoveryWaits() {
    return waitedForReading.read();
  }

  /** Writes waiting for a batch now. */
  public int queuedWrites() {
    return queuedWrites.getAsInt();
  }

  /** Snapshots waiting to be stored now. */
  public int queuedSnapshots() {
    return queuedSnapshots.getAsInt();
  }
}
