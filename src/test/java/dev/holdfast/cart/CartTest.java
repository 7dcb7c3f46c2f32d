package dev.holdfast.cart;

import static dev.holdfast.cart.Carts.cart;
import static dev.holdfast.cart.Carts.line;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import dev.holdfast.json.Json;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class CartTest {

  @Test
  void isEmptyAtFirst() {
    assertThat(Cart.empty().isEmpty()).isTrue();
    assertThat(Cart.empty().revision()).isZero();
    assertThat(Cart.empty().itemCount()).isZero();
    assertThat(Cart.empty().totals()).isEmpty();
    assertThat(Cart.empty().lastOrder()).isNull();
  }

  @Test
  void keepsTheOrderInWhichLinesWereFirstAdded() {
    Cart cart = Cart.empty().with(line("c", 1), 1).with(line("a", 1), 2).with(line("b", 1), 3);

    assertThat(cart.with(line("c", 9), 4).lines())
        .containsExactly(line("c", 9), line("a", 1), line("b", 1));
  }

  @Test
  void putsALineThatWasRemovedAndAddedAgainLast() {
    Cart cart = cart(line("a", 1), line("b", 1)).without(new Sku("a"), 2).with(line("a", 1), 3);

    assertThat(cart.lines()).containsExactly(line("b", 1), line("a", 1));
  }

  @Test
  void tellsSkusApartByCase() {
    assertThat(cart(line("a", 1)).line(new Sku("A"))).isNull();
  }

  @Test
  void countsPieces() {
    assertThat(cart(line("a", 2), line("b", 3)).itemCount()).isEqualTo(5);
    assertThat(cart(line("a", Integer.MAX_VALUE), line("b", 1)).itemCount())
        .isEqualTo(1L + Integer.MAX_VALUE);
  }

  @Test
  void hasOneTotalForEachCurrency() {
    Cart cart =
        cart(
            line("a", 3, "0.10", "EUR"),
            line("b", 2, "500", "JPY"),
            line("c", 1, "0.20", "EUR"),
            line("d", 1, "1.005", "KWD"));

    assertThat(cart.totals())
        .extracting(Money::amountText, money -> money.currency().getCurrencyCode())
        .containsExactly(tuple("0.50", "EUR"), tuple("1000", "JPY"), tuple("1.005", "KWD"));
  }

  @Test
  void remembersTheLastOrderWhenItIsEmptied() {
    var order = new Order("o-1", null, List.of(line("a", 1)), 77);
    Cart cart = cart(line("a", 1)).checkedOut(order, 2);

    assertThat(cart.isEmpty()).isTrue();
    assertThat(cart.with(line("b", 1), 3).emptied(4).lastOrder())
        .isEqualTo(new Cart.LastOrder("o-1", 77));
  }

  @Test
  void hasTheRevisionOfItsLastChange() {
    assertThat(Cart.empty().with(line("a", 1), 7).revision()).isEqualTo(7);
    assertThat(cart(line("a", 1)).without(new Sku("a"), 8).revision()).isEqualTo(8);
    assertThat(cart(line("a", 1)).emptied(9).revision()).isEqualTo(9);
  }

  @Test
  void cannotBeChangedFromOutside() {
    var lines = new ArrayList<>(List.of(line("a", 1)));
    var cart = new Cart(lines, 1, null);
    lines.clear();

    assertThat(cart.lines()).hasSize(1);
  }

  @Test
  void hasNoLineWithoutPieces() {
    assertThatIllegalArgumentException().isThrownBy(() -> line("a", 0));
    assertThatIllegalArgumentException().isThrownBy(() -> line("a", -1));
  }

  @Test
  void totalsAnOrderLikeTheCartThatItWas() {
    Cart cart = cart(line("a", 3, "0.10", "EUR"), line("b", 2, "500", "JPY"));

    assertThat(new Order("o", "ref", cart.lines(), 0).totals()).isEqualTo(cart.totals());
  }

  @Test
  void keepsWhatTheShopStoresWithALine() {
    var engraved =
        new Line(
            new Sku("ring"),
            1,
            Price.of("99", Price.currency("EUR")),
            "Ring",
            Json.Obj.empty().with("engraving", new Json.Text("für immer")));

    assertThat(Cart.empty().with(engraved, 1).line(new Sku("ring"))).isEqualTo(engraved);
  }
}
