package dev.holdfast.journal;

import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Hands over snapshots and events as {@link JournalStore#scan} has them: owner by owner. */
final class OwnerScan {

  private OwnerScan() {}

  /** Rows by owner, and an owner's by number; null after the last. */
  @FunctionalInterface
  interface Rows<T> {
    @Nullable T next() throws SQLException;
  }

  /**
   * Merges the two.
   *
   * @return how many rows were handed over
   */
  static long run(Rows<SnapshotWrite> snapshots, Rows<StoredEvent> events, JournalStore.Scan scan)
      throws SQLException {
    @Nullable SnapshotWrite snapshot = snapshots.next();
    @Nullable StoredEvent event = events.next();
    long count = 0;
    while (snapshot != null || event != null) {
      count++;
      if (event == null || (snapshot != null && snapshot.owner().compareTo(event.owner()) <= 0)) {
        scan.snapshot(Objects.requireNonNull(snapshot));
        snapshot = snapshots.next();
      } else {
        scan.event(event);
        event = events.next();
      }
    }
    return count;
  }
}
