package dev.holdfast.drill;

import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Outcome;
import dev.holdfast.drill.Shopper.How;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A day at the shop: writers, of whom three in four share eight users between them, and visitors
 * who come, fill a cart, log in as one of those users, check out and go. Everyone goes on until
 * told to stop, or until the outcome of something is unknown.
 */
public final class ShoppingLoad {

  private static final int USERS = 8;
  private static final List<String> COUNTERS = List.of("tea", "coffee", "cocoa");
  private static final List<String> LINES = List.of("lamp", "chair");
  private static final List<String> ATTRIBUTES = List.of("color", "size", "note");

  private final Api api;
  private final History history;
  private final String name;
  private final long seed;
  private final ConcurrentLinkedQueue<Shopper> shoppers = new ConcurrentLinkedQueue<>();
  private Crowd crowd = Crowd.start(List.of());
  private volatile boolean stopped;

  /**
   * @param name unlike that of any other load on the same data
   * @param seed of all that is random in it but the course of time
   */
  public ShoppingLoad(Api api, History history, String name, long seed) {
    this.api = api;
    this.history = history;
    this.name = name;
    this.seed = seed;
  }

  public ShoppingLoad start(int writers, int visitors) {
    var everyone = new ArrayList<Runnable>();
    for (int i = 0; i < writers; i++) {
      int number = i;
      everyone.add(() -> write(number));
    }
    for (int i = 0; i < visitors; i++) {
      int number = i;
      everyone.add(() -> visitAgainAndAgain(number));
    }
    crowd = Crowd.start(everyone);
    return this;
  }

  /** Everyone ends after what they are at. */
  public ShoppingLoad stop() {
    stopped = true;
    return this;
  }

  public void join() {
    crowd.join();
  }

  public List<Shopper> shoppers() {
    return List.copyOf(shoppers);
  }

  // ---------------------------------------------------------------------------------------------

  private void write(int number) {
    var random = new Random(seed + number);
    String shopperName = name + "-w" + number;
    Shopper shopper =
        number % 4 == 3
            ? Shopper.visitor(api, history, shopperName)
            : Shopper.ofUser(api, history, shopperName, user(number / 4 * 3 + number % 4));
    shoppers.add(shopper);
    if (!(shopper.open() instanceof Acknowledged)) {
      return;
    }
    for (int step = 0; !stopped && !shopper.isCutOff(); step++) {
      act(shopper, shopper.name() + "-" + step, random);
    }
  }

  /** One thing that a shopper does, at random. */
  static void act(Shopper shopper, String unique, Random random) {
    switch (random.nextInt(20)) {
      case 0, 1, 2, 3 -> shopper.putAttribute(any(ATTRIBUTES, random), unique, how(unique, random));
      case 4, 5 ->
          shopper.patchAttributes(
              Map.of("color", unique, "size", random.nextInt(4) == 0 ? History.ABSENT : unique),
              how(unique, random));
      case 6, 7, 8, 9, 10 ->
          shopper.add(any(COUNTERS, random), 1 + random.nextInt(3), how(unique, random));
      case 11, 12 -> shopper.putLine(any(LINES, random), unique, how(unique, random));
      case 13 -> shopper.checkOut(unique, How.keyed(unique));
      case 14 -> shopper.rotate(How.keyed(unique));
      case 15, 16 -> shopper.look();
      case 17 -> shopper.lookAtCart();
      case 18 -> shopper.repeatLast();
      default -> shopper.tryDeadTokens();
    }
  }

  private static How how(String unique, Random random) {
    return switch (random.nextInt(10)) {
      case 0 -> How.stale();
      case 1, 2, 3, 4 -> How.plainly();
      default -> How.keyed(unique);
    };
  }

  private void visitAgainAndAgain(int number) {
    var random = new Random(seed - 1 - number);
    boolean goOn = true;
    for (int visit = 0; goOn && !stopped; visit++) {
      String shopperName = name + "-v" + number + "-" + visit;
      Shopper shopper = Shopper.visitor(api, history, shopperName);
      shoppers.add(shopper);
      goOn = visit(shopper, user(random.nextInt(USERS)), random);
    }
  }

  /**
   * A whole visit.
   *
   * @return whether everything was acknowledged
   */
  public static boolean visit(Shopper shopper, String user, Random random) {
    String name = shopper.name();
    return done(shopper.open())
        && done(shopper.patchAttributes(Map.of("color", name, "size", name), How.keyed(name + "a")))
        && done(shopper.add("tea", 1 + random.nextInt(3), How.keyed(name + "b")))
        && done(shopper.add("cocoa", 1, How.keyed(name + "c")))
        && done(shopper.add("tea", 1, How.keyed(name + "d")))
        && shopper.look() != null
        && done(shopper.logIn(user, How.keyed(name + "e")))
        && (random.nextBoolean() || done(shopper.repeatLast()))
        && shopper.look() != null
        && done(shopper.rotate(How.keyed(name + "f")))
        && (random.nextBoolean() || done(shopper.repeatLast()))
        && done(shopper.add("coffee", 2, How.keyed(name + "g")))
        && known(shopper.checkOut(name + "h", How.keyed(name + "h")))
        && (random.nextBoolean() || done(shopper.logOut(How.keyed(name + "i"))));
  }

  private static boolean done(Outcome outcome) {
    return outcome instanceof Acknowledged;
  }

  /** Others may have emptied the cart: then there is nothing to check out. */
  private static boolean known(Outcome outcome) {
    return !(outcome instanceof History.Unknown);
  }

  private String user(int number) {
    return name + "-user-" + number % USERS;
  }

  private static String any(List<String> names, Random random) {
    return names.get(random.nextInt(names.size()));
  }
}
