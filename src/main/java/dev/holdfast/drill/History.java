package dev.holdfast.drill;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What clients asked for and what came of it, from any number of threads.
 *
 * <p>Everything belongs to a <i>line</i>: one user, whose changes the server numbers with
 * revisions. On a line there are <i>registers</i> (attributes, cart lines set as a whole), which
 * hold what was last set, and <i>counters</i> (cart lines added to). Both have names whose part up
 * to the last slash is their <i>resource</i>, such as {@code cart} or {@code session/anna}. Every
 * value that is ever set is unique, so that a value that is seen tells who set it.
 *
 * <p>Times are those of {@link System#nanoTime}.
 */
public final class History {

  /** The resource that a checkout empties. */
  static final String CART = "cart";

  /** In the place of a value: the register was not set, or was removed. */
  static final String ABSENT = "";

  /** In the place of a status: see {@link #withUnknownTakenForRefused}. */
  static final int NO_ANSWER = 0;

  private final ConcurrentLinkedQueue<Operation> operations = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<View> views = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<TokenUse> tokenUses = new ConcurrentLinkedQueue<>();
  private volatile @Nullable List<Order> orders;
  private final AtomicLong acknowledged = new AtomicLong();

  /**
   * What an operation changes if it takes effect.
   *
   * @param sets registers and their new values, or {@link #ABSENT}
   * @param adds counters and how much is added
   * @param order the reference of the order that the whole cart becomes, or null
   * @param ends the token that dies, or null
   */
  public record Effect(
      Map<String, String> sets,
      Map<String, Integer> adds,
      @Nullable String order,
      @Nullable String ends) {

    public static Effect none() {
      return new Effect(Map.of(), Map.of(), null, null);
    }

    public static Effect set(String register, String value) {
      return none().andSets(Map.of(register, value));
    }

    public static Effect add(String counter, int amount) {
      return none().andAdds(Map.of(counter, amount));
    }

    public static Effect checkOut(String reference) {
      return new Effect(Map.of(), Map.of(), reference, null);
    }

    public static Effect end(String token) {
      return new Effect(Map.of(), Map.of(), null, token);
    }

    public Effect andSets(Map<String, String> more) {
      return new Effect(Map.copyOf(more), adds, order, ends);
    }

    public Effect andAdds(Map<String, Integer> more) {
      return new Effect(sets, Map.copyOf(more), order, ends);
    }
  }

  /** What came of one attempt. */
  public sealed interface Outcome {}

  /**
   * It took effect.
   *
   * @param revision of the change, or -1 where the answer does not say
   * @param replayed whether the answer calls itself the repeat of an earlier one
   * @param said all that a repeat must say again: status, ids, token, revision
   * @param taken what a checkout took of each counter
   */
  public record Acknowledged(
      long revision, boolean replayed, String said, Map<String, Integer> taken)
      implements Outcome {}

  /** It did not take effect and never will. */
  public record Refused(int status, String problem) implements Outcome {}

  /** Nobody knows. */
  public record Unknown(String why) implements Outcome {}

  public record Attempt(long begun, long ended, Outcome outcome) {}

  /** Something that was asked for, once or several times under one idempotency key. */
  public static final class Operation {
    private final String line;
    private final String name;
    private final Effect effect;
    private final List<Attempt> attempts = new ArrayList<>(1);

    private Operation(String line, String name, Effect effect) {
      this.line = line;
      this.name = name;
      this.effect = effect;
    }

    public String line() {
      return line;
    }

    public Effect effect() {
      return effect;
    }

    public synchronized List<Attempt> attempts() {
      return List.copyOf(attempts);
    }

    private synchronized void add(Attempt attempt) {
      attempts.add(attempt);
    }

    @Override
    public String toString() {
      return name + " on " + line + " " + attempts();
    }
  }

  /**
   * What a read showed.
   *
   * @param covers the resources that it showed whole
   */
  public record View(
      String line,
      Set<String> covers,
      long revision,
      Map<String, String> registers,
      Map<String, Integer> counters,
      long begun,
      long ended) {

    public View {
      covers = Set.copyOf(covers);
      registers = Map.copyOf(registers);
      counters = Map.copyOf(counters);
    }
  }

  /** A token was shown with a request that needs one, and was taken or refused. */
  public record TokenUse(String token, boolean worked, long begun, long ended) {}

  /** An order that is on record, wherever orders are looked up. */
  public record Order(String reference, Map<String, Integer> items) {}

  public Operation operation(String line, String name, Effect effect) {
    var operation = new Operation(line, name, effect);
    operations.add(operation);
    return operation;
  }

  public void attempted(Operation operation, long begun, long ended, Outcome outcome) {
    operation.add(new Attempt(begun, ended, outcome));
    if (outcome instanceof Acknowledged) {
      acknowledged.incrementAndGet();
    }
  }

  public void saw(View view) {
    views.add(view);
  }

  public void used(String token, boolean worked, long begun, long ended) {
    tokenUses.add(new TokenUse(token, worked, begun, ended));
  }

  /** All orders that are on record by now; where this is not told, orders are not judged. */
  public void onRecord(List<Order> all) {
    orders = List.copyOf(all);
  }

  /**
   * {@return this history with every unknown outcome in the place of a refusal} For a server that
   * has answered whatever it did: then what was not answered must not have happened.
   */
  public History withUnknownTakenForRefused() {
    var strict = new History();
    for (Operation operation : operations) {
      Operation copy = strict.operation(operation.line, operation.name, operation.effect);
      for (Attempt attempt : operation.attempts()) {
        Outcome outcome =
            attempt.outcome() instanceof Unknown unknown
                ? new Refused(NO_ANSWER, unknown.why())
                : attempt.outcome();
        strict.attempted(copy, attempt.begun(), attempt.ended(), outcome);
      }
    }
    views.forEach(strict::saw);
    strict.tokenUses.addAll(tokenUses);
    strict.orders = orders;
    return strict;
  }

  /** {@return how many attempts were acknowledged so far} */
  public long acknowledged() {
    return acknowledged.get();
  }

  public List<Operation> operations() {
    return List.copyOf(operations);
  }

  public List<View> views() {
    return List.copyOf(views);
  }

  public List<TokenUse> tokenUses() {
    return List.copyOf(tokenUses);
  }

  /** {@return all orders on record, or null where nobody has looked} */
  @Nullable List<Order> orders() {
    return orders;
  }

  /** {@return counts, for a line of output} */
  @Override
  public String toString() {
    long unknown =
        operations.stream()
            .filter(o -> o.attempts().stream().anyMatch(a -> a.outcome() instanceof Unknown))
            .count();
    long refused =
        operations.stream()
            .filter(o -> o.attempts().stream().anyMatch(a -> a.outcome() instanceof Refused))
            .count();
    return operations.size()
        + " operations ("
        + acknowledged
        + " attempts acknowledged, "
        + refused
        + " operations refused, "
        + unknown
        + " unknown at first), "
        + views.size()
        + " views, "
        + tokenUses.size()
        + " uses of tokens";
  }
}
