package dev.holdfast.http;

import org.jspecify.annotations.Nullable;

/** What probes are told. Answers at once, from what is known. */
public interface Health {

  /** {@return why this node makes no progress, as a sentence; null if it does} */
  @Nullable String whyNotLive();

  /** {@return why this node must be sent no requests, as a sentence; null if it may} */
  @Nullable String whyNotReady();
}
