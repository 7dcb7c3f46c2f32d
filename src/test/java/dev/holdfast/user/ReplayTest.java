package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThatCode;

import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Order;
import dev.holdfast.cart.Sku;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Access;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A user whose history is odd is still a user: replay never throws, nor does what comes after. */
@Timeout(10)
class ReplayTest {

  private static final SessionId KNOWN = new SessionId(1, 1);
  private static final SessionId UNKNOWN = new SessionId(9, 9);
  private static final long[] MOMENTS = {
    Long.MIN_VALUE, -1, 0, Time.START, Long.MAX_VALUE - 1, Long.MAX_VALUE
  };

  static Stream<Event> oddEvents() {
    var object = Json.Obj.empty().with("a", Json.Literal.NULL);
    return Stream.of(KNOWN, UNKNOWN)
        .flatMap(id ->
            Stream.of(
                new Event.SessionOpened(id, "alice", object, Long.MIN_VALUE, Long.MAX_VALUE),
                new Event.SessionOpened(id, null, object, Long.MAX_VALUE, Long.MIN_VALUE),
                new Event.AttributesChanged(id, object, List.of("a", "b")),
                new Event.SessionRotated(id, Integer.MIN_VALUE),
                new Event.SessionTouched(id, Long.MIN_VALUE),
                new Event.SessionTouched(id, Long.MAX_VALUE),
                new Event.SessionEnded(id, Event.EndReason.LOGGED_OUT),
                new Event.SessionExpired(id, Event.Limit.IDLE),
                new Event.OthersEnded(id, List.of(KNOWN, UNKNOWN)),
                new Event.LineSet(Shopping.line("tea", Integer.MAX_VALUE)),
                new Event.LineRemoved(new Sku("nothing")),
                new Event.CartEmptied(),
                new Event.CartExpired(),
                new Event.CartCheckedOut(new Order("o", null, List.of(), Long.MIN_VALUE)),
                new Event.LogInStarted(
                    new LogIn(
                        id,
                        "alice",
                        Long.MAX_VALUE,
                        MergePolicy.SUM,
                        UNKNOWN,
                        Requests.fresh(),
                        Long.MIN_VALUE)),
                new Event.LogInFinished(id),
                new Event.LogInRefused(id, Refusal.Reason.LOG_IN_OVERTAKEN),
                new Event.LogInAdmitted(
                    "bob",
                    id,
                    object,
                    Long.MAX_VALUE,
                    Long.MAX_VALUE,
                    Long.MAX_VALUE,
                    MergePolicy.SUM,
                    List.of(),
                    List.of(),
                    Long.MIN_VALUE)));
  }

  @ParameterizedTest
  @MethodSource("oddEvents")
  void getsOverAnyEntry(Event event) {
    var user = new LiveUser(new Time());
    user.opensFor("alice").did(Shopping.set("tea", 1));
    User lived =
        user.state()
            .apply(
                new Entry(
                    Time.START,
                    null,
                    null,
                    new Event.SessionOpened(KNOWN, "alice", Json.Obj.empty(), 1_000, 2_000)));

    for (User state : List.of(User.nobody(), lived)) {
      for (long at : MOMENTS) {
        for (SessionId by : new SessionId[] {KNOWN, UNKNOWN}) {
          var receipt =
              new Receipt(
                  new RequestId(1, 1),
                  0,
                  Receipt.Kind.CALLER,
                  at,
                  by,
                  Outcome.LoggedOut.loggedOut(),
                  Long.MIN_VALUE);
          assertThatCode(() -> goesOn(state.apply(new Entry(at, by, receipt, event))))
              .doesNotThrowAnyException();
        }
      }
    }
  }

  private static void goesOn(User user) {
    user.deadline(Limits.defaults());
    for (long now : MOMENTS) {
      var context =
          new Context(now, false, true, Presence.unknown(), Limits.defaults(), Event.newestForm());
      user.decide(new Command.Wake(), context);
      user.decide(new Command.Look(new Access(KNOWN, 1)), context);
      user.decide(
          LiveUser.open(Requests.fresh(), "alice", LiveUser.IDLE, LiveUser.ABSOLUTE), context);
      user.decide(new Command.AskEpoch(), context);
    }
  }
}
