package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.view;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Money;
import dev.holdfast.cart.Order;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class CheckOutTest {

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final Device device = user.opensFor("alice");

  @Test
  void refusesToCheckOutAnEmptyCart() {
    assertRefused(device.does(checkOut("o-1")), Reason.CART_EMPTY);
    assertThat(device.sees().cart().lastOrder()).isNull();
  }

  @Test
  void turnsTheCartIntoAnOrderAndEmptiesIt() {
    device.did(set("tea", 2));
    device.did(set("cake", 1));
    time.passes(Duration.ofSeconds(1));

    var done = device.did(new Action.CheckOut("o-1", "web-1"));

    var order = new Order("o-1", "web-1", List.of(line("tea", 2), line("cake", 1)), time.now());
    assertThat(done.outcome()).isEqualTo(new Outcome.CheckedOut(order));
    assertThat(order.totals()).extracting(Money::amountText).containsExactly("20.70");
    assertThat(user.lastEvents()).containsExactly(new Event.CartCheckedOut(order));
    assertThat(view(done).cart().isEmpty()).isTrue();
    assertThat(view(done).cart().lastOrder()).isEqualTo(new Cart.LastOrder("o-1", time.now()));
  }

  @Test
  void makesOneOrderOfOneCart() {
    Device other = user.opensFor("alice");
    device.did(set("tea", 2));
    device.did(checkOut("o-1"));

    assertRefused(device.does(checkOut("o-2")), Reason.CART_EMPTY);
    assertRefused(other.does(checkOut("o-3")), Reason.CART_EMPTY);
  }

  @Test
  void givesTheSameOrderToARepeatThoughTheCartIsFullAgain() {
    device.did(set("tea", 2));
    var first = device.does(device.keyed("k", checkOut("")), checkOut("o-1"));
    device.did(set("cake", 1));
    user.crashes();

    var again = Device.done(device.does(device.keyed("k", checkOut("")), checkOut("o-2")));

    assertThat(again.replayed()).isTrue();
    assertThat(again.outcome()).isEqualTo(Device.done(first).outcome());
    assertThat(device.cart()).containsExactly(line("cake", 1));
  }

  @Test
  void keepsTheLastOrderInSight() {
    device.did(set("tea", 2));
    device.did(checkOut("o-1"));
    device.did(set("cake", 1));
    device.did(new Action.EmptyCart());

    assertThat(device.sees().cart().lastOrder()).isEqualTo(new Cart.LastOrder("o-1", time.now()));
  }

  @Test
  void checksOutOnlyTheCartThatTheCustomerSaw() {
    device.did(set("tea", 2));
    long seen = device.sees().cart().revision();
    user.opensFor("alice").did(set("cake", 1));

    assertRefused(
        device.does(
            Requests.fresh(), new Precondition.OneOf(java.util.Set.of(seen)), checkOut("o-1")),
        Reason.STALE_REVISION);
    assertThat(device.cart()).hasSize(2);
  }
}
