package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.ANN;
import static dev.holdfast.journal.JournalContract.BOB;
import static dev.holdfast.journal.JournalContract.CAT;
import static dev.holdfast.journal.JournalContract.owner;
import static dev.holdfast.journal.JournalContract.writeOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.NotWritten.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a running journal deletes: by itself in the course of time, and when it is told to. */
@Timeout(60)
class RetentionTest {

  private static final Duration HISTORY = Duration.ofDays(7);
  private static final long YOUNG = 1_000;

  @TempDir Path folder;

  private final NodeId node = new NodeId("node");
  private final AtomicReference<OptionalLong> clock = new AtomicReference<>(at(0));
  private final AtomicReference<List<OwnerRange>> ranges =
      new AtomicReference<>(List.of(OwnerRange.ALL));
  private final AtomicInteger sweeps = new AtomicInteger();

  private SqliteStore sqlite;
  private FailingStore store;
  private Journal journal;
  private Retention retention;

  @BeforeEach
  void start() throws JournalUnusable {
    sqlite = SqliteStore.open(folder, SqliteOptions.defaults());
    sqlite.nodes().claim(node, 0, Duration.ZERO);
    store = new FailingStore(sqlite);
    journal =
        Journal.start(
            store,
            node,
            JournalSettings.from(ConfigFactory.load()),
            InstantSource.system(),
            () -> {});
    for (int i = 0; i < 30; i++) {
      journal.write(writeOf(owner(i), 1, 10)).join();
      snapshot(owner(i), 10);
    }
    retention =
        Retention.start(
            journal,
            new RetentionSettings(HISTORY, 100, 1_000, 20, Duration.ofMillis(5)),
            () -> {
              sweeps.incrementAndGet();
              return ranges.get();
            },
            clock::get);
  }

  /** The time at which events before {@code moment} have had their history. */
  private static OptionalLong at(long moment) {
    return OptionalLong.of(moment + HISTORY.toMillis());
  }

  private void snapshot(Owner owner, long number) {
    sqlite.write(
        node,
        List.of(),
        List.of(new SnapshotWrite(owner, number, 0, new JournalSnapshot("s.v1", new byte[9]))));
  }

  @AfterEach
  void close() {
    retention.close();
    journal.close();
  }

  @Test
  void deletesWhatHasBeenKeptLongEnough() {
    awaitSweep();
    assertThat(journal.metrics().trimmed()).isZero();
    assertThat(journal.metrics().longestLog()).isEqualTo(10);

    clock.set(at(4));
    await().untilAsserted(() -> assertThat(journal.metrics().longestLog()).isEqualTo(7));

    assertThat(journal.metrics().trimmed()).isEqualTo(30 * 3);
    assertThat(numbers(owner(7))).startsWith(4L).hasSize(7);

    clock.set(at(YOUNG));
    await().untilAsserted(() -> assertThat(journal.metrics().longestLog()).isEqualTo(1));
    assertThat(numbers(owner(29))).containsExactly(10L);
  }

  @Test
  void keepsNoMoreOfAUserThanTheCapHoweverYoung() {
    journal.write(writeOf(CAT, 11, 490)).join();
    await().untilAsserted(() -> assertThat(journal.metrics().ownersOverCap()).isEqualTo(1));

    snapshot(CAT, 450);
    await()
        .untilAsserted(() -> {
          assertThat(journal.metrics().ownersOverCap()).isZero();
          assertThat(journal.metrics().longestLog()).isEqualTo(100);
        });
    assertThat(numbers(CAT)).startsWith(401L).hasSize(100);
  }

  @Test
  void deletesNothingByAClockThatCannotBeTrusted() {
    clock.set(OptionalLong.empty());
    awaitNoMorePages();
    assertThat(journal.metrics().trimmed()).isZero();

    clock.set(at(YOUNG));
    await().untilAsserted(() -> assertThat(journal.metrics().trimmed()).isEqualTo(30 * 9));
  }

  @Test
  void goesOnWhenTheStoreIsBack() {
    store.breakDown(new NotWritten(Reason.UNAVAILABLE, "planted"));
    clock.set(at(YOUNG));
    journal.write(writeOf(ANN, 11, 1)).exceptionally(_ -> null).join();
    assertThat(journal.metrics().trimmed()).isZero();

    store.repair();

    await().untilAsserted(() -> assertThat(journal.metrics().trimmed()).isEqualTo(30 * 9));
  }

  @Test
  void looksAfterItsOwnRangesOnly() {
    ranges.set(List.of(new OwnerRange(owner(3), owner(5)), new OwnerRange(owner(20), owner(20))));
    awaitSweep();
    clock.set(at(YOUNG));

    await().untilAsserted(() -> assertThat(journal.metrics().trimmed()).isEqualTo(4 * 9));
    awaitSweep();
    assertThat(numbers(owner(2))).hasSize(10);
    assertThat(numbers(owner(5))).containsExactly(10L);
    assertThat(numbers(owner(21))).hasSize(10);
  }

  @Test
  void refusesAHistoryThatIsTooShort() {
    assertThatThrownBy(
            () -> new RetentionSettings(Duration.ofDays(1), 100, 1, 1, Duration.ofMillis(5)))
        .hasMessageContaining("holdfast.journal.retention.history");
  }

  @Test
  void purgesManyWhoWaitAtOnce() {
    List<CompletableFuture<Boolean>> purges = new ArrayList<>();
    for (int i = 0; i < 29; i++) {
      purges.add(journal.purge(owner(i), i == 4 ? 9 : 10, 0));
    }

    for (int i = 0; i < 29; i++) {
      assertThat(purges.get(i).join()).isEqualTo(i != 4);
    }
    assertThat(journal.metrics().purged()).isEqualTo(28);
    assertThat(sqlite.highest(ANN)).isZero();
    assertThat(sqlite.highest(owner(4))).isEqualTo(10);
  }

  @Test
  void tellsWhyNobodyWasPurgedOrErased() {
    store.breakDown(new NotWritten(Reason.UNAVAILABLE, "planted"));

    assertThat(journal.purge(ANN, 10, 0)).failsWithin(Duration.ofSeconds(10));
    assertThat(journal.erase(BOB, 10, 10, 0)).failsWithin(Duration.ofSeconds(10));
    store.repair();
    assertThat(journal.purge(ANN, 10, 0).join()).isTrue();
    assertThat(journal.erase(BOB, 10, 10, JournalEvent.NO_DEADLINE).join()).isTrue();
    assertThat(numbers(BOB)).containsExactly(10L);

    retention.close();
    journal.close();
    assertThat(journal.purge(CAT, 10, 0)).failsWithin(Duration.ofSeconds(10));
    assertThat(journal.erase(CAT, 10, 10, 0)).failsWithin(Duration.ofSeconds(10));
  }

  @Test
  void recoversNobodyFromWhatWasHeldBeforeThePurge() {
    journal.prefetch(List.of(ANN)).join();

    assertThat(journal.purge(ANN, 10, 0).join()).isTrue();

    assertThat(journal.recover(ANN).join().highest()).isZero();
  }

  private void awaitSweep() {
    int sweep = sweeps.get();
    // The one under way may have begun before; the one after it has ended when another begins.
    await().until(() -> sweeps.get() >= sweep + 2);
  }

  private void awaitNoMorePages() {
    await()
        .during(Duration.ofMillis(100))
        .atMost(Duration.ofSeconds(10))
        .until(
            new Object() {
                  private int seen = -1;

                  boolean stands() {
                    boolean stands = sweeps.get() == seen;
                    seen = sweeps.get();
                    return stands;
                  }
                }
                ::stands);
  }

  private List<Long> numbers(Owner owner) {
    List<Long> numbers = new ArrayList<>();
    sqlite.read(owner, 1, Long.MAX_VALUE, Long.MAX_VALUE, event -> numbers.add(event.number()));
    return numbers;
  }
}
