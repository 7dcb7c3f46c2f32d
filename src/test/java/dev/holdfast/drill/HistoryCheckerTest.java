package dev.holdfast.drill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Effect;
import dev.holdfast.drill.History.Operation;
import dev.holdfast.drill.History.Order;
import dev.holdfast.drill.History.Outcome;
import dev.holdfast.drill.History.Refused;
import dev.holdfast.drill.History.Unknown;
import dev.holdfast.drill.History.View;
import dev.holdfast.drill.Violation.Kind;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A checker that never went red proves nothing: here it is shown histories with planted faults, and
 * next to each one the like without. Moments are small numbers.
 */
class HistoryCheckerTest {

  private static final String LINE = "user anna";
  private static final String COLOR = "session/anna/color";
  private static final String SIZE = "session/anna/size";
  private static final String TEA = "cart/tea";
  private static final String LAMP = "cart/lamp";

  private final History history = new History();

  @Test
  void findsNothingInAnEmptyHistory() {
    assertThat(faults()).isEmpty();
  }

  @Test
  void findsNothingWrongWithAnOrdinaryVisit() {
    set(COLOR, "red", 1, 2, done(2));
    set(COLOR, "blue", 3, 4, done(3));
    add(TEA, 2, 5, 6, done(4));
    add(TEA, 3, 7, 8, done(5));
    see(9, 10, 5, Map.of(COLOR, "blue"), Map.of(TEA, 5));
    add(TEA, 1, 11, 12, new Refused(409, "quantity-exceeded"));
    set(COLOR, "green", 13, 14, new Refused(412, "stale-revision"));
    see(15, 16, 5, Map.of(COLOR, "blue"), Map.of(TEA, 5));
    checkOut("order", 17, 18, Map.of(TEA, 5));
    add(TEA, 1, 19, 20, done(7));
    see(21, 22, 7, Map.of(COLOR, "blue"), Map.of(TEA, 1));
    history.onRecord(List.of(new Order("order", Map.of(TEA, 5))));

    assertThat(faults()).isEmpty();
  }

  @Test
  @Timeout(20)
  void judgesAHundredThousandOperationsOfAFewUsers() {
    var random = new Random(1);
    long moment = 0;
    for (int user = 0; user < 8; user++) {
      String line = "user " + user;
      for (int i = 1; i <= 12_500; i++) {
        String value = user + "-" + i;
        Operation operation =
            history.operation(
                line,
                value,
                i % 2 == 0
                    ? Effect.none().andSets(Map.of(COLOR, value, SIZE, value))
                    : Effect.add(TEA, 1));
        moment += 2;
        history.attempted(operation, moment - 1, moment, done(i));
        if (random.nextInt(5) == 0) {
          String last = user + "-" + (i - i % 2);
          moment += 2;
          history.saw(
              new View(
                  line,
                  Set.of("session/anna", "cart"),
                  i,
                  i < 2 ? Map.of() : Map.of(COLOR, last, SIZE, last),
                  Map.of(TEA, (i + 1) / 2),
                  moment - 1,
                  moment));
        }
      }
    }

    assertThat(faults()).isEmpty();
  }

  // --- acknowledged writes

  @Test
  void findsALostWriteToARegister() {
    set(COLOR, "red", 1, 2, done(2));
    set(COLOR, "blue", 3, 4, done(3));
    see(5, 6, 3, Map.of(COLOR, "red"), Map.of());

    assertThat(faults()).containsExactly(Kind.LOST_WRITE);
  }

  @Test
  void findsARegisterThatIsGone() {
    set(COLOR, "red", 1, 2, done(2));
    see(5, 6, 2, Map.of(), Map.of());

    assertThat(faults()).containsExactly(Kind.LOST_WRITE);
  }

  @Test
  void findsALostAddition() {
    add(TEA, 2, 1, 2, done(2));
    add(TEA, 3, 3, 4, done(3));
    see(5, 6, 3, Map.of(), Map.of(TEA, 2));

    assertThat(faults()).containsExactly(Kind.LOST_WRITE);
  }

  @Test
  void findsAWriteThatARepeatOfAnOlderOneHasUndone() {
    Operation first = set(COLOR, "red", 1, 2, done(2));
    set(COLOR, "blue", 3, 4, done(3));
    history.attempted(first, 5, 6, repeated(2));
    see(7, 8, 4, Map.of(COLOR, "red"), Map.of());

    assertThat(faults()).containsExactly(Kind.LOST_WRITE);
  }

  @Test
  void findsAnUnknownWriteThatWasSeenAndVanished() {
    set(COLOR, "red", 1, 2, done(2));
    set(COLOR, "blue", 3, 4, unknown());
    see(5, 6, 3, Map.of(COLOR, "blue"), Map.of());
    assertThat(faults()).isEmpty();

    see(7, 8, 3, Map.of(COLOR, "red"), Map.of());
    assertThat(faults()).containsExactly(Kind.LOST_WRITE);
  }

  @Test
  void takesAnUnknownWriteForDoneOrNot() {
    set(COLOR, "red", 1, 2, done(2));
    set(COLOR, "blue", 3, 4, unknown());
    add(TEA, 2, 5, 6, done(4));
    add(TEA, 3, 7, 8, unknown());
    see(9, 10, 4, Map.of(COLOR, "red"), Map.of(TEA, 2));
    see(11, 12, 6, Map.of(COLOR, "blue"), Map.of(TEA, 5));

    assertThat(faults()).isEmpty();
  }

  @Test
  void findsAnUnknownWriteThatIsThereInPart() {
    set(COLOR, "red", 1, 2, done(2));
    Operation both =
        history.operation(
            LINE, "both", Effect.none().andSets(Map.of(COLOR, "blue", SIZE, "large")));
    history.attempted(both, 3, 4, unknown());
    see(5, 6, 3, Map.of(COLOR, "blue"), Map.of());

    assertThat(faults()).containsExactly(Kind.TORN);
  }

  @Test
  void findsAnUnknownRemovalThatIsThereInPart() {
    set(SIZE, "large", 1, 2, done(2));
    Operation both =
        history.operation(
            LINE, "both", Effect.none().andSets(Map.of(COLOR, "blue", SIZE, History.ABSENT)));
    history.attempted(both, 3, 4, unknown());
    see(5, 6, 3, Map.of(COLOR, "blue"), Map.of());
    assertThat(faults()).isEmpty();

    see(7, 8, 3, Map.of(COLOR, "blue", SIZE, "large"), Map.of());
    assertThat(faults()).contains(Kind.TORN);
  }

  @Test
  void findsAnAmountThatNoSetOfUnknownAdditionsExplains() {
    add(TEA, 5, 1, 2, done(2));
    add(TEA, 3, 3, 4, unknown());
    add(TEA, 4, 3, 4, unknown());
    see(5, 6, 4, Map.of(), Map.of(TEA, 6));

    assertThat(faults()).containsExactly(Kind.TORN);
  }

  // --- refused writes

  @Test
  void findsARefusedWriteToARegister() {
    set(COLOR, "red", 1, 2, done(2));
    set(COLOR, "blue", 3, 4, new Refused(412, "stale-revision"));
    see(5, 6, 3, Map.of(COLOR, "blue"), Map.of());

    assertThat(faults()).containsExactly(Kind.REFUSED_VISIBLE);
  }

  @Test
  void findsARefusedAddition() {
    add(TEA, 2, 1, 2, done(2));
    add(TEA, 3, 3, 4, new Refused(503, "journal-unavailable"));
    see(5, 6, 3, Map.of(), Map.of(TEA, 5));

    assertThat(faults()).containsExactly(Kind.REFUSED_VISIBLE);
  }

  @Test
  void findsARefusedOperationThatItsRepeatFindsDone() {
    Operation operation = add(TEA, 2, 1, 2, new Refused(503, "journal-unavailable"));
    history.attempted(operation, 3, 4, repeated(2));

    assertThat(faults()).containsExactly(Kind.REFUSED_VISIBLE);
  }

  /** While its owner moves, one attempt of a caller is several of the node's. */
  @Test
  void acceptsARefusedOperationThatALaterAttemptDoesAndFindsDone() {
    long second = TimeUnit.SECONDS.toNanos(1);
    Operation operation = add(TEA, 2, 1, 2, new Refused(409, "cart-empty"));
    see(3, 4, 1, Map.of(), Map.of());
    history.attempted(operation, 5, 5 + second, repeated(2));
    see(6 + second, 7 + second, 2, Map.of(), Map.of(TEA, 2));

    assertThat(faults()).isEmpty();
  }

  @Test
  void findsARefusedOperationThatIsSeenBeforeALaterAttemptDoesIt() {
    long second = TimeUnit.SECONDS.toNanos(1);
    Operation operation = add(TEA, 2, 1, 2, new Refused(503, "journal-unavailable"));
    see(3, 4, 2, Map.of(), Map.of(TEA, 2));
    history.attempted(operation, 5, 5 + second, repeated(2));

    assertThat(faults()).containsExactly(Kind.REVISION_WENT_BACK);
  }

  @Test
  void takesWhatWasNotAnsweredForNotDoneWhenToldTo() {
    Operation operation = add(TEA, 2, 1, 2, unknown());
    history.attempted(operation, 3, 4, repeated(2));
    set(COLOR, "red", 3, 4, unknown());
    see(5, 6, 3, Map.of(COLOR, "red"), Map.of(TEA, 2));

    assertThat(faults()).isEmpty();
    assertThat(HistoryChecker.check(history.withUnknownTakenForRefused()))
        .extracting(Violation::kind)
        .containsExactly(Kind.REFUSED_VISIBLE, Kind.REFUSED_VISIBLE);
  }

  @Test
  void findsAValueThatNobodySet() {
    see(5, 6, 3, Map.of(COLOR, "mauve"), Map.of());

    assertThat(faults()).containsExactly(Kind.INVENTED);
  }

  // --- revisions

  @Test
  void findsARevisionThatGoesBackFromViewToView() {
    see(1, 2, 7, Map.of(), Map.of());
    see(3, 4, 6, Map.of(), Map.of());

    assertThat(faults()).containsExactly(Kind.STALE_ANSWER);
  }

  @Test
  void findsAViewThatIsOlderThanAnAcknowledgedWrite() {
    set(COLOR, "red", 1, 2, done(2));
    see(3, 4, 1, Map.of(), Map.of());

    assertThat(faults()).containsExactly(Kind.STALE_ANSWER);
  }

  @Test
  void findsAWriteBelowARevisionThatWasKnown() {
    set(COLOR, "red", 1, 2, done(5));
    set(SIZE, "large", 3, 4, done(4));

    assertThat(faults()).containsExactly(Kind.REVISION_WENT_BACK);
  }

  @Test
  void lowersNoRevisionWhereTwoOverlap() {
    set(COLOR, "red", 1, 4, done(5));
    set(SIZE, "large", 2, 3, done(4));
    see(3, 5, 4, Map.of(SIZE, "large"), Map.of());

    assertThat(faults()).isEmpty();
  }

  @Test
  void findsTwoWritesWithOneRevision() {
    set(COLOR, "red", 1, 4, done(5));
    set(SIZE, "large", 2, 3, done(5));

    assertThat(faults()).contains(Kind.FORKED);
  }

  // --- repeats

  @Test
  void findsARepeatWithAnotherOutcome() {
    Operation operation = set(COLOR, "red", 1, 2, done(2));
    history.attempted(operation, 3, 4, repeated(2));
    assertThat(faults()).isEmpty();

    history.attempted(operation, 5, 6, repeated(3));
    assertThat(faults()).containsExactly(Kind.REPEAT_DIFFERS);
  }

  @Test
  void findsARepeatThatIsRefusedAfterItWasDone() {
    Operation operation = set(COLOR, "red", 1, 2, done(2));
    history.attempted(operation, 3, 4, new Refused(503, "journal-unavailable"));
    assertThat(faults()).isEmpty();

    history.attempted(operation, 3, 4, new Refused(409, "cart-empty"));
    assertThat(faults()).containsExactly(Kind.REPEAT_DIFFERS);
  }

  @Test
  void findsARepeatThatTookEffectAgain() {
    Operation operation = add(TEA, 2, 1, 2, done(2));
    history.attempted(operation, 3, 4, done(2));

    assertThat(faults()).containsExactly(Kind.DOUBLED_EFFECT);
  }

  @Test
  void findsAnAdditionThatIsThereTwice() {
    Operation operation = add(TEA, 2, 1, 2, unknown());
    history.attempted(operation, 3, 4, repeated(2));
    see(5, 6, 2, Map.of(), Map.of(TEA, 2));
    assertThat(faults()).isEmpty();

    see(7, 8, 3, Map.of(), Map.of(TEA, 4));
    assertThat(faults()).containsExactly(Kind.DOUBLED_EFFECT);
  }

  @Test
  void findsAnEffectThatShowedBeforeTheAttemptThatMadeIt() {
    Operation operation = add(TEA, 2, 1, 2, unknown());
    see(3, 4, 2, Map.of(), Map.of(TEA, 2));
    history.attempted(operation, 5, 6, done(3));

    assertThat(faults()).containsExactly(Kind.DOUBLED_EFFECT);
  }

  // --- tokens

  @Test
  void findsADeadTokenThatWorks() {
    end("old", 1, 2, done(2));
    history.used("old", false, 3, 4);
    assertThat(faults()).isEmpty();

    history.used("old", true, 5, 6);
    assertThat(faults()).containsOnly(Kind.DEAD_TOKEN_WORKS);
  }

  @Test
  void findsATokenThatComesBackToLifeAfterAnUnknownEnd() {
    end("old", 1, 2, unknown());
    history.used("old", true, 3, 4);
    history.used("old", false, 5, 6);
    assertThat(faults()).isEmpty();

    history.used("old", true, 7, 8);
    assertThat(faults()).containsExactly(Kind.DEAD_TOKEN_WORKS);
  }

  @Test
  void findsALiveTokenThatIsRefused() {
    end("live", 1, 2, new Refused(503, "overloaded"));
    history.used("live", false, 3, 4);

    assertThat(faults()).containsExactly(Kind.LIVE_TOKEN_REFUSED);
  }

  // --- orders

  @Test
  void findsAnOrderThatIsThereTwice() {
    checkOut("order", 1, 2, Map.of(TEA, 5));
    history.onRecord(
        List.of(new Order("order", Map.of(TEA, 5)), new Order("order", Map.of(TEA, 5))));

    assertThat(faults()).containsExactly(Kind.WRONG_ORDER);
  }

  @Test
  void findsAnOrderThatIsLost() {
    checkOut("order", 1, 2, Map.of(TEA, 5));
    history.onRecord(List.of());

    assertThat(faults()).containsExactly(Kind.WRONG_ORDER);
  }

  @Test
  void findsAnOrderThatNobodyAskedFor() {
    history.onRecord(List.of(new Order("order", Map.of(TEA, 5))));

    assertThat(faults()).containsExactly(Kind.WRONG_ORDER);
  }

  @Test
  void findsACartThatWasCheckedOutAndIsStillThere() {
    add(TEA, 2, 1, 2, done(2));
    set(LAMP, "desk", 3, 4, done(3));
    checkOut("order", 5, 6, Map.of(TEA, 2));
    see(7, 8, 4, Map.of(LAMP, "desk"), Map.of(TEA, 2));

    assertThat(faults()).contains(Kind.DOUBLED_EFFECT, Kind.LOST_WRITE);
  }

  @Test
  void findsACheckOutThatIsGoneWithARevisionThatWentBack() {
    add(TEA, 2, 1, 2, done(7));
    checkOut("order", 3, 4, Map.of(TEA, 2));
    see(5, 6, 6, Map.of(), Map.of(TEA, 2));

    assertThat(faults()).contains(Kind.STALE_ANSWER, Kind.DOUBLED_EFFECT);
  }

  @Test
  void findsALineThatWasLostBetweenCartAndOrder() {
    add(TEA, 2, 1, 2, done(2));
    add(TEA, 3, 3, 4, done(3));
    checkOut("order", 5, 6, Map.of(TEA, 2));
    see(7, 8, 4, Map.of(), Map.of());

    assertThat(faults()).containsExactly(Kind.LOST_WRITE);
  }

  @Test
  void countsWhatIsAddedWhileTheCartIsCheckedOutEitherWay() {
    add(TEA, 2, 1, 2, done(2));
    add(TEA, 3, 4, 6, done(4));
    checkOut("order", 3, 7, Map.of(TEA, 2));
    see(8, 9, 4, Map.of(), Map.of(TEA, 3));
    assertThat(faults()).isEmpty();

    see(10, 11, 5, Map.of(), Map.of(TEA, 5));
    assertThat(faults()).contains(Kind.DOUBLED_EFFECT);
  }

  @Test
  void findsAnInternalError() {
    set(COLOR, "red", 1, 2, new Unknown("internal-error"));

    assertThat(faults()).containsExactly(Kind.INTERNAL_ERROR);
  }

  // --- the history's words

  private List<Kind> faults() {
    return HistoryChecker.check(history).stream().map(Violation::kind).toList();
  }

  private Operation set(String register, String value, long begun, long ended, Outcome outcome) {
    return attempt(Effect.set(register, value), begun, ended, outcome);
  }

  private Operation add(String counter, int amount, long begun, long ended, Outcome outcome) {
    return attempt(Effect.add(counter, amount), begun, ended, outcome);
  }

  private void checkOut(String reference, long begun, long ended, Map<String, Integer> taken) {
    attempt(
        Effect.checkOut(reference), begun, ended, new Acknowledged(-1, false, reference, taken));
  }

  private void end(String token, long begun, long ended, Outcome outcome) {
    attempt(Effect.end(token), begun, ended, outcome);
  }

  private Operation attempt(Effect effect, long begun, long ended, Outcome outcome) {
    Operation operation = history.operation(LINE, "planted", effect);
    history.attempted(operation, begun, ended, outcome);
    return operation;
  }

  private void see(
      long begun,
      long ended,
      long revision,
      Map<String, String> registers,
      Map<String, Integer> counters) {
    history.saw(
        new View(
            LINE,
            Set.of("session/anna", History.CART),
            revision,
            registers,
            counters,
            begun,
            ended));
  }

  private static Outcome done(long revision) {
    return new Acknowledged(revision, false, "revision " + revision, Map.of());
  }

  private static Outcome repeated(long revision) {
    return new Acknowledged(revision, true, "revision " + revision, Map.of());
  }

  private static Outcome unknown() {
    return new Unknown("the connection broke");
  }
}
