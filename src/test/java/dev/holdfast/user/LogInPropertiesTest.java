package dev.holdfast.user;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.user.Command.Action;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/**
 * What holds of log-ins of several visitors to one user, over a network that delays messages, loses
 * them and delivers them twice and out of order, while processes die.
 */
class LogInPropertiesTest {

  private static final int VISITORS = 3;
  private static final Action END_OTHERS = new Action.EndOthers();

  /** One step; the numbers choose a visitor or a message. */
  record Step(Kind kind, int which, int quantity) {}

  enum Kind {
    VISITOR_ADDS,
    USER_ADDS,
    ASKS_FOR_THE_EPOCH,
    BEGINS,
    SENDS_THE_ADMISSION,
    DELIVERS_TO_THE_USER,
    DELIVERS_TO_THE_USER_AND_AGAIN,
    DELIVERS_TO_THE_VISITOR,
    DELIVERS_TO_THE_VISITOR_AND_AGAIN,
    LOSES_A_MESSAGE,
    ENDS_OTHERS,
    USES_THE_NEW_TOKEN,
    VISITORS_PROCESS_DIES,
    USERS_PROCESS_DIES,
    TIME_PASSES
  }

  @Property(tries = 400, edgeCases = EdgeCasesMode.NONE)
  void eachLogInHappensOnceAndNoPieceIsLostOrDoubled(@ForAll("steps") List<Step> steps) {
    var town = new Town();
    steps.forEach(town::make);
    town.comesToRest();
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Kind> kinds =
        Arbitraries.frequencyOf(
            Tuple.of(4, Arbitraries.of(Kind.class)),
            Tuple.of(
                3,
                Arbitraries.of(
                    Kind.BEGINS,
                    Kind.SENDS_THE_ADMISSION,
                    Kind.DELIVERS_TO_THE_USER,
                    Kind.DELIVERS_TO_THE_USER_AND_AGAIN,
                    Kind.DELIVERS_TO_THE_VISITOR)));
    return Combinators.combine(
            kinds, Arbitraries.integers().between(0, 9), Arbitraries.integers().between(1, 9))
        .as(Step::new)
        .list()
        .ofMaxSize(60);
  }

  /** A visitor's browser, and what became of its log-in. */
  private static final class Newcomer {
    final LogInSteps logIn;
    int epochAskedAt = -1;
    int admittedAt = -1;
    @Nullable Reply end;

    Newcomer(LogInSteps logIn) {
      this.logIn = logIn;
    }

    LiveUser visitor() {
      return logIn.visitor;
    }
  }

  private record ToUser(Newcomer from, Command.Admit admit) {}

  private record ToVisitor(Newcomer to, Reply.Admission admission) {}

  private static final class Town {
    final Time time = new Time();
    final LiveUser alice = new LiveUser(time);
    final Device phone = alice.opens("alice", Duration.ofDays(30), Duration.ofDays(300));
    final List<Newcomer> newcomers = new ArrayList<>();
    final List<ToUser> toUser = new ArrayList<>();
    final List<ToVisitor> toVisitor = new ArrayList<>();
    int moment;
    int othersEndedAt = -1;
    long pieces;

    Town() {
      for (int i = 0; i < VISITORS; i++) {
        Device browser = new LiveUser(time).opens(null, Duration.ofDays(30), Duration.ofDays(300));
        newcomers.add(new Newcomer(new LogInSteps(browser, alice)));
      }
    }

    void make(Step step) {
      moment++;
      Newcomer newcomer = newcomers.get(step.which() % VISITORS);
      Device browser = newcomer.logIn.browser;
      boolean frozen = newcomer.visitor().state().frozen();
      boolean in = newcomer.end instanceof Reply.Done;
      switch (step.kind()) {
        case VISITOR_ADDS -> {
          if (!frozen && !in) {
            browser.did(Shopping.add("sku-" + step.which() % 2, step.quantity()));
            pieces += step.quantity();
          }
        }
        case USER_ADDS -> {
          phone.did(Shopping.add("sku-" + step.which() % 2, step.quantity()));
          pieces += step.quantity();
        }
        case ASKS_FOR_THE_EPOCH -> {
          if (!frozen && !in) {
            newcomer.logIn.asksForTheEpoch();
            newcomer.epochAskedAt = moment;
          }
        }
        case BEGINS -> {
          if (!frozen && !in && newcomer.epochAskedAt >= 0) {
            newcomer.logIn.begins();
          }
        }
        case SENDS_THE_ADMISSION -> {
          if (frozen) {
            toUser.add(new ToUser(newcomer, newcomer.logIn.admission()));
          }
        }
        case DELIVERS_TO_THE_USER -> deliverToUser(step.which(), true);
        case DELIVERS_TO_THE_USER_AND_AGAIN -> deliverToUser(step.which(), false);
        case DELIVERS_TO_THE_VISITOR -> deliverToVisitor(step.which(), true);
        case DELIVERS_TO_THE_VISITOR_AND_AGAIN -> deliverToVisitor(step.which(), false);
        case LOSES_A_MESSAGE -> {
          if (!toUser.isEmpty()) {
            toUser.remove(step.which() % toUser.size());
          }
        }
        case ENDS_OTHERS -> {
          phone.did(END_OTHERS);
          othersEndedAt = moment;
        }
        case USES_THE_NEW_TOKEN -> {
          if (in) {
            newcomer.logIn.newDevice().looks();
          }
        }
        case VISITORS_PROCESS_DIES -> newcomer.visitor().crashes();
        case USERS_PROCESS_DIES -> alice.crashes();
        case TIME_PASSES -> time.passes(Duration.ofMinutes(step.quantity()));
      }
      assertNoPieceIsLost();
    }

    private void deliverToUser(int which, boolean once) {
      if (toUser.isEmpty()) {
        return;
      }
      int index = which % toUser.size();
      ToUser message = once ? toUser.remove(index) : toUser.get(index);
      Reply.Admission admission = (Reply.Admission) alice.asks(message.admit());
      if (admission instanceof Reply.Admitted && message.from().admittedAt < 0) {
        message.from().admittedAt = moment;
      }
      toVisitor.add(new ToVisitor(message.from(), admission));
    }

    private void deliverToVisitor(int which, boolean once) {
      if (toVisitor.isEmpty()) {
        return;
      }
      int index = which % toVisitor.size();
      ToVisitor message = once ? toVisitor.remove(index) : toVisitor.get(index);
      Reply reply = message.to().visitor().asks(new Command.Settle(message.admission()));
      if (!(reply instanceof Reply.Nothing)) {
        message.to().end = reply;
      }
    }

    /** The agenda drives what is unfinished; then whatever is still on its way arrives. */
    void comesToRest() {
      for (Newcomer newcomer : newcomers) {
        newcomer.visitor().crashes();
        if (newcomer.visitor().state().frozen()) {
          toUser.add(new ToUser(newcomer, newcomer.logIn.admission()));
        }
      }
      while (!toUser.isEmpty() || !toVisitor.isEmpty()) {
        moment++;
        deliverToUser(toUser.size() - 1, true);
        deliverToVisitor(toVisitor.size() - 1, true);
      }
      alice.crashes();
      assertNoPieceIsLost();
      newcomers.forEach(this::assertItsEnd);
    }

    private void assertItsEnd(Newcomer newcomer) {
      LogInSteps logIn = newcomer.logIn;
      assertThat(newcomer.visitor().state().frozen()).isFalse();
      Device device = logIn.newDevice();
      if (newcomer.end instanceof Reply.Done) {
        assertThat(newcomer.admittedAt).isGreaterThanOrEqualTo(0);
        Answered.assertDead(logIn.browser);
        assertThat(newcomer.visitor().state().cart().lines()).isEmpty();
        assertThat(newcomer.visitor().sessions()).isEmpty();
        assertThat(((Outcome.LoggedIn) logIn.isRepeated().outcome()).session())
            .isEqualTo(device.session());
        assertThat(alice.sessions().stream().filter(device.session()::equals).count())
            .as("alive unless the others were ended after it set out")
            .isEqualTo(othersEndedAt > newcomer.epochAskedAt ? 0 : 1);
      } else {
        Answered.assertAlive(logIn.browser);
        assertThat(newcomer.admittedAt).as("refused, so never let in").isNegative();
        assertThat(alice.sessions()).doesNotContain(device.session());
      }
    }

    private void assertNoPieceIsLost() {
      long held = alice.state().cart().itemCount();
      for (Newcomer newcomer : newcomers) {
        // Once admitted the lines are the user's, though the visitor does not know it yet.
        held += newcomer.admittedAt >= 0 ? 0 : newcomer.visitor().state().cart().itemCount();
      }
      assertThat(held).as("pieces in all carts").isEqualTo(pieces);
    }
  }
}
