package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import dev.holdfast.json.Json;
import dev.holdfast.user.Command;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Precondition;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Very many sessions that are over at the same moment, most of users who are not in memory. */
@Timeout(60)
final class ExpirySurgeTest {

  private static final int SESSIONS = 2_000;
  private static final int IN_MEMORY = 300;
  private static final int PARALLEL = 16;
  private static final int CALLERS = 4;
  private static final long IDLE_MILLIS = 60_000;
  private static final SessionId SESSION = new SessionId(0, 0);

  @TempDir private Path folder;

  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);
  private final AtomicInteger inHand = new AtomicInteger();
  private final AtomicInteger mostInHand = new AtomicInteger();
  private final AtomicInteger woken = new AtomicInteger();
  private Journal journal;
  private Node node;

  @BeforeEach
  void start() throws JournalUnusable {
    var config = ConfigFactory.load();
    var store = SqliteStore.open(folder, SqliteOptions.defaults());
    NodeId id = NodeId.random();
    store.nodes().claim(id, store.nodes().incarnation().number(), Duration.ZERO);
    journal =
        Journal.start(store, id, JournalSettings.from(config), InstantSource.system(), () -> {});
    node =
        Node.start(
            config,
            // Its own agenda does not come to look.
            new ClusterSettings(10, IN_MEMORY, Duration.ofHours(1), PARALLEL),
            journal,
            trustedClock(),
            Limits.defaults(),
            new Host(List.of(), Duration.ZERO, () -> {}, () -> {}));
  }

  @AfterEach
  void stop() {
    node.close();
    journal.close();
  }

  @Test
  void endsEachOnceFewAtATimeWhileOthersAreAnswered() throws Exception {
    List<OwnerKey> visitors =
        IntStream.range(0, SESSIONS).mapToObj(i -> open(i, IDLE_MILLIS)).toList();
    List<OwnerKey> shoppers =
        IntStream.range(SESSIONS, SESSIONS + CALLERS)
            .mapToObj(i -> open(i, Duration.ofDays(1).toMillis()))
            .toList();
    await().until(() -> node.population().inMemory() < 2 * IN_MEMORY); // the others have left
    clock.addAndGet(IDLE_MILLIS + IDLE_MILLIS / 10);
    var settings = new ClusterSettings(10, IN_MEMORY, Duration.ofMillis(50), PARALLEL);
    var done = new AtomicBoolean();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor();
        var agenda = new Agenda(journal, this::wake, node::owners, trustedClock(), settings)) {
      agenda.start();
      var shopping = new ArrayList<Future<Integer>>();
      for (OwnerKey shopper : shoppers) {
        shopping.add(callers.submit(() -> shop(shopper, done)));
      }
      await()
          .atMost(Duration.ofSeconds(40))
          .untilAsserted(() -> assertThat(woken.get()).isGreaterThanOrEqualTo(SESSIONS));
      await()
          .untilAsserted(() ->
              assertThat(visitors)
                  .allSatisfy(visitor ->
                      assertThat(eventsOf(visitor))
                          .containsExactly("session.opened.v1", "session.expired.v1")));
      done.set(true);
      for (Future<Integer> one : shopping) {
        assertThat(one.get()).as("changes that were acknowledged meanwhile").isPositive();
      }
    }
    assertThat(mostInHand.get()).isBetween(1, PARALLEL);
    assertThat(woken.get()).as("each once").isEqualTo(SESSIONS);
    assertThat(node.population().inMemory()).isLessThan(2 * IN_MEMORY);
  }

  /** The agenda's way to the users. */
  private Answer wake(OwnerKey owner, Command command, long timeoutMillis) {
    mostInHand.accumulateAndGet(inHand.incrementAndGet(), Math::max);
    try {
      return node.users().ask(owner, command, timeoutMillis);
    } finally {
      woken.incrementAndGet();
      inHand.decrementAndGet();
    }
  }

  /** {@return how many changes were acknowledged; each had to be} */
  private int shop(OwnerKey shopper, AtomicBoolean done) {
    int changes = 0;
    for (; !done.get(); changes++) {
      Answer answer =
          node.users()
              .ask(
                  shopper,
                  new Command.Act(
                      new Command.Access(SESSION, 1),
                      new Request(new RequestId(shopper.low(), changes), 0, false),
                      Precondition.None.none(),
                      new Command.Action.PutAttribute(
                          "n", new Json.Num(Integer.toString(changes)))),
                  2_000);
      assertThat(answer)
          .isInstanceOfSatisfying(
              Answer.Answered.class,
              answered -> assertThat(answered.reply()).isInstanceOf(Reply.Done.class));
    }
    return changes;
  }

  private OwnerKey open(int number, long idleMillis) {
    var owner = new OwnerKey((long) number << 51 ^ number, number);
    assertThat(
            node.users()
                .ask(
                    owner,
                    new Command.Open(
                        new Request(new RequestId(1, number), 0, false),
                        SESSION,
                        null,
                        Json.Obj.empty(),
                        idleMillis,
                        Duration.ofDays(7).toMillis()),
                    10_000))
        .isInstanceOf(Answer.Answered.class);
    return owner;
  }

  private List<String> eventsOf(OwnerKey owner) {
    var names = new ArrayList<String>();
    journal.eventsOf(
        new Owner(owner.high(), owner.low()), stored -> names.add(stored.event().name()));
    return names;
  }

  private TrustedClock trustedClock() {
    return new TrustedClock(() -> Instant.ofEpochMilli(clock.get()), clock::get, clock::get);
  }
}
