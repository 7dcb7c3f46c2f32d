package dev.holdfast.drill;

import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Attempt;
import dev.holdfast.drill.History.Effect;
import dev.holdfast.drill.History.Operation;
import dev.holdfast.drill.History.Order;
import dev.holdfast.drill.History.Refused;
import dev.holdfast.drill.History.TokenUse;
import dev.holdfast.drill.History.Unknown;
import dev.holdfast.drill.History.View;
import dev.holdfast.drill.Violation.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * Judges a {@link History}. It assumes nothing about the servers, only what the API promises:
 *
 * <ul>
 *   <li>An acknowledged operation took effect once, at its revision, at some moment between the
 *       beginning of its first attempt that was not refused (of the one that was not a repeat,
 *       where that is known) and the first acknowledgement.
 *   <li>A refused one never does. One whose outcome is unknown did once or never, at any moment
 *       since it began.
 *   <li>A view shows all effects up to its revision and none beyond; so revisions put all
 *       operations and views of a line in one order, and that order must agree with time.
 * </ul>
 */
public final class HistoryChecker {

  /** A node waits longer for the owner's answer before it asks again. */
  private static final long ASKED_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** What is known of an operation after all its attempts. */
  public enum Fate {
    DONE,
    REFUSED,
    UNKNOWN
  }

  /**
   * An operation as the attempts together tell it.
   *
   * @param from before this moment it cannot have taken effect
   * @param to after this moment it must have, if it is done
   * @param revision of the change, or -1 where nobody knows
   * @param taken what a checkout took
   */
  public record Judged(
      Operation operation,
      Fate fate,
      long from,
      long to,
      long revision,
      Map<String, Integer> taken) {

    public Effect effect() {
      return operation.effect();
    }

    public boolean is(Fate other) {
      return fate == other;
    }

    @Override
    public String toString() {
      return operation.toString();
    }
  }

  private final History history;
  private final List<Violation> violations = new ArrayList<>();

  private HistoryChecker(History history) {
    this.history = history;
  }

  /** {@return all broken promises that the history shows} */
  public static List<Violation> check(History history) {
    var checker = new HistoryChecker(history);
    checker.check();
    return List.copyOf(checker.violations);
  }

  private void check() {
    List<Judged> operations =
        history.operations().stream()
            .filter(operation -> !operation.attempts().isEmpty())
            .map(this::judge)
            .toList();
    var lines = new LinkedHashMap<String, List<Judged>>();
    var views = new HashMap<String, List<View>>();
    for (Judged judged : operations) {
      lines.computeIfAbsent(judged.operation().line(), line -> new ArrayList<>()).add(judged);
    }
    for (View view : history.views()) {
      lines.computeIfAbsent(view.line(), line -> new ArrayList<>());
      views.computeIfAbsent(view.line(), line -> new ArrayList<>()).add(view);
    }
    lines.forEach((line, ofLine) ->
        violations.addAll(
            LineChecker.check(ofLine, Objects.requireNonNullElse(views.get(line), List.of()))));
    checkTokens(operations);
    checkOrders(operations);
  }

  // ---------------------------------------------------------------------------------------------
  // Attempts

  private Judged judge(Operation operation) {
    List<Attempt> attempts = operation.attempts();
    checkRepeats(operation, attempts);
    List<Attempt> acknowledged = attempts.stream().filter(a -> isAcknowledged(a)).toList();
    if (acknowledged.isEmpty()) {
      boolean unknown = attempts.stream().anyMatch(a -> a.outcome() instanceof Unknown);
      return new Judged(
          operation,
          unknown ? Fate.UNKNOWN : Fate.REFUSED,
          attempts.getFirst().begun(),
          Long.MAX_VALUE,
          -1,
          Map.of());
    }
    long to = acknowledged.stream().mapToLong(Attempt::ended).min().orElseThrow();
    long from =
        acknowledged.stream()
            .filter(a -> a.outcome() instanceof Acknowledged first && !first.replayed())
            .mapToLong(Attempt::begun)
            .findFirst()
            .orElse(
                attempts.stream()
                    .filter(attempt -> !(attempt.outcome() instanceof Refused))
                    .mapToLong(Attempt::begun)
                    .findFirst()
                    .orElseThrow());
    if (!(acknowledged.getFirst().outcome() instanceof Acknowledged first)) {
      throw new IllegalStateException("filtered above");
    }
    return new Judged(
        operation, Fate.DONE, Math.min(from, to), to, first.revision(), first.taken());
  }

  private void checkRepeats(Operation operation, List<Attempt> attempts) {
    Acknowledged first = null;
    int effects = 0;
    for (Attempt attempt : attempts) {
      switch (attempt.outcome()) {
        case Acknowledged again -> {
          effects += again.replayed() ? 0 : 1;
          if (first == null
              && again.replayed()
              && wasRefused(attempts, attempt)
              && wasAskedOnce(attempt)) {
            violation(Kind.REFUSED_VISIBLE, operation);
          }
          if (first != null && !first.said().equals(again.said())) {
            violation(Kind.REPEAT_DIFFERS, operation);
          }
          first = first == null ? again : first;
        }
        case Refused refused -> {
          // Overload and outages say nothing about the first time.
          boolean says = refused.status() / 100 == 4 && refused.status() != 429;
          if (first != null && says) {
            violation(Kind.REPEAT_DIFFERS, operation);
          }
        }
        case Unknown unknown -> {
          if (unknown.why().equals("internal-error")) {
            violation(Kind.INTERNAL_ERROR, operation);
          }
        }
      }
    }
    if (effects > 1) {
      violation(Kind.DOUBLED_EFFECT, operation);
    }
  }

  /** Whether the only attempts before this one had all ended with a refusal. */
  private static boolean wasRefused(List<Attempt> attempts, Attempt attempt) {
    List<Attempt> earlier = attempts.subList(0, attempts.indexOf(attempt));
    return !earlier.isEmpty() && earlier.stream().allMatch(a -> a.outcome() instanceof Refused);
  }

  /**
   * Whether the server cannot have asked the user's owner twice for this attempt. Else what was
   * repeated may be the attempt itself, and proves nothing about those before.
   */
  private static boolean wasAskedOnce(Attempt attempt) {
    return attempt.ended() - attempt.begun() < ASKED_AGAIN_NANOS;
  }

  private static boolean isAcknowledged(Attempt attempt) {
    return attempt.outcome() instanceof Acknowledged;
  }

  // ---------------------------------------------------------------------------------------------
  // Tokens

  private void checkTokens(List<Judged> operations) {
    var enders = new HashMap<String, List<Judged>>();
    for (Judged judged : operations) {
      String token = judged.effect().ends();
      if (token != null && !judged.is(Fate.REFUSED)) {
        enders.computeIfAbsent(token, t -> new ArrayList<>()).add(judged);
      }
    }
    var uses = new LinkedHashMap<String, List<TokenUse>>();
    for (TokenUse use : history.tokenUses()) {
      uses.computeIfAbsent(use.token(), t -> new ArrayList<>()).add(use);
    }
    uses.forEach((token, ofToken) ->
        checkToken(token, ofToken, Objects.requireNonNullElse(enders.get(token), List.of())));
  }

  private void checkToken(String token, List<TokenUse> uses, List<Judged> enders) {
    long firstRefusal = Long.MAX_VALUE;
    for (TokenUse use : uses) {
      if (!use.worked()) {
        firstRefusal = Math.min(firstRefusal, use.ended());
        if (enders.stream().noneMatch(ender -> ender.from() < use.ended())) {
          violation(Kind.LIVE_TOKEN_REFUSED, token + " " + use);
        }
      }
    }
    for (TokenUse use : uses) {
      if (use.worked()) {
        for (Judged ender : enders) {
          if (ender.is(Fate.DONE) && ender.to() < use.begun()) {
            violation(Kind.DEAD_TOKEN_WORKS, use + " after " + ender);
          }
        }
        if (firstRefusal < use.begun()) {
          violation(Kind.DEAD_TOKEN_WORKS, use + " after it was refused");
        }
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Orders

  private void checkOrders(List<Judged> operations) {
    List<Order> all = history.orders();
    if (all == null) {
      return;
    }
    var byReference = new HashMap<String, List<Order>>();
    for (Order order : all) {
      byReference.computeIfAbsent(order.reference(), r -> new ArrayList<>()).add(order);
    }
    for (Judged judged : operations) {
      String reference = judged.effect().order();
      if (reference == null) {
        continue;
      }
      List<Order> found = Objects.requireNonNullElse(byReference.remove(reference), List.of());
      boolean right =
          switch (judged.fate()) {
            case DONE -> found.size() == 1 && found.getFirst().items().equals(judged.taken());
            case REFUSED -> found.isEmpty();
            case UNKNOWN -> found.size() <= 1;
          };
      if (!right) {
        violation(Kind.WRONG_ORDER, judged + ", on record " + found);
      }
    }
    byReference.forEach(
        (reference, found) -> violation(Kind.WRONG_ORDER, "nobody asked for " + found));
  }

  private void violation(Kind kind, Object detail) {
    violations.add(new Violation(kind, detail.toString()));
  }

  /** Finds the highest revision that was known before a moment. */
  public static final class Frontier {

    private record Known(long at, long revision) {}

    private final List<Known> known = new ArrayList<>();
    private boolean sorted;

    public void add(long at, long revision) {
      known.add(new Known(at, revision));
      sorted = false;
    }

    /** {@return the highest revision known before {@code moment}, or -1} */
    public long before(long moment) {
      if (!sorted) {
        sort();
      }
      int low = 0;
      int high = known.size();
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (known.get(middle).at() < moment) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low == 0 ? -1 : known.get(low - 1).revision();
    }

    private void sort() {
      known.sort(Comparator.comparingLong(Known::at));
      long highest = -1;
      for (int i = 0; i < known.size(); i++) {
        highest = Math.max(highest, known.get(i).revision());
        known.set(i, new Known(known.get(i).at(), highest));
      }
      sorted = true;
    }
  }
}
