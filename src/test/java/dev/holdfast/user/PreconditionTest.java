package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class PreconditionTest {

  private static final Action PUT = new Action.PutAttribute("a", new Json.Num("1"));

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final Device device = user.opensFor("alice");

  @Test
  void holdsForTheRevisionThatTheCallerSaw() {
    device.did(set("tea", 1));

    assertThat(ifMatch(device.sees().cart().revision(), set("tea", 2)))
        .isInstanceOf(Reply.Done.class);
    assertThat(ifMatch(device.sees().revision(), PUT)).isInstanceOf(Reply.Done.class);
  }

  @Test
  void holdsForTheRevisionThatAChangeAnsweredWith() {
    long revision = device.did(set("tea", 1)).revision();
    assertThat(ifMatch(revision, set("tea", 2))).isInstanceOf(Reply.Done.class);

    long session = device.did(PUT).revision();
    assertThat(ifMatch(session, PUT)).isInstanceOf(Reply.Done.class);

    long rotated = device.did(new Action.Rotate()).revision();
    Reply again =
        device.with(2).does(Requests.fresh(), new Precondition.OneOf(Set.of(rotated)), PUT);
    assertThat(again).isInstanceOf(Reply.Done.class);
  }

  @Test
  void refusesAStaleRevisionAndChangesNothing() {
    long stale = device.did(set("tea", 1)).revision();
    device.did(set("tea", 2));

    assertRefused(ifMatch(stale, set("tea", 3)), Reason.STALE_REVISION);
    assertThat(device.cart()).containsExactly(line("tea", 2));
  }

  @Test
  void refusesARevisionThatIsStillToCome() {
    assertRefused(ifMatch(device.sees().revision() + 1, PUT), Reason.STALE_REVISION);
  }

  @Test
  void holdsForOneOfSeveral() {
    long revision = device.did(set("tea", 1)).revision();

    assertThat(
            device.does(
                Requests.fresh(), new Precondition.OneOf(Set.of(1_000L, revision)), set("tea", 2)))
        .isInstanceOf(Reply.Done.class);
  }

  @Test
  void neverHoldsForNone() {
    assertRefused(
        device.does(Requests.fresh(), new Precondition.OneOf(Set.of()), set("tea", 2)),
        Reason.STALE_REVISION);
  }

  @Test
  void speaksOfTheCartAloneWhereTheCartIsChanged() {
    long cart = device.did(set("tea", 1)).revision();
    device.did(PUT);

    assertThat(ifMatch(cart, set("tea", 2))).isInstanceOf(Reply.Done.class);
  }

  @Test
  void speaksOfSessionAndCartWhereTheSessionIsChanged() {
    long session = device.did(PUT).revision();
    long cart = device.did(set("tea", 1)).revision();

    assertRefused(ifMatch(session, PUT), Reason.STALE_REVISION);
    assertThat(ifMatch(cart, PUT)).isInstanceOf(Reply.Done.class);
  }

  @Test
  void isNotDisturbedByActivity() {
    long revision = device.did(set("tea", 1)).revision();
    time.passes(Duration.ofMinutes(20));
    Answered.assertAlive(device);
    assertThat(user.lastEvents()).as("the touch is journaled").hasSize(1);

    assertThat(ifMatch(revision, set("tea", 2))).isInstanceOf(Reply.Done.class);
  }

  @Test
  void isNotDisturbedByOtherSessions() {
    long revision = device.sees().revision();
    Device other = user.opensFor("alice");
    other.did(PUT);
    other.did(new Action.LogOut());

    assertThat(ifMatch(revision, PUT)).isInstanceOf(Reply.Done.class);
  }

  private Reply ifMatch(long revision, Action action) {
    return device.does(Requests.fresh(), new Precondition.OneOf(Set.of(revision)), action);
  }
}
