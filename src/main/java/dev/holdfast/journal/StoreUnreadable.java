package dev.holdfast.journal;

import org.jspecify.annotations.Nullable;

/** The store could not answer a read. Says nothing about what it holds. */
public final class StoreUnreadable extends RuntimeException {

  public StoreUnreadable(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
