package dev.holdfast.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.cluster.ClusterSettings;
import dev.holdfast.cluster.Host;
import dev.holdfast.cluster.Node;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.feed.EventLog.Past;
import dev.holdfast.journal.FailingStore;
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
import dev.holdfast.user.Request;
import dev.holdfast.user.RequestId;
import dev.holdfast.user.SessionId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How far back the state of a user can be told, one event each second. */
@Timeout(60)
final class PastTest {

  private static final long START = 1_700_000_000_000L;
  private static final int SNAPSHOT = 50;
  private static final int EVENTS = 60;
  private static final OwnerKey USER = OwnerKey.ofUser("ada");
  private static final Owner STORED = new Owner(USER.high(), USER.low());
  private static final SessionId SESSION = new SessionId(1, 1);

  @TempDir private Path folder;

  private final AtomicLong clock = new AtomicLong(START);
  private FailingStore store;
  private Journal journal;
  private Node node;
  private JournaledEventLog log;

  @BeforeEach
  void changeAnAttributeEachSecond() throws JournalUnusable {
    var config = ConfigFactory.load();
    // One connection that reads: whoever needs another one while it reads waits for ever.
    store =
        new FailingStore(
            SqliteStore.open(folder, new SqliteOptions(1, SqliteOptions.UNLIMITED, false)));
    NodeId id = NodeId.random();
    store.nodes().claim(id, store.nodes().incarnation().number(), Duration.ZERO);
    journal =
        Journal.start(store, id, JournalSettings.from(config), InstantSource.system(), () -> {});
    node =
        Node.start(
            config,
            new ClusterSettings(10, 1_000, Duration.ofSeconds(1), 8),
            journal,
            new TrustedClock(() -> Instant.ofEpochMilli(clock.get()), clock::get, clock::get),
            Limits.defaults(),
            new Host(List.of(), Duration.ZERO, () -> {}, () -> {}));
    log = new JournaledEventLog(journal, clock::get);
    done(
        new Command.Open(
            request(1),
            SESSION,
            "ada",
            Json.Obj.empty(),
            Duration.ofDays(1).toMillis(),
            Duration.ofDays(7).toMillis()));
    for (int second = 2; second <= EVENTS; second++) {
      clock.addAndGet(1_000);
      done(
          new Command.Act(
              new Command.Access(SESSION, 1),
              request(second),
              Precondition.None.none(),
              new Command.Action.PutAttribute("second", new Json.Num(Integer.toString(second)))));
    }
    await().until(() -> journal.look(STORED).snapshot() != null);
    assertThat(Objects.requireNonNull(journal.look(STORED).snapshot()).number())
        .isEqualTo(SNAPSHOT);
  }

  @AfterEach
  void stop() {
    log.close();
    node.close();
    journal.close();
  }

  @Test
  void isReadOnOneConnection() {
    assertThat(log.history(USER, -1, EVENTS))
        .isInstanceOfSatisfying(
            EventLog.History.Events.class,
            history -> {
              assertThat(history.events()).hasSize(EVENTS);
              assertThat(history.more()).isFalse();
            });
    assertThat(log.history(USER, 0, EVENTS - 1))
        .isInstanceOfSatisfying(
            EventLog.History.Events.class,
            history -> {
              assertThat(history.events()).hasSize(EVENTS - 1);
              assertThat(history.more()).isTrue();
            });
  }

  @Test
  void isToldForEachMomentWhileAllEventsAreKept() {
    assertThat(log.at(USER, START - 1)).isEqualTo(new Past.Nobody());
    for (int second = 1; second <= EVENTS; second++) {
      @Nullable String said = second == 1 ? null : Integer.toString(second);
      assertThat(secondAt(moment(second))).isEqualTo(said);
      assertThat(secondAt(Math.min(moment(second) + 999, clock.get()))).isEqualTo(said);
    }
  }

  @Test
  void reachesBackToTheSnapshotOnceOlderEventsAreDeleted() {
    assertThat(journal.delete(STORED, SNAPSHOT)).isEqualTo(SNAPSHOT);

    assertThat(log.at(USER, START - 1)).isEqualTo(new Past.Forgotten());
    assertThat(log.at(USER, moment(SNAPSHOT) - 1)).isEqualTo(new Past.Forgotten());
    for (int second = SNAPSHOT; second <= EVENTS; second++) {
      assertThat(secondAt(moment(second))).isEqualTo(Integer.toString(second));
    }
  }

  @Test
  void isNeverMadeOfALogThatLostItsBeginningWhileItWasRead() {
    store.beforeNextStreamButOne(() -> journal.delete(STORED, SNAPSHOT));
    assertThat(secondAt(moment(SNAPSHOT + 1))).isEqualTo(Integer.toString(SNAPSHOT + 1));
  }

  @Test
  void isNoFuture() {
    assertThat(log.at(USER, clock.get() + 1)).isEqualTo(new Past.Ahead());
    assertThat(log.at(OwnerKey.ofUser("nobody"), clock.get() + 1)).isEqualTo(new Past.Ahead());
    // A clock that went back: what has happened since is still no future.
    clock.addAndGet(-5_000);
    assertThat(secondAt(moment(EVENTS))).isEqualTo(Integer.toString(EVENTS));
    assertThat(log.at(USER, moment(EVENTS) + 1)).isEqualTo(new Past.Ahead());
  }

  /** What the attribute said, null before it was there. */
  private @Nullable String secondAt(long moment) {
    Past past = log.at(USER, moment);
    assertThat(past).isInstanceOf(Past.Known.class);
    return ((Past.Known) past).user().sessions().getFirst().attributes().get("second")
            instanceof Json.Num number
        ? number.literal()
        : null;
  }

  private static long moment(int second) {
    return START + (second - 1) * 1_000L;
  }

  private void done(Command command) {
    assertThat(node.users().ask(USER, command, 10_000)).isInstanceOf(Answer.Answered.class);
  }

  private static Request request(int number) {
    return new Request(new RequestId(9, number), 0, false);
  }
}
