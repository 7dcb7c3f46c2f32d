package dev.holdfast.cart;

import dev.holdfast.json.Json;
import java.util.List;

/** Carts and lines in a few words. */
final class Carts {

  private Carts() {}

  static Line line(String sku, int quantity, String amount, String currency) {
    return new Line(
        new Sku(sku), quantity, Price.of(amount, Price.currency(currency)), null, Json.Obj.empty());
  }

  static Line line(String sku, int quantity) {
    return line(sku, quantity, "1.00", "EUR");
  }

  static Cart cart(Line... lines) {
    return new Cart(List.of(lines), 1, null);
  }
}
