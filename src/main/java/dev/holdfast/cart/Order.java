package dev.holdfast.cart;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a checkout made of a cart.
 *
 * @param id given out once, unguessable
 * @param reference the shop's own, or null
 * @param lines as they stood in the cart, not empty
 * @param at milliseconds since 1970
 */
public record Order(String id, @Nullable String reference, List<Line> lines, long at) {

  public Order {
    lines = List.copyOf(lines);
  }

  public List<Money> totals() {
    return Cart.totals(lines);
  }
}
