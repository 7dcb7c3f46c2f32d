package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.ANN;
import static dev.holdfast.journal.JournalContract.BOB;
import static dev.holdfast.journal.JournalContract.owner;
import static dev.holdfast.journal.JournalContract.writeOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is read for owners that come back, and what is held of it between Pekko's questions. */
@Timeout(60)
class RecoveriesTest {

  @TempDir Path folder;

  private final NodeId node = new NodeId("node");
  private SqliteStore store;
  private FailingStore failing;
  private Journal journal;

  @BeforeEach
  void start() throws JournalUnusable {
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    store.nodes().claim(node, 0, Duration.ZERO);
    start("");
  }

  private void start(String settings) {
    Config config = ConfigFactory.parseString(settings).withFallback(ConfigFactory.load());
    failing = new FailingStore(store);
    journal =
        Journal.start(
            failing, node, JournalSettings.from(config), InstantSource.system(), () -> {});
  }

  @AfterEach
  void close() {
    failing.repairReading();
    journal.close();
  }

  @Test
  void holdsARecoveryUntilItIsReplayed() {
    write(ANN, 1, 5);

    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(5);
    assertThat(recoveries().heldCount()).isEqualTo(1);
    assertThat(recoveries().highest(ANN).join()).isEqualTo(5);
    assertThat(replay(ANN, 1, 5, Long.MAX_VALUE)).containsExactly(1L, 2L, 3L, 4L, 5L);

    assertThat(recoveries().heldCount()).isZero();
    assertThat(journal.metrics().recoveryQueries()).isEqualTo(1);
  }

  @Test
  void answersWithoutAnythingHeld() {
    write(ANN, 1, 5);

    assertThat(recoveries().highest(ANN).join()).isEqualTo(5);
    assertThat(recoveries().highest(BOB).join()).isZero();
    assertThat(replay(ANN, 2, 4, Long.MAX_VALUE)).containsExactly(2L, 3L, 4L);
  }

  @Test
  void replaysPartOfWhatIsHeld() {
    write(ANN, 1, 5);

    recoveries().begin(ANN).join();
    assertThat(replay(ANN, 3, 4, Long.MAX_VALUE)).containsExactly(3L, 4L);
    recoveries().begin(ANN).join();
    assertThat(replay(ANN, 1, Long.MAX_VALUE, 2)).containsExactly(1L, 2L);
  }

  @Test
  void replaysEventsBeforeTheSnapshotFromTheStore() {
    write(ANN, 1, 5);
    snapshot(ANN, 3);

    assertThat(recoveries().begin(ANN).join().snapshotNumber()).isEqualTo(3);
    assertThat(replay(ANN, 1, 5, Long.MAX_VALUE)).containsExactly(1L, 2L, 3L, 4L, 5L);
  }

  @Test
  void forgetsWhatItHoldsOfAnOwnerThatWrites() {
    write(ANN, 1, 2);
    recoveries().begin(ANN).join();

    journal.write(writeOf(ANN, 3, 1)).join();

    assertThat(recoveries().heldCount()).isZero();
    assertThat(recoveries().highest(ANN).join()).isEqualTo(3);
    assertThat(replay(ANN, 1, 3, Long.MAX_VALUE)).containsExactly(1L, 2L, 3L);
  }

  @Test
  void readsAnewEachTimeARecoveryBegins() {
    write(ANN, 1, 2);
    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(2);

    // As another node does: this one does not hear of it.
    write(ANN, 3, 1);

    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(3);
    assertThat(recoveries().highest(ANN).join()).isEqualTo(3);
    assertThat(replay(ANN, 1, 3, Long.MAX_VALUE)).containsExactly(1L, 2L, 3L);
  }

  @Test
  void holdsNoMoreThanItMay() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.max-prefetched = 3");
    for (int i = 0; i < 10; i++) {
      write(owner(i), 1, 1);
      recoveries().begin(owner(i)).join(); // waits while there is no room, and is read all the same
      assertThat(recoveries().heldCount()).isLessThanOrEqualTo(3);
    }

    for (int i = 0; i < 10; i++) {
      assertThat(replay(owner(i), 1, 1, Long.MAX_VALUE)).as("held or not").containsExactly(1L);
    }
    assertThat(recoveries().heldCount()).isZero();
  }

  @Test
  void holdsNothingForLong() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.prefetch-ttl = 50 ms");
    write(ANN, 1, 1);
    recoveries().begin(ANN).join();

    await().until(() -> recoveries().heldCount() == 0);
    assertThat(replay(ANN, 1, 1, Long.MAX_VALUE)).containsExactly(1L);
  }

  @Test
  void streamsWhatALongLogHasBeyondItsBeginning() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.max-events = 10");
    write(ANN, 1, 35);
    snapshot(ANN, 5);

    recoveries().begin(ANN).join();
    assertThat(replay(ANN, 6, 35, Long.MAX_VALUE)).hasSize(30).isSorted().first().isEqualTo(6L);
    recoveries().begin(ANN).join();
    assertThat(replay(ANN, 6, 35, 12)).hasSize(12).isSorted().first().isEqualTo(6L);
    recoveries().begin(ANN).join();
    assertThat(replay(ANN, 20, 22, Long.MAX_VALUE)).containsExactly(20L, 21L, 22L);
  }

  @Test
  void recoversOwnersThatWaitTogether() {
    int owners = 2_000;
    for (int i = 0; i < owners; i++) {
      write(owner(i), 1, 1);
    }

    List<CompletableFuture<Recovered>> recovered =
        IntStream.range(0, owners).mapToObj(i -> recoveries().recover(owner(i))).toList();

    for (int i = 0; i < owners; i++) {
      assertThat(recovered.get(i).join().owner()).isEqualTo(owner(i));
    }
    assertThat(journal.metrics().recoveries()).isEqualTo(owners);
    assertThat(journal.metrics().recoveryQueries()).isLessThan(owners / 2);
  }

  @Test
  void answersEveryoneWhoAsksForTheSameOwner() {
    write(ANN, 1, 3);

    List<CompletableFuture<Recovered>> answers =
        IntStream.range(0, 100).mapToObj(i -> recoveries().recover(ANN)).toList();

    assertThat(answers).allSatisfy(answer -> assertThat(answer.join().highest()).isEqualTo(3));
  }

  @Test
  void failsQuestionsOnceItIsClosed() {
    Recoveries closed = recoveries();
    journal.close();

    for (CompletableFuture<?> answer :
        List.of(closed.recover(ANN), closed.highest(ANN), closed.begin(ANN))) {
      Assertions.assertThatThrownBy(answer::join)
          .isInstanceOf(CompletionException.class)
          .hasCauseInstanceOf(StoreUnreadable.class);
    }
  }

  // ---- what is read first

  @Test
  void readsThoseWhoAreWaitedForBeforeThoseWhoAreReadAhead() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.readers = 1");
    write(ANN, 1, 1);
    failing.fallSilent();
    var first = recoveries().recover(BOB);
    await().until(() -> recoveries().waiting() == 0);
    var ahead = recoveries().prefetch(IntStream.range(10, 500).mapToObj(i -> owner(i)).toList());
    var aheadOfAnn = recoveries().recover(ANN).thenApply(_ -> recoveries().heldCount());

    failing.repairReading();

    assertThat(aheadOfAnn.join()).as("read ahead before ann").isZero();
    ahead.join();
    first.join();
  }

  @Test
  void readsThoseWhoAreWaitedForInTheOrderOfTheirComing() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery { readers = 1, max-group = 2 }");
    failing.fallSilent();
    var first = recoveries().recover(BOB);
    await().until(() -> recoveries().waiting() == 0);
    List<Integer> order = new ArrayList<>();
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int number = i;
      all.add(recoveries().recover(owner(10 + i)).thenAccept(_ -> order.add(number)));
    }

    failing.repairReading();

    first.join();
    all.forEach(CompletableFuture::join);
    assertThat(order).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
  }

  @Test
  void refusesMoreThanMayWait() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery { readers = 1, max-waiting = 3 }");
    failing.fallSilent();
    var first = recoveries().recover(BOB);
    await().until(() -> recoveries().waiting() == 0);
    var waiting = IntStream.range(0, 3).mapToObj(i -> recoveries().recover(owner(i))).toList();

    Assertions.assertThatThrownBy(() -> recoveries().recover(ANN).join())
        .hasCauseInstanceOf(TooManyRecoveries.class);

    failing.repairReading();
    first.join();
    waiting.forEach(CompletableFuture::join);
  }

  // ---- what is read ahead

  @Test
  void beginsARecoveryWithWhatWasReadAhead() {
    write(ANN, 1, 5);
    recoveries().prefetch(List.of(ANN, BOB)).join();
    int before = failing.recoveries();

    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(5);
    assertThat(replay(ANN, 1, 5, Long.MAX_VALUE)).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(failing.recoveries()).isEqualTo(before);

    recoveries().begin(ANN).join();
    assertThat(failing.recoveries()).as("once only").isEqualTo(before + 1);
  }

  @Test
  void forgetsWhatItReadAheadOfAnOwnerThatWrites() {
    write(ANN, 1, 1);
    recoveries().prefetch(List.of(ANN)).join();
    journal.write(writeOf(ANN, 2, 1)).join();

    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(2);
  }

  @Test
  void forgetsWhatItIsReadingAheadOfAnOwnerThatWritesMeanwhile() {
    write(ANN, 1, 1);
    failing.fallSilent();
    var ahead = recoveries().prefetch(List.of(ANN));
    await().until(() -> failing.recoveries() > 0);
    journal.write(writeOf(ANN, 2, 1)).join();
    failing.repairReading();
    ahead.join();

    assertThat(recoveries().heldCount()).isZero();
  }

  @Test
  void forgetsAllThatItReadAheadWhenTheHistoryMayHaveChangedOrItIsTold() {
    write(ANN, 1, 1);
    recoveries().prefetch(List.of(ANN)).join();
    failing.changeHistory();
    write(ANN, 2, 1); // as on another node: this one does not hear of it
    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(2);

    recoveries().prefetch(List.of(ANN)).join();
    write(ANN, 3, 1);
    journal.forgetPrefetched();
    assertThat(recoveries().begin(ANN).join().highest()).isEqualTo(3);
  }

  @Test
  void holdsABoundedNumberOfBytes() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.max-bytes = 64 KiB");
    byte[] large = new byte[8 << 10];
    List<Owner> owners = IntStream.range(0, 200).mapToObj(i -> owner(i)).toList();
    for (Owner owner : owners) {
      var event = new JournalEvent("large.v1", large, 0, JournalEvent.NO_DEADLINE);
      store.write(node, List.of(new OwnerWrite(owner, 1, List.of(event))), List.of());
    }
    // The first group is as large as groups may be; whatever comes after finds no room.
    var all = owners.stream().map(recoveries()::begin).toList();
    await()
        .until(() -> {
          assertThat(recoveries().heldBytes()).isLessThan(3L << 20);
          return all.stream().allMatch(CompletableFuture::isDone);
        });
    for (Owner owner : owners) {
      assertThat(replay(owner, 1, 1, Long.MAX_VALUE)).as("held or not").containsExactly(1L);
    }
    assertThat(recoveries().heldBytes()).isZero();

    recoveries().prefetch(owners.subList(0, 40)).join();
    assertThat(recoveries().heldBytes()).isLessThan(1 << 20);
  }

  // ---- what cannot be read

  @Test
  void readsTheOthersOfAGroupInWhichOneCannotBeRead() {
    List<Owner> owners = IntStream.range(0, 20).mapToObj(i -> owner(i)).toList();
    owners.forEach(owner -> write(owner, 1, 1));
    failing.damage(owner(7));
    failing.fallSilent();

    var all = owners.stream().map(recoveries()::begin).toList();
    failing.repairReading();

    for (int i = 0; i < 20; i++) {
      if (i != 7) {
        assertThat(all.get(i).join().highest()).isEqualTo(1);
      }
    }
    Assertions.assertThatThrownBy(all.get(7)::join)
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThat(recoveries().highest(owner(7)).join()).as("so nothing is replayed").isZero();
  }

  @Test
  void failsAtOnceWhileTheStoreFailsAndTriesItNowAndThen() {
    write(ANN, 1, 1);
    failing.breakReading();
    for (int i = 0; i < 1_000; i++) {
      Assertions.assertThatThrownBy(recoveries().begin(ANN)::join)
          .hasCauseInstanceOf(StoreUnreadable.class);
    }
    assertThat(failing.recoveries()).as("tried every 200 ms").isLessThan(50);
    assertThat(recoveries().prefetch(List.of(ANN))).isCompletedExceptionally();

    failing.repairReading();
    await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> !recoveries().begin(ANN).handle((_, f) -> f != null).join());
    assertThat(recoveries().begin(BOB).join().highest()).as("nobody else is kept out").isZero();
  }

  @Test
  void failsSoonWhileTheStoreIsSilent() {
    journal.close();
    reopen();
    start("holdfast.journal.stall-after = 300 ms");
    write(ANN, 1, 1);
    failing.fallSilent();
    List<CompletableFuture<Recovered>> all =
        IntStream.range(0, 500).mapToObj(i -> recoveries().begin(owner(i))).toList();

    await().atMost(Duration.ofSeconds(5)).until(() -> all.stream().allMatch(f -> f.isDone()));

    assertThat(all).allMatch(CompletableFuture::isCompletedExceptionally);
    assertThat(recoveries().begin(ANN)).as("known to be down").isCompletedExceptionally();
    failing.repairReading();
    await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> !recoveries().begin(ANN).handle((_, f) -> f != null).join());
  }

  private Recoveries recoveries() {
    return journal.recoveries();
  }

  private void reopen() {
    try {
      store = SqliteStore.open(folder, SqliteOptions.defaults());
    } catch (JournalUnusable e) {
      throw new AssertionError(e);
    }
  }

  private void write(Owner owner, long first, int events) {
    store.write(node, List.of(writeOf(owner, first, events)), List.of());
  }

  private void snapshot(Owner owner, long number) {
    store.write(
        node,
        List.of(),
        List.of(new SnapshotWrite(owner, number, 0, new JournalSnapshot("s.v1", new byte[3]))));
  }

  private List<Long> replay(Owner owner, long from, long to, long max) {
    List<Long> numbers = new ArrayList<>();
    recoveries().replay(owner, from, to, max, event -> numbers.add(event.number())).join();
    return numbers;
  }
}
