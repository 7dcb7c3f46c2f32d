package dev.holdfast.user;

import static dev.holdfast.user.Device.view;
import static dev.holdfast.user.Shopping.remove;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class RevisionTest {

  private static final Action PUT = new Action.PutAttribute("a", new Json.Num("1"));

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final Device device = user.opensFor("alice");

  @Test
  void ofTheCartIsZeroUntilTheCartChanges() {
    assertThat(device.sees().cart().revision()).isZero();
  }

  @Test
  void ofTheViewIsTheLaterOfSessionAndCart() {
    long put = device.did(PUT).revision();
    assertThat(device.sees().revision()).isEqualTo(put);

    long set = device.did(set("tea", 1)).revision();
    assertThat(device.sees().revision()).isEqualTo(set).isGreaterThan(put);
    assertThat(device.sees().session().revision()).isEqualTo(put);
    assertThat(device.sees().cart().revision()).isEqualTo(set);
  }

  @Test
  void isOneNumberLineForAllResourcesOfAUser() {
    Device other = user.opensFor("alice");
    long first = device.did(PUT).revision();
    long second = other.did(PUT).revision();
    long third = device.did(set("tea", 1)).revision();
    long fourth = other.did(set("tea", 1)).revision();

    assertThat(new long[] {first, second, third, fourth}).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void isTheSameInTheAnswerAndInTheViewThatComesWithIt() {
    var put = device.did(PUT);
    assertThat(view(put).revision()).isEqualTo(put.revision());
    var set = device.did(set("tea", 1));
    assertThat(view(set).cart().revision()).isEqualTo(set.revision());
    var rotated = device.did(new Action.Rotate());
    assertThat(view(rotated).revision()).isEqualTo(rotated.revision());
  }

  @Test
  void isNotChangedByActivity() {
    device.did(set("tea", 1));
    Reply.View before = device.sees();
    time.passes(Duration.ofMinutes(20));
    Reply.View after = device.sees();
    assertThat(user.lastEvents()).isNotEmpty();
    time.passes(Duration.ofMinutes(20));
    device.does(remove("nothing"));

    assertThat(after.revision()).isEqualTo(before.revision());
    assertThat(device.sees().revision()).isEqualTo(before.revision());
    assertThat(device.sees().cart().revision()).isEqualTo(before.cart().revision());
  }

  @Test
  void isNotChangedByWhatIsRefusedOrRepeated() {
    device.didKeyed("k", set("tea", 1));
    long before = device.sees().revision();
    device.didKeyed("k", set("tea", 1));
    device.doesKeyed("k", set("tea", 2));
    device.does(remove("nothing"));

    assertThat(device.sees().revision()).isEqualTo(before);
  }

  @Test
  void isNotChangedByOtherSessionsComingAndGoing() {
    device.did(set("tea", 1));
    long before = device.sees().revision();
    Device other = user.opensFor("alice");
    other.did(PUT);
    device.did(new Action.EndOthers());

    assertThat(device.sees().revision()).isEqualTo(before);
  }

  @Test
  void goesOnAboveWhatWasAfterARecovery() {
    long before = device.did(PUT).revision();
    user.crashes();

    assertThat(device.did(PUT).revision()).isGreaterThan(before);
  }

  @Test
  void goesOnAboveAClearedCart() {
    device.did(set("tea", 1));
    long before = device.did(new Action.EmptyCart()).revision();

    assertThat(device.sees().cart().revision()).isEqualTo(before);
    assertThat(device.did(set("tea", 1)).revision()).isGreaterThan(before);
  }
}
