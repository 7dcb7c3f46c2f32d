package dev.holdfast.cart;

import java.util.ArrayList;
import java.util.List;

/**
 * What a log-in makes of a visitor's cart and a user's: every line of both, and its fate.
 *
 * <p>A SKU that is in one cart only is kept. For one that is in both the policy decides the
 * quantity; price, name and attributes are the user's. The user's lines come first, then the
 * visitor's, each in their order. Quantities over the limit are capped; lines of the visitor for
 * which there is no room are left out. Whatever was not taken over as it was stands in the report.
 *
 * @param lines the whole merged cart
 * @param report one entry a SKU of either cart, in the same order, left-out lines last
 */
public record CartMerge(MergePolicy policy, List<Line> lines, List<Entry> report) {

  /** What became of a SKU. */
  public enum Fate {
    /** Only the user had it: unchanged. */
    KEPT,
    /** Only the visitor had it: taken over as it was. */
    ADDED,
    /** Both had it: the quantity is the sum. */
    SUMMED,
    /** Both had it: the quantity is the greater. */
    GREATER,
    /** Both had it: the quantity is the user's. */
    USERS,
    /** Both had it: the quantity is the visitor's. */
    VISITORS,
    /** The quantity would be over the limit and was cut to it. */
    CAPPED,
    /** Only the visitor had it and the cart is full: left out. */
    LEFT_OUT
  }

  /**
   * What became of one SKU.
   *
   * @param userQuantity 0 if the user did not have it
   * @param visitorQuantity 0 if the visitor did not have it
   * @param quantity in the merged cart; 0 if left out
   * @param priceReplaced whether the visitor saw another price than the user's, which holds
   */
  public record Entry(
      Sku sku,
      Fate fate,
      int userQuantity,
      int visitorQuantity,
      int quantity,
      boolean priceReplaced) {}

  public CartMerge {
    lines = List.copyOf(lines);
    report = List.copyOf(report);
  }

  /**
   * Merges two carts.
   *
   * @param maxLines most lines of a cart
   * @param maxQuantity greatest quantity of a line
   */
  public static CartMerge of(
      Cart user, Cart visitor, MergePolicy policy, int maxLines, int maxQuantity) {
    var lines = new ArrayList<Line>();
    var report = new ArrayList<Entry>();
    for (Line line : user.lines()) {
      Line other = visitor.line(line.sku());
      if (other == null) {
        lines.add(line);
        report.add(new Entry(line.sku(), Fate.KEPT, line.quantity(), 0, line.quantity(), false));
        continue;
      }
      long wanted =
          switch (policy) {
            case SUM -> (long) line.quantity() + other.quantity();
            case MAX -> Math.max(line.quantity(), other.quantity());
            case USER -> line.quantity();
            case VISITOR -> other.quantity();
          };
      int quantity = (int) Math.min(wanted, maxQuantity);
      Fate fate =
          quantity < wanted
              ? Fate.CAPPED
              : switch (policy) {
                case SUM -> Fate.SUMMED;
                case MAX -> Fate.GREATER;
                case USER -> Fate.USERS;
                case VISITOR -> Fate.VISITORS;
              };
      lines.add(line.withQuantity(quantity));
      report.add(
          new Entry(
              line.sku(),
              fate,
              line.quantity(),
              other.quantity(),
              quantity,
              !other.unitPrice().equals(line.unitPrice())));
    }
    var leftOut = new ArrayList<Entry>();
    for (Line line : visitor.lines()) {
      if (user.line(line.sku()) != null) {
        continue;
      }
      if (lines.size() >= maxLines) {
        leftOut.add(new Entry(line.sku(), Fate.LEFT_OUT, 0, line.quantity(), 0, false));
        continue;
      }
      int quantity = Math.min(line.quantity(), maxQuantity);
      Fate fate = quantity < line.quantity() ? Fate.CAPPED : Fate.ADDED;
      lines.add(line.withQuantity(quantity));
      report.add(new Entry(line.sku(), fate, 0, line.quantity(), quantity, false));
    }
    report.addAll(leftOut);
    return new CartMerge(policy, lines, report);
  }
}
