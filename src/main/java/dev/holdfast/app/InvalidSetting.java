package dev.holdfast.app;

/** A setting that cannot be used; the message names it, its value and what is allowed. */
public final class InvalidSetting extends RuntimeException {
  private static final long serialVersionUID = 1;

  InvalidSetting(String key, String value, String allowed) {
    super("setting " + key + " is " + value + "; it must be " + allowed);
  }

  InvalidSetting(String message) {
    super(message);
  }
}
