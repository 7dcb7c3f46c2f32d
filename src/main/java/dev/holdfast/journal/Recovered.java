package dev.holdfast.journal;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that an owner needs to come back, read at one moment.
 *
 * @param owner whose state it is
 * @param snapshot the stored snapshot, or null if there is none
 * @param events the events after the snapshot, in order; where the log is long, only its beginning
 * @param highest the highest sequence number in the journal, 0 for an owner without events; above
 *     the number of the last of {@code events} where these are only the beginning
 */
public record Recovered(
    Owner owner, @Nullable SnapshotWrite snapshot, List<StoredEvent> events, long highest) {

  public Recovered {
    events = List.copyOf(events);
  }

  /** The number of the stored snapshot, 0 if there is none. */
  public long snapshotNumber() {
    return snapshot == null ? 0 : snapshot.number();
  }
}
