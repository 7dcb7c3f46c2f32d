package dev.holdfast.drill;

import dev.holdfast.drill.History.View;
import dev.holdfast.drill.HistoryChecker.Fate;
import dev.holdfast.drill.HistoryChecker.Frontier;
import dev.holdfast.drill.HistoryChecker.Judged;
import dev.holdfast.drill.Violation.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** Judges what happened on one line: see {@link HistoryChecker}. */
final class LineChecker {

  private final List<Judged> operations;
  private final List<View> views;

  /** All that was refused, or whose outcome is unknown: few among many. */
  private final List<Judged> open;

  /** All that is done and has a revision. */
  private final NavigableMap<Long, Judged> numbered = new TreeMap<>();

  private final Frontier ofLine = new Frontier();
  private final List<CheckOut> checkOuts;
  private final List<Violation> violations = new ArrayList<>();

  /**
   * A checkout that is done or may be.
   *
   * @param above its revision is higher than this
   * @param upTo and at most this
   */
  private record CheckOut(Judged judged, long above, long upTo) {

    /** Whether a view must show it. */
    boolean isBefore(View view) {
      return judged.is(Fate.DONE) && (judged.to() < view.begun() || upTo <= view.revision());
    }

    /** Whether a view may show it. */
    boolean mayBeBefore(View view) {
      return judged.from() < view.ended() && above < view.revision();
    }
  }

  private LineChecker(List<Judged> operations, List<View> views) {
    this.operations = operations;
    this.views = views;
    this.open = operations.stream().filter(judged -> !judged.is(Fate.DONE)).toList();
    for (Judged judged : operations) {
      if (judged.is(Fate.DONE) && judged.revision() >= 0) {
        ofLine.add(judged.to(), judged.revision());
        Judged other = numbered.put(judged.revision(), judged);
        if (other != null) {
          violation(Kind.FORKED, other + " and " + judged);
        }
      }
    }
    views.forEach(view -> ofLine.add(view.ended(), view.revision()));
    this.checkOuts =
        operations.stream()
            .filter(judged -> judged.effect().order() != null && !judged.is(Fate.REFUSED))
            .map(this::locate)
            .toList();
  }

  static List<Violation> check(List<Judged> operations, List<View> views) {
    var checker = new LineChecker(operations, views);
    checker.checkOrder();
    checker.checkFreshness();
    checker
        .names(judged -> judged.effect().sets().keySet(), view -> view.registers().keySet())
        .forEach(checker::checkRegister);
    checker.checkTearing();
    checker
        .names(judged -> judged.effect().adds().keySet(), view -> view.counters().keySet())
        .forEach(checker::checkCounter);
    return checker.violations;
  }

  /** The answer to a checkout has no revision: it follows from what came before and after. */
  private CheckOut locate(Judged judged) {
    long upTo = Long.MAX_VALUE;
    if (judged.is(Fate.DONE)) {
      for (Judged later : numbered.values()) {
        if (later.from() > judged.to()) {
          upTo = Math.min(upTo, later.revision() - 1);
        }
      }
      for (View later : views) {
        if (later.begun() > judged.to() && later.covers().contains(History.CART)) {
          upTo = Math.min(upTo, later.revision());
        }
      }
    }
    return new CheckOut(judged, ofLine.before(judged.from()), upTo);
  }

  private Set<String> names(
      Function<Judged, Set<String>> ofOperation, Function<View, Set<String>> ofView) {
    var names = new HashSet<String>();
    operations.forEach(judged -> names.addAll(ofOperation.apply(judged)));
    views.forEach(view -> names.addAll(ofView.apply(view)));
    return names;
  }

  private static String resource(String name) {
    return name.substring(0, name.lastIndexOf('/'));
  }

  // ---------------------------------------------------------------------------------------------
  // Revisions

  /** What begins after something else was known has a higher revision. */
  private void checkOrder() {
    for (Judged judged : numbered.values()) {
      long known = ofLine.before(judged.from());
      if (judged.revision() <= known) {
        violation(Kind.REVISION_WENT_BACK, judged + " after revision " + known + " was known");
      }
    }
  }

  /** What is read is no older than what was known of it. */
  private void checkFreshness() {
    var known = new HashMap<Set<String>, Frontier>();
    for (Judged judged : numbered.values()) {
      var touched = new HashSet<String>();
      judged.effect().sets().keySet().forEach(name -> touched.add(resource(name)));
      judged.effect().adds().keySet().forEach(name -> touched.add(resource(name)));
      for (String resource : touched) {
        known
            .computeIfAbsent(Set.of(resource), key -> new Frontier())
            .add(judged.to(), judged.revision());
      }
    }
    for (View view : views) {
      known
          .computeIfAbsent(view.covers(), key -> new Frontier())
          .add(view.ended(), view.revision());
    }
    for (View view : views) {
      known.forEach((resources, frontier) -> {
        if (view.covers().containsAll(resources)
            && view.revision() < frontier.before(view.begun())) {
          violation(
              Kind.STALE_ANSWER,
              view + " after revision " + frontier.before(view.begun()) + " of " + resources);
        }
      });
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Registers

  private void checkRegister(String register) {
    String resource = resource(register);
    var writers = new HashMap<String, List<Judged>>();
    var writes = new TreeMap<Long, Judged>();
    for (Judged judged : operations) {
      String value = judged.effect().sets().get(register);
      if (value != null) {
        writers.computeIfAbsent(value, v -> new ArrayList<>()).add(judged);
        if (judged.is(Fate.DONE) && judged.revision() >= 0) {
          writes.put(judged.revision(), judged);
        }
      }
    }
    // By the last acknowledged write below it: the lowest revision that showed an unknown write.
    var overwritten = new HashMap<Long, Long>();
    List<View> inOrder =
        views.stream()
            .filter(view -> view.covers().contains(resource))
            .sorted(Comparator.comparingLong(View::revision))
            .toList();
    for (View view : inOrder) {
      var below = writes.floorEntry(view.revision());
      long last = below == null ? -1 : below.getKey();
      String expected = below == null ? History.ABSENT : valueOf(below.getValue(), register);
      String seen = seen(register, view);
      List<Judged> ofSeen = Objects.requireNonNullElse(writers.get(seen), List.of());
      boolean unknown =
          ofSeen.stream()
              .anyMatch(judged -> judged.is(Fate.UNKNOWN) && judged.from() < view.ended());
      Emptied emptied = resource.equals(History.CART) ? emptied(view, last) : Emptied.NO;
      boolean right =
          switch (emptied) {
            case NO -> seen.equals(expected);
            case PERHAPS -> seen.equals(expected) || seen.equals(History.ABSENT);
            case YES -> seen.equals(History.ABSENT);
          };
      if (unknown && !right) {
        overwritten.putIfAbsent(last, view.revision());
      } else if (!right) {
        violation(fault(seen, ofSeen), describe(register, seen, expected, view));
      } else if (!unknown && emptied == Emptied.NO && overwritten.containsKey(last)) {
        violation(
            Kind.LOST_WRITE,
            describe(register, seen, "what was seen at " + overwritten.get(last), view));
      }
    }
  }

  private static Kind fault(String seen, List<Judged> writers) {
    if (seen.equals(History.ABSENT)) {
      return Kind.LOST_WRITE;
    }
    if (writers.stream().allMatch(writer -> writer.is(Fate.UNKNOWN))) {
      return Kind.INVENTED; // nobody has set it, or not yet
    }
    return writers.stream().allMatch(writer -> writer.is(Fate.REFUSED))
        ? Kind.REFUSED_VISIBLE
        : Kind.LOST_WRITE;
  }

  private enum Emptied {
    NO,
    PERHAPS,
    YES
  }

  /** Whether a checkout has emptied the cart between a revision and a view. */
  private Emptied emptied(View view, long since) {
    Emptied emptied = Emptied.NO;
    for (CheckOut checkOut : checkOuts) {
      if (checkOut.isBefore(view) && checkOut.above() >= since) {
        return Emptied.YES;
      }
      if ((checkOut.isBefore(view) || checkOut.mayBeBefore(view)) && checkOut.upTo() > since) {
        emptied = Emptied.PERHAPS;
      }
    }
    return emptied;
  }

  private static String seen(String register, View view) {
    return Objects.requireNonNullElse(view.registers().get(register), History.ABSENT);
  }

  private static String valueOf(Judged judged, String register) {
    return Objects.requireNonNull(judged.effect().sets().get(register));
  }

  /** Of an operation that sets several registers a view shows all or nothing. */
  private void checkTearing() {
    // Values are unique: only the views that show one of an operation's can show it in part.
    var showing = new HashMap<String, List<View>>();
    for (View view : views) {
      view.registers()
          .forEach((register, value) ->
              showing.computeIfAbsent(register + "=" + value, v -> new ArrayList<>()).add(view));
    }
    for (Judged judged : operations) {
      Map<String, String> sets = judged.effect().sets();
      if (!judged.is(Fate.UNKNOWN) || sets.size() < 2) {
        continue;
      }
      var candidates = new LinkedHashSet<View>();
      sets.forEach((register, value) ->
          candidates.addAll(showing.getOrDefault(register + "=" + value, List.of())));
      for (View view : candidates) {
        var shown = new HashSet<String>();
        var missing = new HashSet<String>();
        sets.forEach((register, value) -> {
          if (view.covers().contains(resource(register))) {
            String seen = seen(register, view);
            if (!seen.equals(value)) {
              missing.add(register);
            } else if (!seen.equals(History.ABSENT)) {
              shown.add(register); // that something is absent tells nothing
            }
          }
        });
        if (shown.isEmpty()) {
          continue;
        }
        // It came after what was known when it began, and after the last acknowledged write to each
        // register that shows it.
        long after = ofLine.before(judged.from());
        for (String register : shown) {
          after = Math.max(after, lastWrite(register, view));
        }
        for (String register : missing) {
          boolean overwritten =
              lastWrite(register, view) > after || isUnknown(register, seen(register, view));
          if (!overwritten) {
            violation(Kind.TORN, judged + " without " + register + " in " + view);
          }
        }
      }
    }
  }

  private long lastWrite(String register, View view) {
    for (Judged judged : numbered.headMap(view.revision(), true).descendingMap().values()) {
      if (judged.effect().sets().containsKey(register)) {
        return judged.revision();
      }
    }
    return -1;
  }

  private boolean isUnknown(String register, String value) {
    return open.stream()
        .anyMatch(judged ->
            judged.is(Fate.UNKNOWN) && Objects.equals(judged.effect().sets().get(register), value));
  }

  private static String describe(String register, String seen, String expected, View view) {
    return register + " is '" + seen + "' instead of '" + expected + "' in " + view;
  }

  // ---------------------------------------------------------------------------------------------
  // Counters

  private void checkCounter(String counter) {
    var added = new TreeMap<Long, Integer>();
    for (Judged judged : numbered.values()) {
      Integer amount = judged.effect().adds().get(counter);
      if (amount != null) {
        added.put(judged.revision(), amount);
      }
    }
    for (View view : views) {
      if (view.covers().contains(resource(counter))) {
        checkCounter(counter, added, view);
      }
    }
    checkTotal(counter, added);
  }

  private void checkCounter(String counter, NavigableMap<Long, Integer> added, View view) {
    int seen = Objects.requireNonNullElse(view.counters().get(counter), 0);
    judge(
        counter,
        seen,
        sums(added, view),
        amounts(Fate.UNKNOWN, counter, view.ended()),
        amounts(Fate.REFUSED, counter, view.ended()),
        view);
  }

  /** What the acknowledged additions may sum up to, which depends on when the cart was emptied. */
  private Set<Integer> sums(NavigableMap<Long, Integer> added, View view) {
    long least = -1;
    long most = -1;
    for (CheckOut checkOut : checkOuts) {
      if (checkOut.isBefore(view)) {
        least = Math.max(least, checkOut.above() + 1);
        most = Math.max(most, Math.min(checkOut.upTo(), view.revision()));
      } else if (checkOut.mayBeBefore(view)) {
        most = view.revision();
      }
    }
    // Where the revisions went back, a checkout may be above the view that must show it.
    NavigableMap<Long, Integer> later =
        least >= view.revision()
            ? new TreeMap<>()
            : added.subMap(least, false, view.revision(), true);
    var sums = new HashSet<Integer>();
    int sum = later.values().stream().mapToInt(Integer::intValue).sum();
    sums.add(sum);
    for (Map.Entry<Long, Integer> next : later.entrySet()) {
      if (next.getKey() >= most) {
        break; // no two changes have one revision, so this one came after
      }
      sum -= next.getValue();
      sums.add(sum);
    }
    return sums;
  }

  private List<Integer> amounts(Fate fate, String counter, long begunBefore) {
    var amounts = new ArrayList<Integer>();
    for (Judged judged : open) {
      Integer amount = judged.effect().adds().get(counter);
      if (amount != null && judged.is(fate) && judged.from() < begunBefore) {
        amounts.add(amount);
      }
    }
    return amounts;
  }

  /** What all orders took and what is left is what was added. */
  private void checkTotal(String counter, NavigableMap<Long, Integer> added) {
    boolean allKnown = checkOuts.stream().allMatch(checkOut -> checkOut.judged().is(Fate.DONE));
    long lastDone =
        operations.stream()
            .filter(judged -> judged.is(Fate.DONE))
            .mapToLong(Judged::to)
            .max()
            .orElse(Long.MIN_VALUE);
    View last =
        views.stream()
            .filter(view -> view.begun() > lastDone && view.covers().contains(resource(counter)))
            .max(Comparator.comparingLong(View::revision))
            .orElse(null);
    if (checkOuts.isEmpty() || !allKnown || last == null) {
      return;
    }
    int total = Objects.requireNonNullElse(last.counters().get(counter), 0);
    for (CheckOut checkOut : checkOuts) {
      total += Objects.requireNonNullElse(checkOut.judged().taken().get(counter), 0);
    }
    judge(
        "the total of " + counter + ", in orders and cart,",
        total,
        Set.of(added.values().stream().mapToInt(Integer::intValue).sum()),
        amounts(Fate.UNKNOWN, counter, last.ended()),
        amounts(Fate.REFUSED, counter, last.ended()),
        last);
  }

  private void judge(
      String what,
      int seen,
      Set<Integer> sums,
      List<Integer> unknown,
      List<Integer> refused,
      View view) {
    if (isReached(seen, sums, unknown)) {
      return;
    }
    var all = new ArrayList<>(unknown);
    all.addAll(refused);
    int most = sums.stream().mapToInt(Integer::intValue).max().orElse(0);
    most += unknown.stream().mapToInt(Integer::intValue).sum();
    Kind kind;
    if (seen > most) {
      kind = isReached(seen, sums, all) ? Kind.REFUSED_VISIBLE : Kind.DOUBLED_EFFECT;
    } else {
      kind = sums.stream().allMatch(sum -> seen < sum) ? Kind.LOST_WRITE : Kind.TORN;
    }
    violation(
        kind,
        what + " is " + seen + " instead of " + sums + " and some of " + unknown + ", " + view);
  }

  /** Whether one of the sums and some of the parts make up the amount. */
  private static boolean isReached(int amount, Set<Integer> sums, List<Integer> parts) {
    var reached = new BitSet();
    reached.set(0);
    for (int part : parts) {
      for (int i = reached.length() - 1; i >= 0; i--) {
        if (reached.get(i)) {
          reached.set(i + part);
        }
      }
    }
    return sums.stream().anyMatch(sum -> amount >= sum && reached.get(amount - sum));
  }

  private void violation(Kind kind, String detail) {
    violations.add(new Violation(kind, detail));
  }
}
