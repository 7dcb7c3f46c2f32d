package dev.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * Nothing of the write is in the journal, nor will it ever be. The caller may be told so, and may
 * try again.
 */
public final class NotWritten extends JournalFailure {

  /** Why nothing was written. */
  public enum Reason {
    /**
     * The owner's highest number in the journal is not the one before the write's first: somebody
     * else wrote, or the journal is behind the writer's memory. The owner must be reloaded.
     */
    CONFLICT,
    /** This node is fenced, for good: its process is about to halt. */
    FENCED,
    /** The disk, or the space granted to the journal, is full. */
    FULL,
    /** The store answers with errors, or not at all. */
    UNAVAILABLE,
    /** A batch has been on its way for too long; this write was waiting behind it. */
    STALLED,
    /** More writes wait than the journal takes. */
    OVERLOADED,
    /**
     * The store found its own data damaged; it takes nothing more until the process is restarted.
     */
    CORRUPT,
    /** The journal was closed. */
    CLOSED
  }

  private final Reason reason;

  public NotWritten(Reason reason, String message) {
    this(reason, message, null);
  }

  public NotWritten(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** What a node is told that is fenced. */
  static NotWritten fenced(NodeId node) {
    return new NotWritten(Reason.FENCED, "node " + node + " is fenced");
  }

  /** What is told after the journal was closed. */
  static NotWritten closed() {
    return new NotWritten(Reason.CLOSED, "the journal is closed");
  }

  /** Why nothing was written. */
  public Reason reason() {
    return reason;
  }
}
