package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.view;
import static dev.holdfast.user.Shopping.add;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.price;
import static dev.holdfast.user.Shopping.remove;
import static dev.holdfast.user.Shopping.set;
import static dev.holdfast.user.Shopping.setQuantity;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class CartLinesTest {

  private static final Json.Obj GIFT = Json.Obj.empty().with("gift", Json.Literal.TRUE);

  private final LiveUser user = new LiveUser(new Time());
  private final Device device = user.opensFor("alice");

  @Test
  void setsAWholeLine() {
    var first = device.did(new Action.SetLine(line("tea", 2, "6.90", "EUR", "Tea", GIFT)));
    var second = device.did(set("tea", 3));

    assertThat(first.outcome()).isEqualTo(Outcome.Created.created());
    assertThat(second.outcome()).isEqualTo(Outcome.Changed.changed());
    assertThat(device.cart()).containsExactly(line("tea", 3));
  }

  @Test
  void keepsTheOrderInWhichLinesWereFirstAdded() {
    device.did(set("c", 1));
    device.did(add("a", 1));
    device.did(set("b", 1));
    device.did(set("c", 9));
    device.did(add("a", 8));
    device.did(remove("b"));
    device.did(set("b", 7));

    assertThat(device.cart()).containsExactly(line("c", 9), line("a", 9), line("b", 7));
  }

  @Test
  void changesPartOfALine() {
    device.did(new Action.SetLine(line("tea", 2, "6.90", "EUR", "Tea", GIFT)));

    device.did(setQuantity("tea", 5));
    assertThat(device.cart()).containsExactly(line("tea", 5, "6.90", "EUR", "Tea", GIFT));

    device.did(new Action.PatchLine(new Sku("tea"), null, price("7", "USD"), null, null));
    assertThat(device.cart()).containsExactly(line("tea", 5, "7.00", "USD", "Tea", GIFT));

    device.did(new Action.PatchLine(new Sku("tea"), null, null, new Action.NewName("Thé"), null));
    assertThat(device.cart()).containsExactly(line("tea", 5, "7.00", "USD", "Thé", GIFT));

    device.did(
        new Action.PatchLine(
            new Sku("tea"),
            null,
            null,
            new Action.NewName(null),
            Json.Obj.empty().with("n", GIFT)));
    assertThat(device.cart())
        .containsExactly(line("tea", 5, "7.00", "USD", null, GIFT.with("n", GIFT)));

    device.did(
        new Action.PatchLine(
            new Sku("tea"), null, null, null, Json.Obj.empty().with("gift", Json.Literal.NULL)));
    assertThat(device.cart())
        .containsExactly(line("tea", 5, "7.00", "USD", null, Json.Obj.empty().with("n", GIFT)));

    device.did(new Action.PatchLine(new Sku("tea"), null, null, null, Json.Literal.NULL));
    assertThat(device.cart()).containsExactly(line("tea", 5, "7.00", "USD"));
  }

  @Test
  void refusesToChangeALineThatIsNotThere() {
    assertRefused(device.does(setQuantity("tea", 1)), Reason.NO_SUCH_LINE);
    assertRefused(device.does(remove("tea")), Reason.NO_SUCH_LINE);
  }

  @Test
  void addsToALineAndTakesTheNewestPriceAndName() {
    device.did(new Action.SetLine(line("tea", 2, "6.90", "EUR", "Tea", GIFT)));

    device.did(add("tea", 3, "7.20", "EUR"));
    assertThat(device.cart()).containsExactly(line("tea", 5, "7.20", "EUR", "Tea", GIFT));

    device.did(
        new Action.AddToLine(
            new Sku("tea"), 1, price("7.30", "EUR"), "Thé", Json.Obj.empty().with("x", GIFT)));
    assertThat(device.cart())
        .containsExactly(line("tea", 6, "7.30", "EUR", "Thé", Json.Obj.empty().with("x", GIFT)));
  }

  @Test
  void addsANewLine() {
    var done =
        device.did(new Action.AddToLine(new Sku("tea"), 2, price("6.90", "EUR"), "Tea", GIFT));

    assertThat(view(done).cart().lines())
        .containsExactly(line("tea", 2, "6.90", "EUR", "Tea", GIFT));
  }

  @Test
  void refusesToAddInAnotherCurrency() {
    device.did(set("tea", 2));

    assertRefused(device.does(add("tea", 1, "6.90", "USD")), Reason.CURRENCY_MISMATCH);
    assertThat(device.cart()).containsExactly(line("tea", 2));
  }

  @Test
  void holdsLinesInSeveralCurrencies() {
    device.did(set("tea", 2));
    device.did(add("cake", 1, "500", "JPY"));

    assertThat(device.sees().cart().totals()).hasSize(2);
  }

  @Test
  void refusesToAddBeyondTheGreatestQuantity() {
    device.did(set("tea", 9_000));
    device.did(add("tea", 999));

    assertRefused(device.does(add("tea", 1)), Reason.QUANTITY_EXCEEDED);
    assertRefused(device.does(add("tea", Integer.MAX_VALUE)), Reason.QUANTITY_EXCEEDED);
    assertThat(device.cart()).containsExactly(line("tea", 9_999));
  }

  @Test
  void refusesALineTooManyHoweverItIsAdded() {
    for (int i = 0; i < 200; i++) {
      device.did(set("sku-" + i, 1));
    }

    assertRefused(device.does(set("one-more", 1)), Reason.CART_FULL);
    assertRefused(device.does(add("one-more", 1)), Reason.CART_FULL);
    device.did(set("sku-0", 2));
    device.did(add("sku-0", 2));
    device.did(remove("sku-0"));
    device.did(set("one-more", 1));
    assertThat(device.cart()).hasSize(200).endsWith(line("one-more", 1));
  }

  @Test
  void refusesAttributesOfALineThatAreTooLarge() {
    // {"a":"…"}
    var most = Json.Obj.empty().with("a", new Json.Text("x".repeat(4 * 1024 - 8)));
    device.did(new Action.SetLine(line("tea", 1, "1", "EUR", null, most)));

    var more = new Action.SetLine(line("tea", 1, "1", "EUR", null, most.with("b", GIFT)));
    assertRefused(device.does(more), Reason.TOO_LARGE);
    var patch =
        new Action.PatchLine(
            new Sku("tea"), null, null, null, Json.Obj.empty().with("b", Json.Literal.TRUE));
    assertRefused(device.does(patch), Reason.TOO_LARGE);
    var added =
        new Action.AddToLine(new Sku("tea"), 1, price("1", "EUR"), null, most.with("b", GIFT));
    assertRefused(device.does(added), Reason.TOO_LARGE);
    assertThat(device.cart()).containsExactly(line("tea", 1, "1", "EUR", null, most));
  }

  @Test
  void emptiesTheCart() {
    device.did(set("tea", 2));
    device.did(new Action.EmptyCart());

    assertThat(device.cart()).isEmpty();
    assertThat(device.did(new Action.EmptyCart()).outcome()).isEqualTo(Outcome.Changed.changed());
  }

  @Test
  void addsUpExactlyWhenManyAdd() {
    Device other = user.opensFor("alice");
    for (int i = 0; i < 500; i++) {
      device.did(add("tea", 1));
      other.did(add("tea", 2));
    }

    assertThat(device.sees().cart().itemCount()).isEqualTo(1_500);
  }
}
