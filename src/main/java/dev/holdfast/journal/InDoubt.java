package dev.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * The store failed while it committed: the write may be in the journal, whole, or not at all. The
 * owner must be reloaded before anything is said about it.
 */
public final class InDoubt extends JournalFailure {

  public InDoubt(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
