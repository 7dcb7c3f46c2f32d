package dev.holdfast.journal;

import java.util.Arrays;

/**
 * What one row of the journal carries besides its owner and number. The journal reads none of the
 * payload.
 *
 * @param name explicit name and version of the event, such as {@code cart.line-set.v1}; 1 to 100
 *     visible ASCII characters
 * @param payload the encoded event, at most {@value #MAX_PAYLOAD} bytes; not copied, so nobody may
 *     change it after handing it over
 * @param at when the event happened, in milliseconds since the epoch
 * @param deadline when the owner must next be woken, in milliseconds since the epoch, or {@link
 *     #NO_DEADLINE}; the deadline of an owner's newest event replaces that of all earlier ones
 */
@SuppressWarnings("ArrayRecordComponent") // equals, hashCode and toString below go by content
public record JournalEvent(String name, byte[] payload, long at, long deadline) {

  /** The owner need not be woken at all. */
  public static final long NO_DEADLINE = Long.MAX_VALUE;

  /**
   * The largest payload, in bytes: 16 MiB. Far above any session, far below what a store refuses.
   */
  public static final int MAX_PAYLOAD = 16 << 20;

  static final int MAX_NAME = 100;

  public JournalEvent {
    checkName(name);
    checkPayload(payload);
  }

  static void checkName(String name) {
    if (name.isEmpty()
        || name.length() > MAX_NAME
        || !name.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException(
          "a name in the journal has 1 to "
              + MAX_NAME
              + " visible ASCII characters: '"
              + name
              + "'");
    }
  }

  static void checkPayload(byte[] payload) {
    if (payload.length > MAX_PAYLOAD) {
      throw new IllegalArgumentException(
          "a payload has at most " + MAX_PAYLOAD + " bytes, not " + payload.length);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JournalEvent that
        && name.equals(that.name)
        && at == that.at
        && deadline == that.deadline
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * name.hashCode() + Long.hashCode(at)) + Arrays.hashCode(payload);
  }

  /** Leaves the payload out: it may hold what must not be in a log. */
  @Override
  public String toString() {
    return "JournalEvent[" + name + ", " + payload.length + " bytes, at " + at + "]";
  }
}
