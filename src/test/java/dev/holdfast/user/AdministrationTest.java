package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertAlive;
import static dev.holdfast.user.Answered.assertDead;
import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Shopping.line;
import static dev.holdfast.user.Shopping.set;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Refusal.Reason;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What administrators see of a user, and end. */
@Timeout(10)
class AdministrationTest {

  private final Time time = new Time();
  private final LiveUser alice = new LiveUser(time);
  private final LiveUser visitor = new LiveUser(time);

  @Test
  void looksAtAUserWithoutBeingActivity() {
    Device device = alice.opensFor("alice");
    device.did(set("tea", 1));
    long seenAt = time.now();
    time.passes(Duration.ofMinutes(20));

    Reply.Inspected inspected = inspects();

    assertThat(alice.lastEvents()).isEmpty();
    assertThat(alice.lastSeen()).isNull();
    assertThat(inspected.userId()).isEqualTo("alice");
    assertThat(inspected.revision()).isEqualTo(alice.state().revision());
    assertThat(inspected.cart().lines()).containsExactly(line("tea", 1));
    assertThat(inspected.sessions()).hasSize(1);
    assertThat(inspected.sessions().getFirst().lastSeenAt()).isEqualTo(seenAt);
  }

  @Test
  void seesNoSessionWhoseTimeIsOver() {
    alice.opensFor("alice");
    time.passes(LiveUser.IDLE);

    assertThat(inspects().sessions()).isEmpty();
    assertThat(alice.lastEvents()).hasOnlyElementsOfType(Event.SessionExpired.class).hasSize(1);
  }

  @Test
  void seesNobodyWhereNobodyEverWas() {
    assertThat(inspects().revision()).isZero();
    assertThat(alice.journal).isEmpty();
  }

  /** While not all nodes know the newest kinds, those of before say what is as good. */
  @Test
  void endsSessionsInWordsThatEveryNodeKnows() {
    Device phone = alice.opensFor("alice");
    Device desk = alice.opensFor("alice");
    alice.form = 1;

    endsOne(phone.session().tag());
    assertThat(alice.lastEvents()).allMatch(event -> event.form() == 1).hasSize(1);
    assertDead(phone);
    assertAlive(desk);
    endsAll(Requests.fresh());
    assertThat(alice.lastEvents()).allMatch(event -> event.form() == 1).hasSize(1);
    assertDead(desk);
  }

  @Test
  void endsAllSessionsInOneEvent() {
    Device phone = alice.opensFor("alice");
    Device desk = alice.opensFor("alice");
    phone.did(set("tea", 1));

    assertThat(ended(endsAll(Requests.fresh()))).isEqualTo(2);

    assertThat(alice.lastEvents())
        .containsExactly(
            new Event.EndedByAdministrator(List.of(phone.session(), desk.session()), true));
    assertDead(phone);
    assertDead(desk);
    assertThat(alice.opensFor("alice").cart()).as("the cart stays").hasSize(1);
    alice.crashes();
  }

  @Test
  void endsALogInThatWasOnItsWayEvenToSomebodyWhoWasNeverThere() {
    Device browser = visitor.opens();
    browser.did(set("cake", 1));
    var steps = new LogInSteps(browser, alice);
    steps.asksForTheEpoch();
    steps.begins();

    assertThat(ended(endsAll(Requests.fresh()))).isZero();

    assertThat(steps.asksToBeAdmitted()).isInstanceOf(Reply.NotAdmitted.class);
    assertThat(alice.sessions()).isEmpty();
  }

  @Test
  void endsASessionThatALogInOpenedBeforeItWasAcknowledgedToTheVisitor() {
    Device browser = visitor.opens();
    var steps = new LogInSteps(browser, alice);
    steps.asksForTheEpoch();
    steps.begins();
    Reply.Admission admitted = steps.asksToBeAdmitted();

    endsAll(Requests.fresh());
    steps.settles(admitted);

    assertDead(steps.newDevice());
    assertDead(browser);
  }

  @Test
  void hasOneEffectHoweverOftenItIsAsked() {
    alice.opensFor("alice");
    Request request = Requests.keyed("end", "alice");
    endsAll(request);
    Device later = alice.opensFor("alice");

    Reply.Done repeated = endsAll(request);

    assertThat(repeated.replayed()).isTrue();
    assertThat(ended(repeated)).isEqualTo(1);
    assertAlive(later);
    assertRefused(alice.asks(new Command.EndAll(Requests.keyed("end", "bob"))), Reason.KEY_REUSED);
  }

  @Test
  void usesUpNoneOfTheUsersKeys() {
    alice.opensFor("alice");
    for (int i = 0; i < 1_000; i++) {
      endsAll(Requests.keyed("end" + i, "alice"));
    }

    alice.opensFor("alice").didKeyed("k", set("tea", 1));
  }

  @Test
  void endsOneSessionAndLeavesTheOthersAndLogInsAlone() {
    Device phone = alice.opensFor("alice");
    Device desk = alice.opensFor("alice");
    long epoch = alice.state().epoch();

    assertThat(ended(endsOne(phone.session().tag()))).isEqualTo(1);

    assertDead(phone);
    assertAlive(desk);
    assertThat(alice.state().epoch()).isEqualTo(epoch);
    assertRefused(
        alice.asks(new Command.EndOne(Requests.fresh(), phone.session().tag())),
        Reason.NO_SUCH_SESSION);
    alice.crashes();
  }

  @Test
  void isNotPreventedByAUserWhoHasUsedUpTheirKeys() {
    alice.limits =
        new Limits(9_999, 9_999, 9, 99, 9, 1, 1, User.NEVER, User.NEVER, 7 * 86_400_000L);
    Device device = alice.opensFor("alice");
    device.doesKeyed("only", set("tea", 1));

    assertThat(ended(endsAll(Requests.keyed("end", "alice")))).isEqualTo(1);
    assertDead(device);
  }

  private Reply.Inspected inspects() {
    return (Reply.Inspected) alice.asks(new Command.Inspect());
  }

  private Reply.Done endsAll(Request request) {
    return Device.done(alice.asks(new Command.EndAll(request)));
  }

  private Reply.Done endsOne(long tag) {
    return Device.done(alice.asks(new Command.EndOne(Requests.fresh(), tag)));
  }

  private static int ended(Reply.Done done) {
    return ((Outcome.Ended) done.outcome()).count();
  }
}
