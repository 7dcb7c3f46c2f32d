package dev.holdfast.user;

import dev.holdfast.cart.Line;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import org.jspecify.annotations.Nullable;

/** Lines and what is done with them, in a few words. */
final class Shopping {

  private Shopping() {}

  static Line line(String sku, int quantity) {
    return line(sku, quantity, "6.90", "EUR");
  }

  static Line line(String sku, int quantity, String amount, String currency) {
    return line(sku, quantity, amount, currency, null, Json.Obj.empty());
  }

  static Line line(
      String sku,
      int quantity,
      String amount,
      String currency,
      @Nullable String name,
      Json.Obj attributes) {
    return new Line(new Sku(sku), quantity, price(amount, currency), name, attributes);
  }

  static Price price(String amount, String currency) {
    return Price.of(amount, Price.currency(currency));
  }

  static Action set(String sku, int quantity) {
    return new Action.SetLine(line(sku, quantity));
  }

  static Action add(String sku, int quantity) {
    return add(sku, quantity, "6.90", "EUR");
  }

  static Action add(String sku, int quantity, String amount, String currency) {
    return new Action.AddToLine(new Sku(sku), quantity, price(amount, currency), null, null);
  }

  static Action remove(String sku) {
    return new Action.RemoveLine(new Sku(sku));
  }

  static Action setQuantity(String sku, int quantity) {
    return new Action.PatchLine(new Sku(sku), quantity, null, null, null);
  }

  static Action checkOut(String orderId) {
    return new Action.CheckOut(orderId, null);
  }
}
