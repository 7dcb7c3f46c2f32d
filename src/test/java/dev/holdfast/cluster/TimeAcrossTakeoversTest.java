package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cart.Line;
import dev.holdfast.cart.Price;
import dev.holdfast.cart.Sku;
import dev.holdfast.cluster.SeveralNodes.Member;
import dev.holdfast.entity.Answer;
import dev.holdfast.feed.EventLog;
import dev.holdfast.feed.JournaledEventLog;
import dev.holdfast.feed.LoggedEvent;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What time does to sessions and carts while their node is lost, and the clock of the one that
 * takes them over is another, or jumps.
 */
@Timeout(120)
final class TimeAcrossTakeoversTest {

  /** So many that both nodes hold some of each kind. */
  private static final int USERS = 16;

  private static final Duration IDLE = Duration.ofMinutes(30);
  private static final Duration TENTH = IDLE.dividedBy(10);
  private static final Duration ABSOLUTE = Duration.ofHours(2);
  private static final Duration QUIET = Duration.ofHours(1);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /**
   * An event comes at least once, and within so long of its time when its node is lost meanwhile.
   */
  private static final Duration BOUND = Duration.ofSeconds(20);

  private final SeveralNodes nodes = new SeveralNodes();
  private List<Member> members;
  private Member staying;
  private Member lost;

  @BeforeEach
  void start() throws Exception {
    members = nodes.startAtOnce(2);
    staying = members.get(0);
    lost = members.get(1);
    await()
        .atMost(PATIENCE)
        .until(() ->
            staying.node.membership().nodes().stream()
                .allMatch(node -> node.shards().orElse(0) == SeveralNodes.SHARDS / 2));
  }

  @AfterEach
  void end() {
    nodes.close();
  }

  /** A session and the generation of its token. */
  private record Held(OwnerKey owner, SessionId session, int generation) {
    Command.Access access() {
      return new Command.Access(session, generation);
    }
  }

  @Test
  void noTokenThatWasEndedWorksAgainWhateverTheClockOfTheOneWhoTakesOver() {
    List<Held> loggedOut = open("out");
    List<Held> rotated = open("rotated");
    List<Held> expired = open("expired");
    List<Held> alive = open("alive");
    loggedOut.forEach(held -> done(held, new Action.LogOut()));
    passes(TENTH.multipliedBy(5));
    rotated.forEach(held -> done(held, new Action.Rotate()));
    alive.forEach(this::assertAlive);
    passes(TENTH.multipliedBy(6));
    expired.forEach(this::assertDead); // told, so it is journaled

    // The clock of the one that stays is set back to before they had expired.
    staying.clocks.jump(IDLE.plus(IDLE).negated());
    lost.crash();

    for (List<Held> ended : List.of(loggedOut, rotated, expired)) {
      ended.forEach(this::assertDead);
    }
    rotated.forEach(held -> assertAlive(new Held(held.owner, held.session, 2)));
    alive.forEach(this::assertAlive);
    assertThat(lost.journal.nodes().isFenced(lost.id())).isTrue();
  }

  @Test
  void activityIsNeverTakenBackAndTheAbsoluteLimitHolds() {
    List<Held> seen = open("seen");
    List<Held> unseen = open("unseen");
    passes(TENTH.dividedBy(2));
    seen.forEach(this::assertAlive); // too little to be journaled: only the lost node knows
    passes(IDLE.minus(TENTH.dividedBy(2)).plusSeconds(1));

    lost.crash();

    seen.forEach(this::assertAlive);
    // Nobody expires by a clock that has jumped ahead.
    List<Held> late = open("late");
    staying.clocks.jump(ABSOLUTE);
    late.forEach(this::assertAlive);
    staying.clocks.jump(ABSOLUTE.negated());
    passes(TENTH.plusSeconds(1));
    unseen.forEach(this::assertDead);

    // Activity without end, up to the limit, which is counted from the opening at the lost node.
    Duration used = IDLE.plus(TENTH).plusSeconds(2);
    while (used.plus(IDLE.dividedBy(2)).compareTo(ABSOLUTE) < 0) {
      passes(IDLE.dividedBy(2));
      used = used.plus(IDLE.dividedBy(2));
      seen.forEach(this::assertAlive);
    }
    passes(ABSOLUTE.minus(used));
    seen.forEach(this::assertDead);
  }

  @Test
  void whatIsDueComesOnceAndInTimeThoughItsNodeIsLostAndTheClockJumps() {
    List<Held> left = open("left");
    left.forEach(held -> done(held, set("tea")));

    // Their node is lost at the moment at which their sessions are over.
    passes(IDLE.plus(TENTH));
    lost.crash();
    awaitEach(left, "session.expired.v1");

    // By a clock that has jumped no cart is abandoned.
    staying.clocks.jump(QUIET.plus(QUIET));
    Held witness = open("witness").getFirst();
    assertAlive(witness);
    assertThat(named("cart.abandoned.v1")).isEmpty();

    staying.clocks.jump(QUIET.plus(QUIET).negated());
    passes(QUIET);
    awaitEach(left, "cart.abandoned.v1");
    passes(QUIET.plus(QUIET));
    awaitEach(left, "session.expired.v1");
    assertThat(named("cart.abandoned.v1")).as("once for one quiet time").hasSize(USERS);
    assertThat(feed()).extracting(LoggedEvent::id).doesNotHaveDuplicates();
  }

  // ---------------------------------------------------------------------------------------------

  /** Waits until each of them has such an event, one. */
  private void awaitEach(List<Held> owners, String type) {
    await()
        .atMost(BOUND)
        .untilAsserted(() ->
            assertThat(named(type).stream().map(LoggedEvent::owner).toList())
                .containsAll(owners.stream().map(Held::owner).toList()));
    var told = new HashSet<OwnerKey>();
    for (LoggedEvent event : named(type)) {
      assertThat(told.add(event.owner())).as("%s of %s once", type, event.owner()).isTrue();
    }
  }

  private List<LoggedEvent> named(String type) {
    return feed().stream().filter(event -> event.type().equals(type)).toList();
  }

  private List<LoggedEvent> feed() {
    try (var log = new JournaledEventLog(staying.journal, staying.clocks::wall)) {
      var all = new ArrayList<LoggedEvent>();
      EventLog.Feed.Events page =
          (EventLog.Feed.Events) log.feed(new EventLog.Reading(null, null, 1_000, 0));
      all.addAll(page.events());
      while (page.more()) {
        page = (EventLog.Feed.Events) log.feed(new EventLog.Reading(null, page.next(), 1_000, 0));
        all.addAll(page.events());
      }
      return all;
    }
  }

  private void passes(Duration time) {
    members.forEach(member -> member.clocks.pass(time));
  }

  private List<Held> open(String kind) {
    return IntStream.range(0, USERS)
        .mapToObj(i -> {
          String user = kind + "-" + i;
          var held = new Held(OwnerKey.ofUser(user), new SessionId(random(), random()), 1);
          assertDone(
              ask(
                  held.owner,
                  new Command.Open(
                      request(),
                      held.session,
                      user,
                      Json.Obj.empty(),
                      IDLE.toMillis(),
                      ABSOLUTE.toMillis())));
          return held;
        })
        .toList();
  }

  private void done(Held held, Action action) {
    assertDone(
        ask(
            held.owner,
            new Command.Act(held.access(), request(), Precondition.None.none(), action)));
  }

  private static void assertDone(Answer answer) {
    assertThat(answer)
        .isInstanceOfSatisfying(
            Answer.Answered.class,
            answered -> assertThat(answered.reply()).isInstanceOf(Reply.Done.class));
  }

  private void assertAlive(Held held) {
    assertThat(look(held)).as("%s", held).isInstanceOf(Reply.Seen.class);
  }

  private void assertDead(Held held) {
    assertThat(look(held))
        .as("%s", held)
        .isInstanceOfSatisfying(
            Reply.Refused.class,
            refused ->
                assertThat(refused.refusal().reason()).isEqualTo(Refusal.Reason.SESSION_INVALID));
  }

  private Reply look(Held held) {
    Answer answer = ask(held.owner, new Command.Look(held.access()));
    assertThat(answer).isInstanceOf(Answer.Answered.class);
    return ((Answer.Answered) answer).reply();
  }

  private Answer ask(OwnerKey owner, Command command) {
    return staying.node.users().ask(owner, command, PATIENCE.toMillis());
  }

  private static Action set(String sku) {
    return new Action.SetLine(
        new Line(new Sku(sku), 1, new Price(100, Price.currency("EUR")), null, Json.Obj.empty()));
  }

  private static Request request() {
    return new Request(new RequestId(random(), random()), 0, false);
  }

  private static long random() {
    return ThreadLocalRandom.current().nextLong();
  }
}
