package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertInvalid;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.done;
import static dev.holdfast.user.Device.view;
import static dev.holdfast.user.LiveUser.ABSOLUTE;
import static dev.holdfast.user.LiveUser.IDLE;
import static dev.holdfast.user.Shopping.checkOut;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.Cart;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class OpeningTest {

  private final Time time = new Time();
  private final LiveUser user = new LiveUser(time);

  @Test
  void opensAVisitorsSession() {
    Reply.View view = user.opens().sees();

    assertThat(view.userId()).isNull();
    assertThat(view.session().generation()).isEqualTo(1);
    assertThat(view.session().attributes()).isEqualTo(Json.Obj.empty());
    assertThat(view.session().createdAt()).isEqualTo(Time.START);
    assertThat(view.lastSeenAt()).isEqualTo(Time.START);
    assertThat(view.expiresAt()).isEqualTo(Time.START + IDLE.toMillis());
    assertThat(view.session().endsAt()).isEqualTo(Time.START + ABSOLUTE.toMillis());
    assertThat(view.cart()).isEqualTo(Cart.empty());
    assertThat(view.revision()).isEqualTo(1);
  }

  @Test
  void opensAKnownUsersSession() {
    assertThat(user.opensFor("alice").sees().userId()).isEqualTo("alice");
  }

  @Test
  void opensWithAttributes() {
    var attributes = Json.Obj.empty().with("locale", new Json.Text("de-DE"));
    var opened =
        done(
            user.asks(
                new Command.Open(
                    Requests.fresh(), Requests.newSession(), null, attributes, 1_000, 2_000)));

    assertThat(view(opened).session().attributes()).isEqualTo(attributes);
  }

  @Test
  void neverExpiresLaterThanItEnds() {
    assertThat(user.opens(null, Duration.ofHours(2), Duration.ofHours(1)).sees().expiresAt())
        .isEqualTo(Time.START + Duration.ofHours(1).toMillis());
  }

  @Test
  void givesAUserOneCartForAllSessions() {
    Device phone = user.opensFor("alice");
    Device laptop = user.opensFor("alice");

    phone.did(set("tea", 2));

    assertThat(laptop.cart()).containsExactly(line("tea", 2));
    assertThat(laptop.lists()).containsExactly(phone.session(), laptop.session());
  }

  @Test
  void findsTheSameSessionWhenTheOpeningIsRepeated() {
    Request request = Requests.keyed("k", "open");
    var first = done(user.asks(opening(request)));
    var again = done(user.asks(opening(request)));

    assertThat(again.replayed()).isTrue();
    assertThat(again.outcome()).isEqualTo(first.outcome());
    assertThat(again.revision()).isEqualTo(first.revision());
    assertThat(user.sessions()).hasSize(1);
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void findsTheSameSessionWhenTheServerItselfRepeatsTheOpening() {
    Request request = Requests.fresh();
    var first = done(user.asks(opening(request)));

    assertThat(done(user.asks(opening(request))).outcome()).isEqualTo(first.outcome());
    assertThat(user.sessions()).hasSize(1);
  }

  @Test
  void showsARepeatTheSessionAsItIsNow() {
    Request request = Requests.keyed("k", "open");
    var first = done(user.asks(opening(request)));
    var device = new Device(user, ((Outcome.Opened) first.outcome()).session(), 1);
    device.did(set("tea", 1));

    assertThat(view(done(user.asks(opening(request)))).cart().lines())
        .containsExactly(line("tea", 1));
  }

  @Test
  void refusesAnotherOpeningUnderTheSameKey() {
    user.asks(opening(Requests.keyed("k", "open")));

    assertRefused(user.asks(opening(Requests.keyed("k", "open otherwise"))), Reason.KEY_REUSED);
    assertThat(user.sessions()).hasSize(1);
  }

  @Test
  void refusesToOpenASessionOfAnotherUserHere() {
    user.opensFor("alice");

    assertRefused(
        user.asks(LiveUser.open(Requests.fresh(), "bob", IDLE, ABSOLUTE)), Reason.USER_MISMATCH);
    assertRefused(user.asks(opening(Requests.fresh())), Reason.USER_MISMATCH);
  }

  @Test
  void remembersTheKeyOfAVisitorAsLongAsTheSessionLives() {
    Request request = Requests.keyed("k", "open");
    var opened = (Outcome.Opened) done(user.asks(opening(request))).outcome();
    var device = new Device(user, opened.session(), 1);
    for (int i = 0; i < 3 * 24 * 3; i++) {
      time.passes(Duration.ofMinutes(20));
      assertAlive(device);
    }
    device.did(set("tea", 1));

    assertThat(done(user.asks(opening(request))).outcome()).isEqualTo(opened);
  }

  @Test
  void tellsARepeatThatTheSessionHasEnded() {
    Request request = Requests.keyed("k", "open");
    var opened = (Outcome.Opened) done(user.asks(opening(request))).outcome();
    new Device(user, opened.session(), 1).did(new Action.LogOut());

    assertInvalid(user.asks(opening(request)));
    assertThat(user.sessions()).isEmpty();
  }

  @Test
  void showsARepeatNoSessionThatIsDueToExpire() {
    Request request = Requests.keyed("k", "open");
    var opened = (Outcome.Opened) done(user.asks(opening(request))).outcome();
    time.passes(IDLE);

    assertInvalid(user.asks(opening(request)));
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionExpired(opened.session(), Event.Limit.IDLE));
  }

  @Test
  void showsARepeatNoSessionThatIsDueToExpireWhileTheJournalIsDown() {
    Request request = Requests.keyed("k", "open");
    user.asks(opening(request));
    time.passes(IDLE);
    user.journalUp = false;

    Answered.assertWaitsForTheJournal(() -> user.asks(opening(request)));
  }

  @Test
  void opensAnewUnderAKeyThatIsForgottenAndShowsNothingOfTheVisitorBefore() {
    Request request = Requests.keyed("k", "open");
    var opened = (Outcome.Opened) done(user.asks(opening(request))).outcome();
    var before = new Device(user, opened.session(), 1);
    before.did(set("tea", 1));
    before.did(checkOut("o-1"));
    before.did(set("cake", 1));
    time.passes(Duration.ofHours(24));

    var anew = done(user.asks(opening(request)));

    assertThat(anew.replayed()).isFalse();
    assertThat(anew.outcome()).isNotEqualTo(opened);
    assertThat(view(anew).cart().lines()).isEmpty();
    assertThat(view(anew).cart().lastOrder()).isNull();
    assertInvalid(before.looks());
  }

  private static Command.Open opening(Request request) {
    return LiveUser.open(request, null, IDLE, ABSOLUTE);
  }
}
