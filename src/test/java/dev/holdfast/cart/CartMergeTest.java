package dev.holdfast.cart;

import static dev.holdfast.cart.Carts.cart;
import static dev.holdfast.cart.Carts.line;
import static dev.holdfast.cart.MergePolicy.SUM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.CartMerge.Entry;
import dev.holdfast.cart.CartMerge.Fate;
import dev.holdfast.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(10)
class CartMergeTest {

  @ParameterizedTest
  @EnumSource
  void keepsWhatOnlyOneOfThemHasWhateverThePolicy(MergePolicy policy) {
    var merge = merge(cart(line("mine", 2)), cart(line("new", 3)), policy);

    assertThat(merge.lines()).containsExactly(line("mine", 2), line("new", 3));
    assertThat(merge.report())
        .containsExactly(entry("mine", Fate.KEPT, 2, 0, 2), entry("new", Fate.ADDED, 0, 3, 3));
    assertThat(merge.policy()).isEqualTo(policy);
  }

  @ParameterizedTest
  @CsvSource({
    "SUM, 2, 3, 5, SUMMED",
    "MAX, 2, 3, 3, GREATER",
    "MAX, 3, 2, 3, GREATER",
    "MAX, 3, 3, 3, GREATER",
    "USER, 2, 3, 2, USERS",
    "VISITOR, 2, 3, 3, VISITORS",
    "SUM, 9999, 1, 9999, CAPPED",
    "SUM, 5000, 4999, 9999, SUMMED"
  })
  void decidesTheQuantityOfWhatBothHaveByThePolicy(
      MergePolicy policy, int users, int visitors, int quantity, Fate fate) {
    var merge = merge(cart(line("tea", users)), cart(line("tea", visitors)), policy);

    assertThat(merge.lines()).containsExactly(line("tea", quantity));
    assertThat(merge.report()).containsExactly(entry("tea", fate, users, visitors, quantity));
  }

  @Test
  void capsTheGreatestQuantitiesThereAre() {
    var merge =
        CartMerge.of(
            cart(line("tea", Integer.MAX_VALUE)),
            cart(line("tea", Integer.MAX_VALUE)),
            SUM,
            200,
            Integer.MAX_VALUE);

    assertThat(merge.lines()).containsExactly(line("tea", Integer.MAX_VALUE));
    assertThat(merge.report().getFirst().fate()).isEqualTo(Fate.CAPPED);
  }

  @Test
  void capsWhatTheVisitorAloneHasOverALimitThatWasLowered() {
    var merge = CartMerge.of(Cart.empty(), cart(line("tea", 8)), SUM, 200, 5);

    assertThat(merge.lines()).containsExactly(line("tea", 5));
    assertThat(merge.report()).containsExactly(entry("tea", Fate.CAPPED, 0, 8, 5));
  }

  @ParameterizedTest
  @EnumSource
  void letsTheUsersPriceNameAndAttributesWin(MergePolicy policy) {
    var users =
        new Line(
            new Sku("tea"),
            1,
            Price.of("6.90", Price.currency("EUR")),
            "Tea",
            Json.Obj.empty().with("gift", Json.Literal.TRUE));
    var visitors =
        new Line(
            new Sku("tea"), 1, Price.of("7.20", Price.currency("EUR")), "Thé", Json.Obj.empty());

    var merge = merge(cart(users), cart(visitors), policy);

    Line merged = merge.lines().getFirst();
    assertThat(merged.unitPrice()).isEqualTo(users.unitPrice());
    assertThat(merged.name()).isEqualTo("Tea");
    assertThat(merged.attributes()).isEqualTo(users.attributes());
  }

  @Test
  void reportsThatThePriceTheVisitorSawIsAnotherNow() {
    var sameAmount = line("b", 1, "5.00", "EUR");
    var merge =
        merge(
            cart(line("a", 1, "6.90", "EUR"), sameAmount, line("c", 1, "5.00", "EUR")),
            cart(line("a", 1, "7.20", "EUR"), sameAmount, line("c", 1, "5.00", "USD")),
            SUM);

    assertThat(merge.report()).extracting(Entry::priceReplaced).containsExactly(true, false, true);
  }

  @Test
  void putsTheUsersLinesFirstAndKeepsBothOrders() {
    var merge =
        merge(
            cart(line("u2", 1), line("both", 1), line("u1", 1)),
            cart(line("v2", 1), line("both", 1), line("v1", 1)),
            SUM);

    assertThat(merge.lines())
        .extracting(line -> line.sku().value())
        .containsExactly("u2", "both", "u1", "v2", "v1");
  }

  @Test
  void leavesOutWhatFindsNoRoomAndReportsItLast() {
    var merge =
        CartMerge.of(
            cart(line("a", 1), line("b", 1)),
            cart(line("x", 4), line("b", 2), line("y", 5), line("z", 6)),
            SUM,
            3,
            9_999);

    assertThat(merge.lines()).containsExactly(line("a", 1), line("b", 3), line("x", 4));
    assertThat(merge.report())
        .containsExactly(
            entry("a", Fate.KEPT, 1, 0, 1),
            entry("b", Fate.SUMMED, 1, 2, 3),
            entry("x", Fate.ADDED, 0, 4, 4),
            entry("y", Fate.LEFT_OUT, 0, 5, 0),
            entry("z", Fate.LEFT_OUT, 0, 6, 0));
  }

  @Test
  void neverTakesALineFromAUserWhoseCartIsOverALimitThatWasLowered() {
    var merge = CartMerge.of(cart(line("a", 1), line("b", 9)), cart(line("c", 1)), SUM, 1, 5);

    assertThat(merge.lines()).containsExactly(line("a", 1), line("b", 9));
  }

  private static CartMerge merge(Cart user, Cart visitor, MergePolicy policy) {
    return CartMerge.of(user, visitor, policy, 200, 9_999);
  }

  private static Entry entry(String sku, Fate fate, int users, int visitors, int quantity) {
    return new Entry(new Sku(sku), fate, users, visitors, quantity, false);
  }
}
