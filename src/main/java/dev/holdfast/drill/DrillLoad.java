package dev.holdfast.drill;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The load of one run: users with two browsers each, of which each does the next thing when its
 * time has come, whatever has become of the others' requests, and a few visitors, who come, fill a
 * cart, log in as one of the users, check out and go.
 *
 * <p>A browser does one thing at a time. What came due while it waited it does right after.
 */
final class DrillLoad {

  private static final int BROWSERS = 2;
  private static final int VISITORS = 2;

  /** Between two requests of a visitor. */
  private static final long VISITOR_PACE_NANOS = 100_000_000;

  private static final long REPEAT_PAUSE_NANOS = 20_000_000;

  /** How long a caller goes on asking what came of a request. */
  private static final long LIGHT_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Entrances entrances;
  private final History history;
  private final String name;
  private final int users;
  private final long periodNanos;
  private final long seed;
  private final ConcurrentLinkedQueue<Shopper> shoppers = new ConcurrentLinkedQueue<>();
  private final Map<Integer, List<Shopper>> browsers = new ConcurrentHashMap<>();
  private final CountDownLatch opened;
  private Crowd crowd = Crowd.start(List.of());
  private volatile boolean stopped;

  /**
   * @param name unlike that of any other load on the same data
   * @param rate things done a second, by all users together
   */
  DrillLoad(Entrances entrances, History history, String name, int users, int rate, long seed) {
    this.entrances = entrances;
    this.history = history;
    this.name = name;
    this.users = users;
    this.periodNanos = TimeUnit.SECONDS.toNanos(1) * BROWSERS * users / rate;
    this.seed = seed;
    this.opened = new CountDownLatch(users * BROWSERS);
  }

  void start() {
    long now = System.nanoTime();
    var everyone = new ArrayList<Runnable>();
    for (int i = 0; i < users * BROWSERS; i++) {
      int number = i;
      everyone.add(() -> shop(number, now + periodNanos * number / ((long) users * BROWSERS)));
    }
    for (int i = 0; i < VISITORS; i++) {
      int number = i;
      everyone.add(() -> visitAgainAndAgain(number));
    }
    crowd = Crowd.start(everyone);
  }

  /** {@return whether every user has a session by then} */
  boolean awaitOpened(long seconds) throws InterruptedException {
    return opened.await(seconds, TimeUnit.SECONDS);
  }

  private String user(int number) {
    return name + "-user-" + number;
  }

  private void shop(int number, long first) {
    int user = number % users;
    var random = new Random(seed + number);
    Shopper shopper = Shopper.ofUser(entrances.of(user), history, name + "-s" + number, user(user));
    shoppers.add(shopper);
    browsers.computeIfAbsent(user, u -> new CopyOnWriteArrayList<>()).add(shopper);
    await(first);
    boolean open = shopper.open() instanceof History.Acknowledged;
    while (!open && !stopped) {
      LockSupport.parkNanos(REPEAT_PAUSE_NANOS);
      open = shopper.repeatLast() instanceof History.Acknowledged;
    }
    opened.countDown();
    for (int step = 1; !stopped; step++) {
      await(first + step * periodNanos);
      if (!stopped) {
        if (!shopper.mayHaveLostItsToken()) {
          ShoppingLoad.act(shopper, shopper.name() + "-" + step, random);
        }
        seeLight(shopper);
      }
    }
  }

  /** Asks with the same key until it is known what came of the last thing. */
  private static void seeLight(Shopper shopper) {
    long end = System.nanoTime() + LIGHT_NANOS;
    while (shopper.isInTheDark() && shopper.canRepeat() && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(REPEAT_PAUSE_NANOS);
      shopper.repeatLast();
    }
  }

  private void visitAgainAndAgain(int number) {
    var random = new Random(seed - 1 - number);
    Api unpaced = entrances.of(-1);
    Api paced =
        call -> {
          LockSupport.parkNanos(VISITOR_PACE_NANOS);
          return unpaced.send(call);
        };
    for (int visit = 0; !stopped; visit++) {
      Shopper shopper = Shopper.visitor(paced, history, name + "-v" + number + "-" + visit);
      shoppers.add(shopper);
      if (!ShoppingLoad.visit(shopper, user(random.nextInt(users)), random)) {
        seeLight(shopper);
      }
    }
  }

  private static void await(long moment) {
    for (long left = moment - System.nanoTime(); left > 0; left = moment - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** Everyone ends after what they are at; returns when they have. */
  void stop() {
    stopped = true;
    crowd.join();
  }

  /** From now on others use the browsers' tokens as well. */
  void share() {
    browsers.values().forEach(ofUser -> ofUser.forEach(Shopper::share));
  }

  /** {@return the browsers of these users} */
  List<Shopper> browsersOf(Set<Integer> some) {
    return some.stream().flatMap(user -> browsers.getOrDefault(user, List.of()).stream()).toList();
  }

  /** {@return all who ever shopped} */
  List<Shopper> shoppers() {
    return List.copyOf(shoppers);
  }

  /**
   * Everyone looks at what there is, and asks for everything again that was asked for with a key.
   */
  void lookAndRepeat() {
    List<Shopper> all = shoppers();
    Crowd.each(all, DrillLoad::look);
    Crowd.each(all, Shopper::repeatAll);
    Crowd.each(all, Shopper::tryDeadTokens);
    Crowd.each(all, DrillLoad::look);
  }

  private static void look(Shopper shopper) {
    shopper.look();
    shopper.lookAtCart();
  }
}
