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
import dev.holdfast.user.Command.Access;
import dev.holdfast.user.Limits;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole node without HTTP: a cluster of one over a journal on disk. */
@Timeout(60)
final class NodeTest {

  private static final int IN_MEMORY = 200;
  private static final int SHARDS = 10;
  private static final long IDLE_MILLIS = 60_000;
  private static final long PAUSE_NANOS = 1_000_000;

  @TempDir private Path folder;

  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);
  private Journal journal;
  private Node node;

  @BeforeEach
  void start() throws JournalUnusable {
    var config = ConfigFactory.load();
    var store = SqliteStore.open(folder, SqliteOptions.defaults());
    NodeId id = NodeId.random();
    assertThat(store.nodes().claim(id, store.nodes().incarnation().number(), Duration.ZERO))
        .isNotNull();
    journal =
        Journal.start(store, id, JournalSettings.from(config), InstantSource.system(), () -> {});
    node =
        Node.start(
            config,
            new ClusterSettings(SHARDS, IN_MEMORY, Duration.ofMillis(50), 16),
            journal,
            new TrustedClock(() -> Instant.ofEpochMilli(clock.get()), clock::get, clock::get),
            Limits.defaults(),
            new Host(List.of(), Duration.ZERO, () -> {}, () -> {}));
  }

  @AfterEach
  void stop() {
    node.close();
    journal.close();
  }

  @Test
  void isUpOnceItHasStarted() {
    assertThat(node.isUp()).isTrue();
  }

  @Test
  void givesAnEmptyAnswerForAUserWhoNeverWas() {
    assertThat(node.users().ask(OwnerKey.ofUser("nobody"), new Command.AskEpoch(), 5_000))
        .isEqualTo(new Answer.Answered(new Reply.Epoch(0), "node-1"));
  }

  @Test
  void keepsABoundedNumberOfUsersInMemoryAndLosesNone() {
    List<OwnerKey> users = open(5 * IN_MEMORY);
    await()
        .untilAsserted(
            () -> assertThat(node.population().inMemory()).isLessThanOrEqualTo(IN_MEMORY + SHARDS));
    for (OwnerKey user : users) {
      assertThat(look(user)).isInstanceOf(Reply.Seen.class);
    }
    assertThat(node.population().inMemory()).isLessThan(2L * IN_MEMORY);
  }

  @Test
  void endsSessionsOfUsersWhoAreNotInMemory() {
    List<OwnerKey> users = open(2 * IN_MEMORY);
    clock.addAndGet(IDLE_MILLIS + IDLE_MILLIS / 10);
    await()
        .untilAsserted(() ->
            assertThat(users)
                .allSatisfy(user -> assertThat(eventsOf(user)).endsWith("session.expired.v1")));
  }

  @Test
  void findsAllUsersAgainAfterAStop() throws JournalUnusable {
    List<OwnerKey> users = open(50);
    stop();
    start();
    assertThat(users).allSatisfy(user -> assertThat(look(user)).isInstanceOf(Reply.Seen.class));
  }

  @Test
  void endsSessionsThatWereDueWhileItWasDown() throws JournalUnusable {
    List<OwnerKey> users = open(50);
    stop();
    clock.addAndGet(Duration.ofDays(1).toMillis());
    start();
    await()
        .untilAsserted(() ->
            assertThat(users)
                .allSatisfy(user -> assertThat(eventsOf(user)).endsWith("session.expired.v1")));
    assertThat(look(users.getFirst())).isEqualTo(new Reply.Refused(invalid()));
  }

  @Test
  void sweepsPastAUserWhoCannotBeReadWithoutReadingThemAgainAndAgain() throws Exception {
    List<OwnerKey> users = open(50);
    OwnerKey broken = users.get(20);
    stop();
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
        PreparedStatement update =
            connection.prepareStatement("UPDATE event SET name = 'of.later.v1' WHERE owner = ?")) {
      update.setBytes(1, new Owner(broken.high(), broken.low()).bytes());
      assertThat(update.executeUpdate()).isEqualTo(1);
    }
    clock.addAndGet(Duration.ofDays(1).toMillis());
    start();
    List<OwnerKey> others = users.stream().filter(user -> !user.equals(broken)).toList();
    await().untilAsserted(() -> assertThat(others).allSatisfy(this::isExpired));
    await().until(() -> node.population().unreadable().count() == 1);
    long started = node.population().started();

    // Later sweeps have others to wake, and no more than these.
    for (int i = 0; i < 5; i++) {
      OwnerKey next = openLater(i);
      clock.addAndGet(2 * IDLE_MILLIS);
      await().untilAsserted(() -> isExpired(next));
    }

    assertThat(node.population().started() - started).isLessThanOrEqualTo(5);
    assertThat(node.population().unreadable().list())
        .singleElement()
        .satisfies(user -> assertThat(user.owner()).isEqualTo(broken));
    assertThat(node.users().ask(broken, new Command.AskEpoch(), 5_000))
        .isEqualTo(new Answer.Unreadable());
  }

  private void isExpired(OwnerKey user) {
    assertThat(eventsOf(user)).endsWith("session.expired.v1");
  }

  private OwnerKey openLater(int number) {
    OwnerKey owner = OwnerKey.ofUser("later-" + number);
    assertThat(
            node.users()
                .ask(
                    owner,
                    new Command.Open(
                        new Request(new RequestId(2, number), 0, false),
                        new SessionId(0, 0),
                        "later-" + number,
                        Json.Obj.empty(),
                        IDLE_MILLIS,
                        Duration.ofDays(7).toMillis()),
                    10_000))
        .isInstanceOf(Answer.Answered.class);
    return owner;
  }

  @Test
  void removesUsersOfWhomNothingIsLeftAndAnswersThoseWhoComeBackMeanwhile() throws Exception {
    List<OwnerKey> users = open(100);
    clock.addAndGet(Duration.ofDays(1).toMillis());
    await()
        .untilAsserted(() ->
            assertThat(users)
                .allSatisfy(user -> assertThat(eventsOf(user)).endsWith("session.expired.v1")));
    OwnerKey late = new OwnerKey(1, 1);
    openAt(late, 1_000, null); // its event has the highest position, which stays
    clock.addAndGet(Duration.ofDays(91).toMillis());

    // Some come back at that very moment, over and over: each call is answered, by whom they were
    // or by whom they are anew.
    AtomicBoolean done = new AtomicBoolean();
    AtomicLong slowest = new AtomicLong();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      var calls = new ArrayList<Future<?>>();
      for (OwnerKey user : users.subList(0, 10)) {
        calls.add(
            callers.submit(() -> {
              while (!done.get()) {
                long began = System.nanoTime();
                assertThat(node.users().ask(user, new Command.AskEpoch(), 10_000))
                    .isInstanceOf(Answer.Answered.class);
                slowest.accumulateAndGet(System.nanoTime() - began, Math::max);
                // Without a pause the callers alone would use all processors.
                LockSupport.parkNanos(PAUSE_NANOS);
              }
            }));
      }
      await()
          .untilAsserted(
              () -> assertThat(users).allSatisfy(user -> assertThat(eventsOf(user)).isEmpty()));
      done.set(true);
      for (Future<?> call : calls) {
        call.get();
      }
    }
    assertThat(Duration.ofNanos(slowest.get()))
        .as("held back, not lost and asked again")
        .isLessThan(Duration.ofMillis(2_400));
    assertThat(journal.metrics().purged()).isEqualTo(100);
    openAt(users.getFirst(), 2_000, "user-0");
    assertThat(eventsOf(users.getFirst())).containsExactly("session.opened.v1");
  }

  private void openAt(OwnerKey owner, int request, @Nullable String user) {
    assertThat(
            node.users()
                .ask(
                    owner,
                    new Command.Open(
                        new Request(new RequestId(1, request), 0, false),
                        new SessionId(0, request),
                        user,
                        Json.Obj.empty(),
                        Duration.ofDays(100).toMillis(),
                        Duration.ofDays(100).toMillis()),
                    10_000))
        .isInstanceOf(Answer.Answered.class);
  }

  private List<OwnerKey> open(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> {
          OwnerKey owner = OwnerKey.ofUser("user-" + i);
          Answer answer =
              node.users()
                  .ask(
                      owner,
                      new Command.Open(
                          new Request(new RequestId(1, i), 0, false),
                          new SessionId(0, 0),
                          "user-" + i,
                          Json.Obj.empty(),
                          IDLE_MILLIS,
                          Duration.ofDays(7).toMillis()),
                      10_000);
          assertThat(answer).isInstanceOf(Answer.Answered.class);
          return owner;
        })
        .toList();
  }

  private Reply look(OwnerKey owner) {
    Answer answer =
        node.users().ask(owner, new Command.Look(new Access(new SessionId(0, 0), 1)), 10_000);
    assertThat(answer).isInstanceOf(Answer.Answered.class);
    return ((Answer.Answered) answer).reply();
  }

  private List<String> eventsOf(OwnerKey owner) {
    var names = new ArrayList<String>();
    journal.eventsOf(
        new Owner(owner.high(), owner.low()), stored -> names.add(stored.event().name()));
    return names;
  }

  private static Refusal invalid() {
    return new Refusal(
        Refusal.Reason.SESSION_INVALID, "The session token is not, or no longer, valid.", 0);
  }
}
