package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cart.Line;
import dev.holdfast.cart.MergePolicy;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.cluster.SeveralNodes.Member;
import dev.holdfast.entity.Answer;
import dev.holdfast.feed.Cursor;
import dev.holdfast.feed.EventLog;
import dev.holdfast.feed.JournaledEventLog;
import dev.holdfast.feed.LoggedEvent;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Requests that race each other from two nodes while users move: log-out against write, rotation
 * against read, log-in against checkout, log-out everywhere against log-in, erasure against all of
 * it. A reader of the feed runs beside them, and somebody who listens to one user.
 */
@Timeout(180)
final class RacesTest {

  private static final long PATIENCE_MILLIS = 15_000;
  private static final int AT_A_TIME = 8;

  /** However slow the machine, so many rounds are made, a third of them before the disturbance. */
  private static final int LEAST_ROUNDS = 30;

  private static final String MARK = "raced-";

  private SeveralNodes nodes;
  private final List<Member> members = new CopyOnWriteArrayList<>();
  private final AtomicInteger rounds = new AtomicInteger();
  private final Map<Member, AtomicInteger> inHand = new ConcurrentHashMap<>();

  /** What was acknowledged: the SKU that a user set, by owner; and who was erased. */
  private final Map<String, OwnerKey> lines = new ConcurrentHashMap<>();

  private final Set<OwnerKey> erased = ConcurrentHashMap.newKeySet();

  @BeforeEach
  void prepare() {
    nodes = new SeveralNodes();
  }

  @AfterEach
  void endAll() {
    nodes.close();
  }

  @Test
  void endAsIfTheyHadComeOneAfterAnotherWhileANodeHandsItsUsersOver() throws Exception {
    members.addAll(nodes.startAtOnce(2));
    hammer(
        Duration.ofSeconds(5),
        () -> {
          Member leaving = members.removeLast();
          leaving.node.drain(Duration.ofSeconds(20));
          await().until(() -> inHand(leaving).get() == 0);
          leaving.leave();
        });
  }

  @Test
  @Tag("nightly")
  @Timeout(300)
  void endAsIfTheyHadComeOneAfterAnotherWhileANodeIsLost() throws Exception {
    members.addAll(nodes.startAtOnce(3));
    hammer(
        Duration.ofSeconds(60),
        () -> {
          Member lost = members.removeLast();
          lost.crash();
        });
  }

  private interface Disturbance {
    void happen() throws Exception;
  }

  private void hammer(Duration time, Disturbance disturbance) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    try (var log = new JournaledEventLog(members.getFirst().journal, System::nanoTime);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var reader = new Reader(log);
      Future<?> reading =
          threads.submit(() -> {
            while (goesOn(end)) {
              reader.read(200);
            }
          });
      List<Future<?>> hammering = new ArrayList<>();
      for (int i = 0; i < AT_A_TIME; i++) {
        hammering.add(
            threads.submit(() -> {
              while (goesOn(end)) {
                new Round(rounds.incrementAndGet(), threads).run();
              }
              return null;
            }));
      }
      var listener = new Listener();
      hammering.add(threads.submit(() -> listener.writeUntil(end)));
      Future<?> disturbing =
          threads.submit(() -> {
            await().atMost(Duration.ofSeconds(60)).until(() -> rounds.get() > LEAST_ROUNDS / 3);
            disturbance.happen();
            return null;
          });
      for (Future<?> each : hammering) {
        each.get();
      }
      disturbing.get();
      reading.get();
      reader.readOn();
      check(reader);
      listener.check();
    }
  }

  /** Listens on the node that stays to one user, who is written from everywhere. */
  private final class Listener {
    private final OwnerKey user = OwnerKey.ofUser("listened");
    private final Changes.Subscription subscription;
    private final AtomicLong told = new AtomicLong();
    private final AtomicInteger pushed = new AtomicInteger();
    private final AtomicLong highest = new AtomicLong();

    Listener() {
      subscription =
          members
              .getFirst()
              .node
              .changes()
              .listen(
                  user,
                  happened -> {
                    pushed.addAndGet(happened.events().size());
                    told.accumulateAndGet(happened.before() + happened.events().size(), Math::max);
                  });
    }

    Void writeUntil(long end) {
      var session = new SessionId(random(), random());
      isDone(ask(user, openFor(session, "listened")));
      for (int i = 0; goesOn(end); i++) {
        Answer answer =
            ask(
                user,
                new Command.Act(
                    new Command.Access(session, 1),
                    new Request(new RequestId(random(), random()), 0, false),
                    Precondition.None.none(),
                    new Action.PutAttribute("n", new Json.Num(Integer.toString(i)))));
        if (answer instanceof Answer.Answered(Reply.Done done, _)) {
          highest.accumulateAndGet(done.revision(), Math::max);
        }
      }
      return null;
    }

    /** What it stands at is told in the end, also after the user has moved. */
    void check() {
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(told.get()).isGreaterThanOrEqualTo(highest.get()));
      assertThat(pushed.get()).isPositive();
      subscription.close();
    }
  }

  private Answer ask(OwnerKey owner, Command command) {
    Member member = members.get(ThreadLocalRandom.current().nextInt(members.size()));
    inHand(member).incrementAndGet();
    try {
      return member.node.users().ask(owner, command, PATIENCE_MILLIS);
    } finally {
      inHand(member).decrementAndGet();
    }
  }

  private AtomicInteger inHand(Member member) {
    return inHand.computeIfAbsent(member, _ -> new AtomicInteger());
  }

  private boolean goesOn(long end) {
    return System.nanoTime() < end || rounds.get() < LEAST_ROUNDS;
  }

  private static Command.Open openFor(SessionId session, @Nullable String user) {
    return new Command.Open(
        new Request(new RequestId(random(), random()), 0, false),
        session,
        user,
        Json.Obj.empty(),
        Duration.ofHours(1).toMillis(),
        Duration.ofDays(1).toMillis());
  }

  /** Every acknowledged line is in the feed, each event once, each user's in order. */
  private void check(Reader reader) {
    var told = new HashSet<String>();
    for (LoggedEvent event : reader.events) {
      Entry entry = event.entry();
      if (entry != null && entry.event() instanceof Event.LineSet(Line line)) {
        told.add(line.sku().value());
      }
    }
    for (var line : lines.entrySet()) {
      if (!erased.contains(line.getValue())) {
        assertThat(told).as("an acknowledged line of %s", line.getValue()).contains(line.getKey());
      }
    }
  }

  /** Reads the feed, and sees to it that it is in order. */
  private static final class Reader {
    private final EventLog log;
    private final List<LoggedEvent> events = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private final Map<OwnerKey, Long> numbers = new HashMap<>();
    private @Nullable Cursor cursor;

    Reader(EventLog log) {
      this.log = log;
    }

    void readOn() {
      while (read(0)) {}
    }

    private boolean read(long wait) {
      var page = (EventLog.Feed.Events) log.feed(new EventLog.Reading("races", cursor, 500, wait));
      for (LoggedEvent event : page.events()) {
        assertThat(ids.add(event.id())).as("%s is told once", event).isTrue();
        Long before = numbers.put(event.owner(), event.number());
        boolean restarts =
            event.entry() != null && event.entry().event() instanceof Event.UserErased;
        // What an erasure has deleted before it was read is missing, and nothing else.
        if (before != null && !restarts) {
          assertThat(event.number()).as("%s", event).isEqualTo(before + 1);
        } else if (before != null) {
          assertThat(event.number()).as("%s", event).isGreaterThan(before);
        }
        events.add(event);
      }
      cursor = page.next();
      return page.more() || !page.events().isEmpty();
    }
  }

  /** One user, whose requests race. */
  private final class Round {
    private final String name;
    private final OwnerKey user;
    private final ExecutorService threads;
    private final boolean everywhere;
    private final boolean erases;

    Round(int number, ExecutorService threads) {
      this.name = MARK + number;
      this.user = OwnerKey.ofUser(name);
      this.threads = threads;
      this.everywhere = number % 3 == 1;
      this.erases = number % 5 == 2;
    }

    void run() throws Exception {
      SessionId phone = open(user, name);
      SessionId desk = open(user, name);
      OwnerKey visitor = new OwnerKey(random(), random());
      SessionId browser = open(visitor, null);
      if (phone == null || desk == null || browser == null) {
        return; // not known to be open: another round
      }
      String carried = "v-" + name;
      boolean filled = isDone(act(visitor, browser, set(carried)));
      var epoch = ask(user, new Command.AskEpoch());
      if (!filled || !(epoch instanceof Answer.Answered(Reply.Epoch(long count), _))) {
        return;
      }
      var newSession = new SessionId(random(), random());
      Future<Answer> logIn =
          threads.submit(() ->
              act(
                  visitor,
                  browser,
                  new Action.StartLogIn(newSession, name, count, MergePolicy.SUM)));
      Future<Answer> write = threads.submit(() -> act(user, phone, set("w-" + name)));
      Future<Answer> checkOut =
          threads.submit(() -> act(user, phone, new Action.CheckOut("o-" + name, null)));
      Future<Answer> logOut = threads.submit(() -> act(user, desk, new Action.LogOut()));
      Future<Answer> rotation = threads.submit(() -> act(user, phone, new Action.Rotate()));
      Future<Answer> read =
          threads.submit(() -> ask(user, new Command.Look(new Command.Access(phone, 1))));
      Future<Answer> out =
          threads.submit(() -> everywhere ? ask(user, new Command.EndAll(request())) : null);
      Future<Answer> erasure =
          threads.submit(() -> erases ? ask(user, new Command.Erase(request())) : null);
      boolean loggedIn = isDone(logIn.get());
      boolean written = isDone(write.get());
      checkOut.get();
      read.get();
      boolean over = isDone(logOut.get());
      boolean rotated = isDone(rotation.get());
      boolean ended = isDone(out.get());
      boolean forgotten = isDone(erasure.get());

      if (erases) {
        erased.add(user); // perhaps, where it is not known
      }
      if (written) {
        lines.put("w-" + name, user);
      }
      if (over || ended || forgotten) {
        assertDead(desk, 1);
      }
      if (rotated || ended || forgotten) {
        assertDead(phone, 1);
      }
      if (ended || forgotten) {
        assertDead(phone, 2);
        // Its epoch was asked for before, so it is over whichever of the two came first.
        assertDead(newSession, 1);
      }
      if (loggedIn && !erases) {
        assertThat(piecesOf(carried)).as("the line of the visitor of %s", name).isEqualTo(1);
      }
      if (loggedIn) {
        assertDead(visitor, browser, 1);
      }
    }

    /** How many of an article are in the user's orders and cart. */
    private int piecesOf(String sku) {
      int pieces = 0;
      int orders = 0;
      var history =
          (EventLog.History.Events)
              new JournaledEventLog(members.getFirst().journal, System::nanoTime)
                  .history(user, -1, 1_000);
      for (LoggedEvent event : history.events()) {
        Entry entry = event.entry();
        if (entry != null && entry.event() instanceof Event.CartCheckedOut checkedOut) {
          orders++;
          pieces += pieces(checkedOut.order().lines(), sku);
        }
      }
      assertThat(orders).as("orders of %s", name).isLessThanOrEqualTo(1);
      if (ask(user, new Command.Inspect()) instanceof Answer.Answered(Reply.Inspected seen, _)) {
        pieces += pieces(seen.cart().lines(), sku);
      }
      return pieces;
    }

    private static int pieces(List<Line> lines, String sku) {
      return lines.stream()
          .filter(line -> line.sku().value().equals(sku))
          .mapToInt(Line::quantity)
          .sum();
    }

    /** From whichever node it is asked. */
    private void assertDead(SessionId session, int generation) {
      assertDead(user, session, generation);
    }

    private void assertDead(OwnerKey owner, SessionId session, int generation) {
      for (Member member : members) {
        Answer answer =
            member
                .node
                .users()
                .ask(
                    owner,
                    new Command.Look(new Command.Access(session, generation)),
                    PATIENCE_MILLIS);
        if (answer instanceof Answer.Answered(Reply reply, _)) {
          assertThat(reply).as("%s of %s", session, name).isInstanceOf(Reply.Refused.class);
        }
      }
    }

    private @Nullable SessionId open(OwnerKey owner, @Nullable String of) {
      var session = new SessionId(random(), random());
      return isDone(ask(owner, openFor(session, of))) ? session : null;
    }

    private Answer act(OwnerKey owner, SessionId session, Action action) {
      return ask(
          owner,
          new Command.Act(
              new Command.Access(session, 1), request(), Precondition.None.none(), action));
    }

    private Action set(String sku) {
      return new Action.SetLine(
          new Line(new Sku(sku), 1, new Price(100, Price.currency("EUR")), null, Json.Obj.empty()));
    }

    private Request request() {
      return new Request(new RequestId(random(), random()), 0, false);
    }
  }

  private static boolean isDone(@Nullable Answer answer) {
    return answer instanceof Answer.Answered(Reply.Done done, _)
        && !(done.outcome() instanceof Outcome.Erased(long at, int _) && at == 0);
  }

  private static long random() {
    return ThreadLocalRandom.current().nextLong();
  }
}
