package dev.holdfast.user;

/**
 * Names one request for a change, so that a repeat of it is known: random, or a hash of the
 * caller's API key, route and idempotency key.
 */
public record RequestId(long high, long low) {

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is not what {@link #toString} writes
   */
  public static RequestId parse(String text) {
    return new RequestId(IdText.high(text), IdText.low(text));
  }

  /** {@return 22 characters of base64url} */
  @Override
  public String toString() {
    return IdText.of(high, low);
  }
}
