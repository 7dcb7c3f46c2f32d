package dev.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * Why a write was not acknowledged. <em>No</em> and <em>unknown</em> are different types: {@link
 * NotWritten} and {@link InDoubt}.
 *
 * <p>One failure is shared by every write that it hit, so it carries no stack trace of its own;
 * what the store threw is its cause.
 */
public abstract sealed class JournalFailure extends RuntimeException permits NotWritten, InDoubt {

  JournalFailure(String message, @Nullable Throwable cause) {
    super(message, cause, false, false);
  }
}
