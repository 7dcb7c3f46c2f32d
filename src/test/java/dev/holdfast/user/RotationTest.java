package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertInvalid;
import static dev.holdfast.user.Answered.assertWaitsForTheJournal;
import static dev.holdfast.user.Device.done;
import static dev.holdfast.user.Device.view;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.remove;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cart.MergePolicy;
import dev.holdfast.user.Command.Action;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class RotationTest {

  private static final Action ROTATE = new Action.Rotate();

  private final LiveUser user = new LiveUser(new Time());
  private final Device old = user.opensFor("alice");

  @Test
  void killsTheOldToken() {
    Device fresh = old.rotated();

    assertAlive(fresh);
    assertDead(old);
    assertInvalid(old.does(set("tea", 1)));
    assertInvalid(user.asks(new Command.ListSessions(old.access())));
  }

  @Test
  void raisesTheGeneration() {
    assertThat(old.rotated().rotated().generation()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 3, Integer.MAX_VALUE})
  void knowsNoGenerationButTheCurrentOne(int generation) {
    old.rotated();

    assertDead(old.with(generation));
  }

  @Test
  void keepsAttributesCartAndLifetime() {
    old.did(set("tea", 1));
    Reply.View before = old.sees();
    Reply.View after = old.rotated().sees();

    assertThat(after.session().id()).isEqualTo(before.session().id());
    assertThat(after.session().attributes()).isEqualTo(before.session().attributes());
    assertThat(after.session().createdAt()).isEqualTo(before.session().createdAt());
    assertThat(after.cart()).isEqualTo(before.cart());
  }

  @Test
  void mayBeRepeatedWithTheOldTokenUntilTheNewOneIsUsed() {
    var first = old.didKeyed("k", ROTATE);
    user.crashes();

    for (int i = 0; i < 3; i++) {
      var again = old.didKeyed("k", ROTATE);
      assertThat(again.replayed()).isTrue();
      assertThat(again.outcome()).isEqualTo(first.outcome());
      assertThat(again.revision()).isEqualTo(first.revision());
      assertThat(user.lastEvents()).isEmpty();
      assertThat(user.lastSeen()).as("a dead token is no activity").isNull();
    }
    assertAlive(old.with(2));
  }

  static Stream<Named<Consumer<Device>>> usesOfTheNewToken() {
    return Stream.of(
        Named.of("a look", device -> device.sees()),
        Named.of("a list", device -> device.lists()),
        Named.of("a stream", device -> device.watches()),
        Named.of("a change", device -> device.did(set("tea", 1))),
        Named.of("a change that is refused", device -> device.does(remove("nothing"))),
        Named.of("the next rotation", device -> device.rotated()),
        Named.of("the log-out", device -> device.did(new Action.LogOut())),
        Named.of("a repeat of the rotation", device -> device.didKeyed("k", ROTATE)));
  }

  @ParameterizedTest
  @MethodSource("usesOfTheNewToken")
  void mayNotBeRepeatedOnceTheNewTokenWasUsed(Consumer<Device> use) {
    old.didKeyed("k", ROTATE);
    use.accept(old.with(2));
    user.crashes();

    assertInvalid(old.doesKeyed("k", ROTATE));
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void isTheOnlyThingThatTheOldTokenMayRepeat() {
    old.didKeyed("before", set("tea", 1));
    old.didKeyed("k", ROTATE);

    assertInvalid(old.doesKeyed("before", set("tea", 1)));
    assertInvalid(old.doesKeyed("k", set("tea", 1)));
    assertInvalid(old.doesKeyed("another", ROTATE));
    assertDead(old);
    assertThat(old.didKeyed("k", ROTATE).replayed()).isTrue();
  }

  @Test
  void mayBeRepeatedOnlyWithTheTokenThatItEnded() {
    Device second = old.rotated();
    second.didKeyed("k", ROTATE);

    assertInvalid(old.doesKeyed("k", ROTATE));
    assertInvalid(new Device(user, user.opensFor("alice").session(), 2).doesKeyed("k", ROTATE));
    assertThat(second.didKeyed("k", ROTATE).replayed()).isTrue();
  }

  @Test
  void rotatesOnceThoughItIsRepeatedWithTheNewToken() {
    old.didKeyed("k", ROTATE);

    var again = old.with(2).didKeyed("k", ROTATE);

    assertThat(again.replayed()).isTrue();
    assertThat(again.outcome()).isEqualTo(new Outcome.Rotated(old.session(), 2));
    assertAlive(old.with(2));
  }

  @Test
  void isJournaledBeforeTheNewTokensFirstUseIsAnswered() {
    Device fresh = old.rotated();
    user.journalUp = false;

    assertWaitsForTheJournal(fresh::looks);
    assertWaitsForTheJournal(() -> fresh.does(remove("nothing")));

    user.journalUp = true;
    assertAlive(fresh);
    assertThat(user.lastEvents())
        .containsExactly(new Event.SessionTouched(fresh.session(), user.now()));
    assertAlive(fresh);
    assertThat(user.lastEvents()).isEmpty();
  }

  @Test
  void isNotTakenForUsedByAWakeBecauseItsOwnPresenceWasNotedLate() {
    Device brief = user.opens("alice", Duration.ofSeconds(20), LiveUser.ABSOLUTE);
    brief.didKeyed("k", ROTATE);
    user.notesLate(brief.session(), Duration.ofSeconds(5));
    user.time.passes(Duration.ofSeconds(22));

    user.wakes();

    assertThat(user.lastEvents()).isEmpty();
    assertThat(brief.didKeyed("k", ROTATE).replayed()).isTrue();
  }

  @Test
  void isWhatALogInOfTheSameUserComesTo() {
    var logIn = new Action.StartLogIn(Requests.newSession(), "alice", 0, MergePolicy.SUM);
    var done = old.didKeyed("k", logIn);

    assertThat(done.outcome()).isEqualTo(new Outcome.Rotated(old.session(), 2));
    assertDead(old);
    assertThat(done(old.does(old.keyed("k", logIn), logIn)).replayed()).isTrue();
    assertAlive(old.with(2));
    assertInvalid(old.does(old.keyed("k", logIn), logIn));
  }

  @Test
  void letsTheServerRepeatItsOwnRequestThatTookEffectBefore() {
    Request request = Requests.fresh();
    done(old.does(request, set("tea", 1)));
    Device fresh = old.rotated();
    fresh.did(set("tea", 5));

    var again = done(old.does(request, set("tea", 1)));

    assertThat(again.replayed()).isTrue();
    assertThat(again.outcome()).isEqualTo(Outcome.Created.created());
    assertThat(view(again).cart().lines()).containsExactly(line("tea", 5));
    assertThat(user.lastEvents()).isEmpty();
    assertThat(user.lastSeen()).isNull();
    assertInvalid(old.does(Requests.fresh(), set("tea", 1)));
  }
}
