package dev.holdfast.feed;

/** The store does not answer, or does not take what is to be noted. Nothing happened. */
public final class LogUnavailable extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Because of what the store said. */
  public LogUnavailable(Throwable cause) {
    super("the events cannot be read now", cause);
  }
}
