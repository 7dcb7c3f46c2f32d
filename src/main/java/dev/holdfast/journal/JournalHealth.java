package dev.holdfast.journal;

import java.time.Instant;

/**
 * Whether the journal takes writes, as an actor asks before it persists. Reading it takes no lock
 * and costs nanoseconds; it needs no listeners.
 */
public interface JournalHealth {

  /** The state at this moment. */
  Status now();

  /** Whether {@link #now} is {@link Available}. */
  default boolean isAvailable() {
    return now() instanceof Available;
  }

  /** The state of the journal. */
  sealed interface Status {}

  /** Writes are taken. */
  record Available() implements Status {}

  /**
   * Writes are refused.
   *
   * @param reason why; never {@link NotWritten.Reason#CONFLICT}
   * @param since since when, by this node's clock
   * @param detail one sentence for the operator's log
   */
  record Unavailable(NotWritten.Reason reason, Instant since, String detail) implements Status {

    /** The failure of a write that is refused for this. */
    public NotWritten refusal() {
      return new NotWritten(reason, detail);
    }
  }
}
