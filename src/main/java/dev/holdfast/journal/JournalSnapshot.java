package dev.holdfast.journal;

import java.util.Arrays;

/**
 * The encoded state of an owner after one of its events. Holds journaled state only.
 *
 * @param name explicit name and version of the encoding, such as {@code user.v1}; 1 to 100 visible
 *     ASCII characters
 * @param payload the encoded state, at most {@link JournalEvent#MAX_PAYLOAD} bytes; not copied, so
 *     nobody may change it after handing it over
 */
@SuppressWarnings("ArrayRecordComponent") // equals, hashCode and toString below go by content
public record JournalSnapshot(String name, byte[] payload) {

  public JournalSnapshot {
    JournalEvent.checkName(name);
    JournalEvent.checkPayload(payload);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JournalSnapshot that
        && name.equals(that.name)
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + Arrays.hashCode(payload);
  }

  /** Leaves the payload out: it may hold what must not be in a log. */
  @Override
  public String toString() {
    return "JournalSnapshot[" + name + ", " + payload.length + " bytes]";
  }
}
