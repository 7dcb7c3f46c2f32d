package dev.holdfast.cart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.CartMerge.Fate;
import dev.holdfast.json.Json;
import java.math.BigDecimal;
import java.util.Currency;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What holds for every cart and every merge of two. */
@PropertyDefaults(tries = 500, edgeCases = EdgeCasesMode.NONE)
class CartPropertiesTest {

  @Property
  void everyPieceIsInTheCartOrAccountedForInTheReport(
      @ForAll("carts") Cart user,
      @ForAll("carts") Cart visitor,
      @ForAll MergePolicy policy,
      @ForAll @IntRange(min = 1, max = 8) int maxLines,
      @ForAll @IntRange(min = 1, max = 20) int maxQuantity) {
    var merge = CartMerge.of(user, visitor, policy, maxLines, maxQuantity);

    Set<Sku> skus = new LinkedHashSet<>();
    user.lines().forEach(line -> skus.add(line.sku()));
    visitor.lines().forEach(line -> skus.add(line.sku()));
    assertThat(merge.report())
        .extracting(CartMerge.Entry::sku)
        .containsExactlyInAnyOrderElementsOf(skus);
    for (var entry : merge.report()) {
      assertThat(entry.userQuantity()).isEqualTo(quantity(user, entry.sku()));
      assertThat(entry.visitorQuantity()).isEqualTo(quantity(visitor, entry.sku()));
      assertThat(entry.quantity())
          .isEqualTo(quantity(new Cart(merge.lines(), 0, null), entry.sku()));
      assertThat(entry.quantity() == 0).isEqualTo(entry.fate() == Fate.LEFT_OUT);
    }
    assertThat(merge.lines()).doesNotHaveDuplicates();
    assertThat(merge.lines().size()).isLessThanOrEqualTo(Math.max(maxLines, user.lines().size()));
  }

  @Property
  void nothingIsLostBySummingBelowTheCaps(
      @ForAll("carts") Cart user, @ForAll("carts") Cart visitor) {
    var merge = CartMerge.of(user, visitor, MergePolicy.SUM, 200, 9_999);

    Map<Sku, Integer> sums = new HashMap<>();
    user.lines().forEach(line -> sums.merge(line.sku(), line.quantity(), Integer::sum));
    visitor.lines().forEach(line -> sums.merge(line.sku(), line.quantity(), Integer::sum));
    Map<Sku, Integer> merged = new HashMap<>();
    merge.lines().forEach(line -> merged.put(line.sku(), line.quantity()));
    assertThat(merged).isEqualTo(sums);
  }

  @Property
  void mergingWithNothingChangesNothing(@ForAll("carts") Cart cart, @ForAll MergePolicy policy) {
    assertThat(CartMerge.of(cart, Cart.empty(), policy, 200, 9_999).lines())
        .isEqualTo(cart.lines());
    assertThat(CartMerge.of(Cart.empty(), cart, policy, 200, 9_999).lines())
        .isEqualTo(cart.lines());
  }

  @Property
  void totalsAreExactSums(@ForAll("carts") Cart cart) {
    Map<Currency, BigDecimal> sums = new HashMap<>();
    for (Line line : cart.lines()) {
      BigDecimal total =
          new BigDecimal(line.unitPrice().money().amountText())
              .multiply(BigDecimal.valueOf(line.quantity()));
      sums.merge(line.unitPrice().currency(), total, BigDecimal::add);
    }

    Map<Currency, BigDecimal> totals = new HashMap<>();
    cart.totals().forEach(money -> totals.put(money.currency(), money.amount()));
    assertThat(totals).isEqualTo(sums);
  }

  @Property
  void aPriceIsReadBackFromItsText(@ForAll("prices") Price price) {
    assertThat(Price.of(price.money().amountText(), price.currency())).isEqualTo(price);
  }

  @Provide
  Arbitrary<Cart> carts() {
    Arbitrary<Line> line =
        Combinators.combine(
                Arbitraries.of("a", "b", "c", "d", "e", "f"),
                Arbitraries.integers().between(1, 30),
                prices())
            .as((sku, quantity, price) ->
                new Line(new Sku(sku), quantity, price, null, Json.Obj.empty()));
    return line.list()
        .ofMaxSize(6)
        .uniqueElements(Line::sku)
        .map(lines -> new Cart(List.copyOf(lines), 1, null));
  }

  @Provide
  Arbitrary<Price> prices() {
    return Combinators.combine(
            Arbitraries.longs().between(0, 999_999_999_999L),
            Arbitraries.of("EUR", "JPY", "KWD").map(Price::currency))
        .as(Price::new);
  }

  private static int quantity(Cart cart, Sku sku) {
    Line line = cart.line(sku);
    return line == null ? 0 : line.quantity();
  }
}
