package dev.holdfast.cart;

/**
 * The shop's name of one product variant.
 *
 * @param value 1 to {@value #MAX_LENGTH} visible ASCII characters
 */
public record Sku(String value) {

  public static final int MAX_LENGTH = 64;

  /**
   * Checks the value.
   *
   * @throws IllegalArgumentException if the value is no SKU; the message says what one is
   */
  public Sku {
    if (value.isEmpty()
        || value.length() > MAX_LENGTH
        || !value.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException(
          "must be 1 to " + MAX_LENGTH + " visible ASCII characters");
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
