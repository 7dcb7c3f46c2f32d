package dev.holdfast.drill;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.holdfast.drill.ApiClient.Answer;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.ApiClient.NoAnswer;
import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Attempt;
import dev.holdfast.drill.History.Effect;
import dev.holdfast.drill.History.Operation;
import dev.holdfast.drill.History.Outcome;
import dev.holdfast.drill.History.Refused;
import dev.holdfast.drill.History.Unknown;
import dev.holdfast.drill.History.View;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A browser with one session, who does one thing at a time and writes into a {@link History} what
 * came of it.
 *
 * <p>In the cart, the quantity of a SKU that begins with {@code add-} is a counter. Other lines are
 * registers: they are set whole, and their name is the value.
 */
public final class Shopper {

  private static final String ADDED = "add-";

  /** How long an outcome may stay unknown that is asked for again and again. */
  private static final Duration LIGHT = Duration.ofSeconds(10);

  private static final long PAUSE_NANOS = 100_000_000;

  private final Api api;
  private final History history;
  private final String name;

  private String line;
  private String session;
  private volatile @Nullable String token;
  private boolean tokenUsed;
  private volatile boolean shared;

  /** Since the session began. */
  private final List<Step> steps = new ArrayList<>();

  private final Set<String> deadTokens = new HashSet<>();

  /** What a visitor's session and cart hold, for the log-in that takes them along. */
  private final Map<String, String> attributes = new HashMap<>();

  private final Map<String, Integer> counters = new HashMap<>();

  /** What was asked for, so that it can be asked for again. */
  private record Step(
      Operation operation, Call call, @Nullable String token, Meaning meaning, boolean keyed) {}

  /** What an acknowledgement means to this shopper. */
  private enum Meaning {
    OPENED,
    CHANGED,
    CHECKED_OUT,
    NEW_TOKEN,
    LOGGED_IN,
    LOGGED_OUT
  }

  /** How to ask: with an idempotency key, with a precondition. */
  public record How(@Nullable String key, @Nullable String ifMatch) {

    public static How plainly() {
      return new How(null, null);
    }

    public static How keyed(String key) {
      return new How(key, null);
    }

    /** With a precondition that never holds. */
    public static How stale() {
      return new How(null, "\"0\"");
    }

    private Call apply(Call call) {
      return call.key(key).with("If-Match", ifMatch);
    }
  }

  private Shopper(Api api, History history, String name, String line) {
    this.api = api;
    this.history = history;
    this.name = name;
    this.line = line;
    this.session = "session/" + name;
  }

  /** {@return a visitor who has not come yet} */
  public static Shopper visitor(Api api, History history, String name) {
    return new Shopper(api, history, name, "visitor " + name);
  }

  /** {@return a known user's browser, without a session yet} */
  public static Shopper ofUser(Api api, History history, String name, String user) {
    return new Shopper(api, history, name, line(user));
  }

  private static String line(String user) {
    return "user " + user;
  }

  // ---------------------------------------------------------------------------------------------
  // What it does

  /** Opens the session. The name is the idempotency key. */
  public Outcome open() {
    Call call = Call.of("POST", "/v1/sessions").key("open-" + name);
    if (line.startsWith("user ")) {
      call = call.json("{\"user\":" + text(line.substring("user ".length())) + "}");
    }
    return act("open", Effect.none(), call, Meaning.OPENED, true);
  }

  public Outcome putAttribute(String attribute, String value, How how) {
    return act(
        "PUT attribute " + attribute,
        Effect.set(session + "/" + attribute, value),
        how.apply(Call.of("PUT", "/v1/session/attributes/" + attribute).json(text(value))),
        Meaning.CHANGED,
        how.key() != null);
  }

  /** Sets several attributes in one, and removes those whose value is {@link History#ABSENT}. */
  public Outcome patchAttributes(Map<String, String> values, How how) {
    var patch = JsonNodeFactory.instance.objectNode();
    var sets = new TreeMap<String, String>();
    values.forEach((attribute, value) -> {
      patch.put(attribute, value.equals(History.ABSENT) ? null : value);
      sets.put(session + "/" + attribute, value);
    });
    return act(
        "PATCH attributes " + values.keySet(),
        Effect.none().andSets(sets),
        how.apply(Call.of("PATCH", "/v1/session/attributes").mergePatch(patch.toString())),
        Meaning.CHANGED,
        how.key() != null);
  }

  /** Adds to a counter of the cart. */
  public Outcome add(String counter, int amount, How how) {
    return act(
        "add " + amount + " to " + counter,
        Effect.add(History.CART + "/" + counter, amount),
        how.apply(
            Call.of("POST", "/v1/cart/items")
                .json(
                    "{\"sku\":"
                        + text(ADDED + counter)
                        + ",\"quantity\":"
                        + amount
                        + ",\"unitPrice\":{\"amount\":\"1.25\",\"currency\":\"EUR\"}}")),
        Meaning.CHANGED,
        how.key() != null);
  }

  /** Sets a whole line of the cart, whose name is the value. */
  public Outcome putLine(String sku, String value, How how) {
    return act(
        "PUT line " + sku,
        Effect.set(History.CART + "/" + sku, value),
        how.apply(
            Call.of("PUT", "/v1/cart/items/" + sku)
                .json(
                    "{\"quantity\":1,\"unitPrice\":{\"amount\":\"0.50\",\"currency\":\"EUR\"},"
                        + "\"name\":"
                        + text(value)
                        + "}")),
        Meaning.CHANGED,
        how.key() != null);
  }

  public Outcome checkOut(String reference, How how) {
    return act(
        "check out " + reference,
        Effect.checkOut(reference),
        how.apply(
            Call.of("POST", "/v1/cart/checkout").json("{\"reference\":" + text(reference) + "}")),
        Meaning.CHECKED_OUT,
        how.key() != null);
  }

  public Outcome rotate(How how) {
    return act(
        "rotate",
        Effect.end(token()),
        how.apply(Call.of("POST", "/v1/session/rotate")),
        Meaning.NEW_TOKEN,
        how.key() != null);
  }

  /** Becomes a known user, who takes over the visitor's attributes and cart. */
  public Outcome logIn(String user, How how) {
    String visitor = session;
    String visitorLine = line;
    line = line(user);
    session = visitor + " logged in";
    var sets = new HashMap<String, String>();
    attributes.forEach(
        (register, value) -> sets.put(session + register.substring(visitor.length()), value));
    Outcome outcome =
        act(
            "log in",
            Effect.end(token()).andSets(sets).andAdds(counters),
            how.apply(Call.of("POST", "/v1/session/login").json("{\"user\":" + text(user) + "}")),
            Meaning.LOGGED_IN,
            how.key() != null);
    if (outcome instanceof Refused) {
      line = visitorLine;
      session = visitor;
    }
    return outcome;
  }

  public Outcome logOut(How how) {
    return act(
        "log out",
        Effect.end(token()),
        how.apply(Call.of("DELETE", "/v1/session")),
        Meaning.LOGGED_OUT,
        how.key() != null);
  }

  /** Reads session and cart; null where there is none to be read. */
  public @Nullable View look() {
    return look("/v1/session", Set.of(session, History.CART));
  }

  /** Reads the cart alone; null where there is none to be read. */
  public @Nullable View lookAtCart() {
    return look("/v1/cart", Set.of(History.CART));
  }

  /** Asks again for everything that was asked for with a key, with the same key. */
  public void repeatAll() {
    if (isInTheDark() && steps.getLast().keyed()) {
      // A node whose journal has only just come back may refuse once more.
      long end = System.nanoTime() + LIGHT.toNanos();
      repeatLast();
      while (isInTheDark() && System.nanoTime() - end < 0) {
        LockSupport.parkNanos(PAUSE_NANOS);
        repeatLast();
      }
    }
    for (Step step : List.copyOf(steps)) {
      if (step.keyed()) {
        repeat(step);
      }
    }
  }

  /** Asks again for the last thing, if it was asked for with a key, with the same key. */
  public Outcome repeatLast() {
    Step last = steps.getLast();
    return last.keyed() ? repeat(last) : last.operation().attempts().getLast().outcome();
  }

  /** {@return the answer to the last thing, asked for again with the token that it has ended} */
  public Answer repeatTooLate() {
    Step last = steps.getLast();
    return api.ask(last.token() == null ? last.call() : last.call().token(last.token()));
  }

  /** Shows each token that must be dead by now. */
  public void tryDeadTokens() {
    for (String dead : deadTokens) {
      used(dead, api.send(Call.get("/v1/session").token(dead)));
    }
  }

  /** {@return all that it asked for and what came of it, a line each} */
  public String account() {
    return steps.stream()
        .map(step -> step.operation() + "\n")
        .collect(Collectors.joining("", name + ":\n", ""));
  }

  /**
   * {@return whether the outcome of the last thing it asked for is unknown} A refusal of a repeat
   * for want of the journal says nothing of the first time.
   */
  public boolean isInTheDark() {
    if (steps.isEmpty()) {
      return false;
    }
    List<Attempt> attempts = steps.getLast().operation().attempts();
    return attempts.stream().anyMatch(attempt -> attempt.outcome() instanceof Unknown)
        && attempts.stream().noneMatch(attempt -> attempt.outcome() instanceof Acknowledged)
        && switch (attempts.getLast().outcome()) {
          case Unknown _ -> true;
          case Refused refused -> refused.status() == 503;
          case Acknowledged _ -> false;
        };
  }

  /**
   * {@return whether the last thing may have replaced or ended its token, and it does not know} Of
   * what it asks for with that token nothing follows then, so it asks for the same thing first, for
   * as long as it takes.
   */
  public boolean mayHaveLostItsToken() {
    return isInTheDark() && steps.getLast().operation().effect().ends() != null;
  }

  /** {@return whether the last thing was asked for with a key} */
  boolean canRepeat() {
    return !steps.isEmpty() && steps.getLast().keyed();
  }

  /** {@return whether the last thing it sent was not answered} */
  public boolean isCutOff() {
    return !steps.isEmpty()
        && steps.getLast().operation().attempts().getLast().outcome() instanceof Unknown;
  }

  public String token() {
    if (token == null) {
      throw new IllegalStateException(name + " has no session");
    }
    return token;
  }

  public String name() {
    return name;
  }

  // ---------------------------------------------------------------------------------------------
  // How it asks

  private Outcome act(String what, Effect effect, Call call, Meaning meaning, boolean keyed) {
    Operation operation = history.operation(line, name + ": " + what, effect);
    var step = new Step(operation, call, token, meaning, keyed);
    steps.add(step);
    return send(step, token);
  }

  /**
   * What ended a token may be repeated with that token alone, and until the new one is used. To
   * open takes none: an answer to that would prove of no token that it works. All else is repeated
   * with the token of now.
   */
  private Outcome repeat(Step step) {
    boolean open = step.equals(steps.getLast()) && (isInTheDark() || !(tokenUsed || shared));
    return switch (step.meaning()) {
      case OPENED -> send(step, null);
      case CHANGED, CHECKED_OUT -> send(step, token);
      case NEW_TOKEN, LOGGED_IN ->
          open ? send(step, step.token()) : step.operation().attempts().getLast().outcome();
      case LOGGED_OUT -> send(step, step.token());
    };
  }

  private Outcome send(Step step, @Nullable String shown) {
    Call call = shown == null ? step.call() : step.call().token(shown);
    boolean endsItself = step.operation().effect().ends() != null;
    switch (api.send(call)) {
      case Answer answer -> {
        if (shown != null && !endsItself) {
          used(shown, answer);
        }
        Outcome outcome = answer.ok() ? understand(step, answer) : refusal(answer);
        history.attempted(step.operation(), answer.begun(), answer.ended(), outcome);
        return outcome;
      }
      case NoAnswer no -> {
        Outcome outcome = new Unknown(no.why().toString());
        history.attempted(step.operation(), no.begun(), no.ended(), outcome);
        return outcome;
      }
    }
  }

  private static Outcome refusal(Answer answer) {
    return answer.status() == 504 || answer.status() == 500
        ? new Unknown(answer.problem())
        : new Refused(answer.status(), answer.problem());
  }

  private Outcome understand(Step step, Answer answer) {
    boolean first =
        step.operation().attempts().stream().noneMatch(a -> a.outcome() instanceof Acknowledged);
    JsonNode body = answer.body();
    var taken = new HashMap<String, Integer>();
    String said = answer.status() + " revision " + answer.revision();
    switch (step.meaning()) {
      case OPENED -> {
        said += " " + body.path("id").asText() + " " + body.path("token").asText();
        if (first) {
          token = body.path("token").asText();
        }
      }
      case CHANGED -> {
        if (first) {
          remember(step.operation().effect());
        }
      }
      case CHECKED_OUT -> {
        if (first) {
          counters.clear();
        }
        said += " " + body.path("orderId").asText() + " " + body.path("items");
        taken.putAll(counters(body, "items"));
      }
      case NEW_TOKEN -> {
        said += " " + body.path("id").asText() + " " + body.path("token").asText();
        if (first) {
          changeToken(body.path("token").asText());
        }
      }
      case LOGGED_IN -> {
        said +=
            " "
                + body.path("id").asText()
                + " "
                + body.path("token").asText()
                + " "
                + body.path("merge");
        if (first) {
          changeToken(body.path("token").asText());
          steps.retainAll(List.of(step));
        }
      }
      case LOGGED_OUT -> {
        if (first) {
          changeToken(null);
          steps.retainAll(List.of(step));
        }
      }
    }
    return new Acknowledged(answer.revision(), answer.replayed(), said, Map.copyOf(taken));
  }

  private void remember(Effect effect) {
    effect
        .sets()
        .forEach((register, value) -> {
          if (register.startsWith(session) && value.equals(History.ABSENT)) {
            attributes.remove(register);
          } else if (register.startsWith(session)) {
            attributes.put(register, value);
          }
        });
    effect.adds().forEach((counter, amount) -> counters.merge(counter, amount, Integer::sum));
  }

  private void changeToken(@Nullable String other) {
    if (token != null) {
      deadTokens.add(token);
    }
    token = other;
    tokenUsed = false;
  }

  private void used(String shown, ApiClient.Sent sent) {
    tokenUsed |= shown.equals(token);
    if (sent instanceof Answer answer && (answer.ok() || answer.status() == 401)) {
      history.used(shown, answer.ok(), answer.begun(), answer.ended());
    }
  }

  /**
   * From now on others use its token as well, so that it does not know whether a new one was used.
   */
  void share() {
    shared = true;
  }

  /**
   * Reads the session and the cart some other way, beside what this shopper is at; on any thread.
   */
  void lookThrough(Api other) {
    String shown = token;
    if (shown != null) {
      ApiClient.Sent sent = other.send(Call.get("/v1/session").token(shown));
      if (sent instanceof Answer answer && (answer.ok() || answer.status() == 401)) {
        history.used(shown, answer.ok(), answer.begun(), answer.ended());
      }
      seen(sent, Set.of(session, History.CART));
    }
  }

  /** Sets an attribute some other way, beside what this shopper is at; on any thread. */
  void putThrough(Api other, String attribute, String value) {
    String shown = token;
    if (shown != null) {
      Operation operation =
          history.operation(
              line,
              name + ": PUT attribute " + attribute + " elsewhere",
              Effect.set(session + "/" + attribute, value));
      Call call = Call.of("PUT", "/v1/session/attributes/" + attribute).json(text(value));
      ApiClient.Sent sent = other.send(call.token(shown));
      Outcome outcome =
          switch (sent) {
            case Answer answer when answer.ok() ->
                new Acknowledged(answer.revision(), answer.replayed(), value, Map.of());
            case Answer answer -> refusal(answer);
            case NoAnswer no -> new Unknown(no.why().toString());
          };
      history.attempted(operation, sent.begun(), sent.ended(), outcome);
    }
  }

  private @Nullable View look(String path, Set<String> covers) {
    String shown = token;
    boolean whoseIsOpen = isInTheDark() && steps.getLast().meaning() == Meaning.LOGGED_IN;
    if (shown == null || whoseIsOpen) {
      return null;
    }
    ApiClient.Sent sent = api.send(Call.get(path).token(shown));
    used(shown, sent);
    return seen(sent, covers);
  }

  private @Nullable View seen(ApiClient.Sent sent, Set<String> covers) {
    if (!(sent instanceof Answer answer) || answer.status() != 200) {
      return null;
    }
    JsonNode cart = covers.contains(session) ? answer.body().path("cart") : answer.body();
    var registers = new HashMap<String, String>();
    for (JsonNode item : cart.path("items")) {
      String sku = item.path("sku").asText();
      if (!sku.startsWith(ADDED)) {
        registers.put(History.CART + "/" + sku, item.path("name").asText());
      }
    }
    for (Map.Entry<String, JsonNode> attribute : answer.body().path("attributes").properties()) {
      registers.put(session + "/" + attribute.getKey(), attribute.getValue().asText());
    }
    var view =
        new View(
            line,
            covers,
            answer.body().path("revision").asLong(),
            registers,
            counters(cart, "items"),
            answer.begun(),
            answer.ended());
    history.saw(view);
    return view;
  }

  /** {@return the counters in a cart or an order, whose lines are a member of that name} */
  public static Map<String, Integer> counters(JsonNode cartOrOrder, String member) {
    var counters = new HashMap<String, Integer>();
    for (JsonNode item : cartOrOrder.path(member)) {
      String sku = item.path("sku").asText();
      if (sku.startsWith(ADDED)) {
        counters.put(
            History.CART + "/" + sku.substring(ADDED.length()), item.path("quantity").asInt());
      }
    }
    return counters;
  }

  private static String text(String value) {
    return JsonNodeFactory.instance.textNode(value).toString();
  }
}
