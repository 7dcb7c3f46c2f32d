package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.done;
import static dev.holdfast.user.Device.view;
import static dev.holdfast.user.LiveUser.ABSOLUTE;
import static dev.holdfast.user.Shopping.add;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.remove;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class ReceiptsTest {

  private static final Duration A_DAY = Duration.ofHours(24);
  private static final Duration A_TICK = Duration.ofMillis(1);

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);
  private final Device device = user.opens("alice", Duration.ofDays(2), ABSOLUTE);

  @Test
  void giveARepeatTheFirstOutcomeAndTheViewAsItIsNow() {
    var first = device.didKeyed("k", set("tea", 1));
    device.did(set("cake", 1));

    var again = device.didKeyed("k", set("tea", 1));

    assertThat(first.replayed()).isFalse();
    assertThat(again.replayed()).isTrue();
    assertThat(again.outcome()).isEqualTo(Outcome.Created.created());
    assertThat(again.revision()).isEqualTo(first.revision());
    assertThat(view(again).cart().lines()).containsExactly(line("tea", 1), line("cake", 1));
  }

  @Test
  void letNoRepeatTakeEffectTwice() {
    device.didKeyed("k", add("tea", 1));
    device.didKeyed("k", add("tea", 1));
    user.crashes();
    device.didKeyed("k", add("tea", 1));

    assertThat(device.cart()).containsExactly(line("tea", 1));
  }

  @Test
  void letNoRepeatUndoALaterWriteOfAnother() {
    Device other = user.opensFor("alice");
    device.didKeyed("k", set("tea", 1));
    other.did(set("tea", 5));

    device.didKeyed("k", set("tea", 1));

    assertThat(device.cart()).containsExactly(line("tea", 5));
  }

  @Test
  void serveTheServersOwnRepeatsToo() {
    Request request = Requests.fresh();
    device.does(request, add("tea", 1));

    assertThat(done(device.does(request, add("tea", 1))).replayed()).isTrue();
    assertThat(device.cart()).containsExactly(line("tea", 1));
  }

  @Test
  void serveAnotherSessionOfTheUser() {
    Device other = user.opensFor("alice");
    device.didKeyed("k", set("tea", 1));

    assertThat(other.didKeyed("k", set("tea", 1)).replayed()).isTrue();
  }

  @Test
  void tellAKeyThatIsUsedForAnotherRequest() {
    device.didKeyed("k", set("tea", 1));

    assertRefused(device.doesKeyed("k", set("tea", 2)), Reason.KEY_REUSED);
    assertRefused(device.doesKeyed("k", new Action.LogOut()), Reason.KEY_REUSED);
    assertThat(device.cart()).containsExactly(line("tea", 1));
  }

  @Test
  void areNotMadeForWhatIsRefused() {
    assertRefused(device.doesKeyed("k", remove("tea")), Reason.NO_SUCH_LINE);
    device.did(set("tea", 1));

    assertThat(device.didKeyed("k", remove("tea")).replayed()).isFalse();
    assertThat(device.cart()).isEmpty();
  }

  @Test
  void areAskedBeforeAnythingElse() {
    long revision = device.sees().cart().revision();
    var onlyThen = new Precondition.OneOf(java.util.Set.of(revision));
    Request request = device.keyed("k", set("tea", 1));
    done(device.does(request, onlyThen, set("tea", 1)));

    assertThat(done(device.does(request, onlyThen, set("tea", 1))).replayed()).isTrue();
  }

  @Test
  void areKeptFor24HoursExactly() {
    device.didKeyed("k", add("tea", 1));
    time.passes(A_DAY.minus(A_TICK));
    assertThat(device.didKeyed("k", add("tea", 1)).replayed()).isTrue();
    device.did(set("other", 1));
    assertThat(device.didKeyed("k", add("tea", 1)).replayed()).isTrue();

    time.passes(A_TICK);

    assertThat(device.didKeyed("k", add("tea", 1)).replayed()).isFalse();
    assertThat(device.cart()).contains(line("tea", 2));
  }

  @Test
  void areKeptForAMinuteForTheServersOwnRequests() {
    Request request = Requests.fresh();
    device.does(request, add("tea", 1));
    time.passes(Duration.ofMinutes(1).minus(A_TICK));
    assertThat(done(device.does(request, add("tea", 1))).replayed()).isTrue();

    time.passes(A_TICK);
    device.did(set("other", 1));

    assertThat(user.state().receipts()).hasSize(1);
  }

  @Test
  void areKeptWhenTheClockGoesBack() {
    device.didKeyed("k", add("tea", 1));
    time.passes(Duration.ofDays(-3));
    device.did(set("other", 1));

    assertThat(device.didKeyed("k", add("tea", 1)).replayed()).isTrue();
  }

  @Test
  void areCountedToAThousandKeysAndThenNoMoreAreTaken() {
    for (int i = 0; i < 1_000; i++) {
      device.didKeyed("k" + i, set("tea", 1 + i));
      time.passes(Duration.ofSeconds(1));
    }

    var refusal = ((Reply.Refused) device.doesKeyed("one more", set("tea", 1))).refusal();

    assertThat(refusal.reason()).isEqualTo(Reason.TOO_MANY_REQUESTS);
    assertThat(refusal.retryAfterMillis()).isEqualTo(A_DAY.minusSeconds(1_000).toMillis());
    assertThat(device.didKeyed("k0", set("tea", 1)).replayed()).as("known keys").isTrue();
    device.did(set("tea", 7));
    assertRefused(
        user.asks(LiveUser.open(Requests.keyed("open", ""), "alice", LiveUser.IDLE, ABSOLUTE)),
        Reason.TOO_MANY_REQUESTS);

    time.passes(A_DAY.minusSeconds(1_000));
    assertThat(device.didKeyed("one more", set("tea", 1)).replayed()).isFalse();
    assertRefused(device.doesKeyed("and another", set("tea", 1)), Reason.TOO_MANY_REQUESTS);
  }

  @Test
  void areNeverForgottenEarlyForLackOfRoom() {
    user.limits =
        new Limits(
            9_999,
            9_999,
            9,
            99,
            9,
            3,
            3,
            Long.MAX_VALUE,
            User.NEVER,
            Duration.ofDays(7).toMillis());
    device.didKeyed("k1", set("tea", 1));
    device.didKeyed("k2", set("tea", 2));
    device.didKeyed("k3", set("tea", 3));
    device.doesKeyed("k4", set("tea", 4));
    user.crashes();

    assertThat(device.didKeyed("k1", set("tea", 1)).replayed()).isTrue();
  }

  @Test
  void limitTheServersOwnRequestsWithinAMinute() {
    user.limits =
        new Limits(
            9_999,
            9_999,
            9,
            99,
            9,
            9,
            3,
            Long.MAX_VALUE,
            User.NEVER,
            Duration.ofDays(7).toMillis());
    device.did(set("tea", 1)); // beside the opening
    device.did(set("tea", 2));

    var refusal = ((Reply.Refused) device.does(set("tea", 3))).refusal();

    assertThat(refusal.reason()).isEqualTo(Reason.TOO_MANY_REQUESTS);
    assertThat(refusal.retryAfterMillis()).isEqualTo(60_000);
    device.didKeyed("k", set("tea", 4));
    time.passes(Duration.ofMinutes(1));
    device.did(set("tea", 5));
  }

  @Test
  void nameTheTimeWhenTheOldestKeyEndsThoughTheOpeningsIsOlderAndStays() {
    var visitor = new LiveUser(time);
    visitor.limits =
        new Limits(
            9_999,
            9_999,
            9,
            99,
            9,
            2,
            9,
            Long.MAX_VALUE,
            User.NEVER,
            Duration.ofDays(7).toMillis());
    var opened =
        done(
            visitor.asks(
                new Command.Open(
                    Requests.keyed("open", ""),
                    Requests.newSession(),
                    null,
                    Json.Obj.empty(),
                    Duration.ofDays(3).toMillis(),
                    ABSOLUTE.toMillis())));
    var browser = new Device(visitor, ((Outcome.Opened) opened.outcome()).session(), 1);
    time.passes(Duration.ofHours(30));
    browser.didKeyed("k", set("tea", 1));
    time.passes(Duration.ofHours(1));

    var refusal = ((Reply.Refused) browser.doesKeyed("one more", set("tea", 2))).refusal();

    assertThat(refusal.reason()).isEqualTo(Reason.TOO_MANY_REQUESTS);
    assertThat(refusal.retryAfterMillis()).isEqualTo(Duration.ofHours(23).toMillis());
  }

  @Test
  void goWithTimeAndDoNotPileUp() {
    for (int i = 0; i < 50; i++) {
      device.did(set("tea", 1 + i));
      device.didKeyed("k" + i, set("cake", 1 + i));
      time.passes(Duration.ofHours(2));
    }
    assertThat(user.state().receipts()).hasSizeLessThanOrEqualTo(13);
  }

  @Test
  void showNothingToAStrangersToken() {
    device.didKeyed("k", set("tea", 1));
    var stranger = new Device(user, Requests.newSession(), 1);

    Answered.assertInvalid(stranger.does(device.keyed("k", set("tea", 1)), set("tea", 1)));
    assertDead(stranger);
  }
}
