package dev.holdfast.cart;

import dev.holdfast.json.Json;
import org.jspecify.annotations.Nullable;

/**
 * One line of a cart.
 *
 * @param quantity at least 1
 * @param name what a person calls it, or null
 * @param attributes whatever the shop wants to keep with the line
 */
public record Line(
    Sku sku, int quantity, Price unitPrice, @Nullable String name, Json.Obj attributes) {

  public Line {
    if (quantity < 1) {
      throw new IllegalArgumentException("a line holds at least one piece");
    }
  }

  public Money total() {
    return unitPrice.times(quantity);
  }

  Line withQuantity(int other) {
    return other == quantity ? this : new Line(sku, other, unitPrice, name, attributes);
  }
}
