package dev.holdfast.journal;

/**
 * A snapshot to be stored.
 *
 * @param owner whose state it is
 * @param number the sequence number of the last event that the state includes, from 1
 * @param at when it was taken, in milliseconds since the epoch
 * @param snapshot the encoded state
 */
public record SnapshotWrite(Owner owner, long number, long at, JournalSnapshot snapshot) {

  public SnapshotWrite {
    if (number < 1) {
      throw new IllegalArgumentException("sequence numbers begin at 1, not " + number);
    }
  }
}
