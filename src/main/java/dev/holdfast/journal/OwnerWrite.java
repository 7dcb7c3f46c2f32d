package dev.holdfast.journal;

import java.util.List;

/**
 * The events that one owner writes at once: all of them are taken, or none.
 *
 * @param owner whose events they are
 * @param first the sequence number of the first event, from 1; the others follow without a gap
 * @param events at least one
 */
public record OwnerWrite(Owner owner, long first, List<JournalEvent> events) {

  public OwnerWrite {
    if (first < 1) {
      throw new IllegalArgumentException("sequence numbers begin at 1, not " + first);
    }
    events = List.copyOf(events);
    if (events.isEmpty()) {
      throw new IllegalArgumentException("a write has at least one event");
    }
  }

  /** The sequence number of the last event. */
  public long last() {
    return first + events.size() - 1;
  }

  /** Bytes of all payloads. */
  long payloadBytes() {
    long bytes = 0;
    for (JournalEvent event : events) {
      bytes += event.payload().length;
    }
    return bytes;
  }
}
