package dev.holdfast.cart;

import java.util.ArrayList;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A cart: at most one line a SKU, in the order in which the SKUs were first added.
 *
 * @param lines a few hundred at most, so they are searched one by one
 * @param revision that of the last event that changed the cart; 0 if none did
 * @param lastOrder the last checkout, or null
 */
public record Cart(List<Line> lines, long revision, @Nullable LastOrder lastOrder) {

  private static final Cart EMPTY = new Cart(List.of(), 0, null);

  /**
   * The order that the cart became last.
   *
   * @param at milliseconds since 1970
   */
  public record LastOrder(String orderId, long at) {}

  public Cart {
    lines = List.copyOf(lines);
  }

  /** {@return the cart of somebody who never had one} */
  public static Cart empty() {
    return EMPTY;
  }

  public boolean isEmpty() {
    return lines.isEmpty();
  }

  public @Nullable Line line(Sku sku) {
    for (Line line : lines) {
      if (line.sku().equals(sku)) {
        return line;
      }
    }
    return null;
  }

  /** {@return the sum of the quantities} */
  public long itemCount() {
    long count = 0;
    for (Line line : lines) {
      count += line.quantity();
    }
    return count;
  }

  /** {@return the cart of whoever comes next: nothing of this one is left, not even its order} */
  public Cart discarded(long revision) {
    return isEmpty() && lastOrder == null ? this : new Cart(List.of(), revision, null);
  }

  /** {@return one total a currency, in the order in which the lines name them first} */
  public List<Money> totals() {
    return totals(lines);
  }

  static List<Money> totals(List<Line> lines) {
    var totals = new LinkedHashMap<Currency, Money>();
    for (Line line : lines) {
      totals.merge(line.unitPrice().currency(), line.total(), Money::plus);
    }
    return List.copyOf(totals.values());
  }

  /** {@return this cart with the line in the place of the one with its SKU, or last} */
  public Cart with(Line line, long revision) {
    var changed = new ArrayList<Line>(lines.size() + 1);
    boolean replaced = false;
    for (Line old : lines) {
      boolean same = old.sku().equals(line.sku());
      changed.add(same ? line : old);
      replaced |= same;
    }
    if (!replaced) {
      changed.add(line);
    }
    return new Cart(changed, revision, lastOrder);
  }

  public Cart without(Sku sku, long revision) {
    return new Cart(
        lines.stream().filter(line -> !line.sku().equals(sku)).toList(), revision, lastOrder);
  }

  public Cart withLines(List<Line> others, long revision) {
    return new Cart(others, revision, lastOrder);
  }

  public Cart emptied(long revision) {
    return new Cart(List.of(), revision, lastOrder);
  }

  public Cart checkedOut(Order order, long revision) {
    return new Cart(List.of(), revision, new LastOrder(order.id(), order.at()));
  }
}
