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
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is read for owners that come back, and what is held of it until their actors have it. */
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
  void countsARecoveryAsHeldUntilItIsReplayed() {
    write(ANN, 1, 5);
    snapshot(ANN, 3);

    Recovered recovered = recoveries().recover(ANN).join();

    assertThat(recovered.snapshotNumber()).isEqualTo(3);
    assertThat(recovered.events()).extracting(StoredEvent::number).containsExactly(4L, 5L);
    assertThat(recovered.highest()).isEqualTo(5);
    assertThat(recoveries().handedCount()).isEqualTo(1);
    assertThat(recoveries().heldBytes()).isPositive();

    recoveries().replayed(ANN);
    assertThat(recoveries().handedCount()).isZero();
    assertThat(recoveries().heldBytes()).isZero();
    assertThat(journal.metrics().recoveryQueries()).isEqualTo(1);
  }

  @Test
  void readsAnewEachTimeARecoveryBegins() {
    write(ANN, 1, 2);
    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(2);

    // As another node does: this one does not hear of it.
    write(ANN, 3, 1);

    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(3);
  }

  @Test
  void holdsNoMoreThanItMay() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery { max-prefetched = 3, readers = 1 }");
    writeOneEach(10);
    List<Owner> handed = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 10; i++) {
      var _ = recoveries().recover(owner(i)).thenAccept(read -> handed.add(read.owner()));
    }

    for (int i = 0; i < 10; i++) {
      int next = i;
      await().until(() -> handed.size() > next);
      assertThat(recoveries().handedCount()).isBetween(1, 3);
      recoveries().replayed(handed.get(next)); // makes room for another
    }
    assertThat(recoveries().handedCount()).isZero();
  }

  @Test
  void readsOthersAfterAWhileThoughNobodyReplaysWhatWasRead() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.max-prefetched = 3");
    writeOneEach(10);

    var all = IntStream.range(0, 10).mapToObj(i -> recoveries().recover(owner(i))).toList();

    assertThat(all).allSatisfy(one -> assertThat(one.join().highest()).isEqualTo(1));
  }

  @Test
  void holdsNothingForLong() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.prefetch-ttl = 50 ms");
    write(ANN, 1, 1);
    recoveries().recover(ANN).join();
    recoveries().prefetch(List.of(BOB)).join();

    await().until(() -> recoveries().handedCount() == 0 && recoveries().aheadCount() == 0);
    assertThat(recoveries().heldBytes()).isZero();
  }

  @Test
  void readsALongLogInParts() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery.max-events = 10");
    write(ANN, 1, 35);
    snapshot(ANN, 5);

    Recovered beginning = recoveries().recover(ANN).join();
    assertThat(beginning.events())
        .hasSize(10)
        .last()
        .extracting(StoredEvent::number)
        .isEqualTo(15L);
    assertThat(beginning.highest()).isEqualTo(35);

    assertThat(numbers(recoveries().more(ANN, 16, 35).join()))
        .containsExactly(16L, 17L, 18L, 19L, 20L, 21L, 22L, 23L, 24L, 25L);
    assertThat(numbers(recoveries().more(ANN, 33, 34).join())).containsExactly(33L, 34L);
    assertThat(recoveries().more(ANN, 36, 40).join()).isEmpty();
  }

  @Test
  void recoversOwnersThatWaitTogether() {
    int owners = 2_000;
    writeOneEach(owners);

    List<CompletableFuture<Recovered>> recovered =
        IntStream.range(0, owners).mapToObj(i -> recoveries().recover(owner(i))).toList();
    for (var one : recovered) {
      var _ = one.thenAccept(read -> recoveries().replayed(read.owner()));
    }

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
        List.of(closed.recover(ANN), closed.more(ANN, 1, 2), closed.prefetch(List.of(ANN)))) {
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
    // As many as may be held: more would wait until these are too old.
    var ahead = recoveries().prefetch(IntStream.range(10, 266).mapToObj(i -> owner(i)).toList());
    var aheadOfAnn = recoveries().recover(ANN).thenApply(_ -> recoveries().aheadCount());

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

    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(5);
    assertThat(failing.recoveries()).isEqualTo(before);
    assertThat(recoveries().aheadCount()).as("bob's").isEqualTo(1);
    assertThat(recoveries().handedCount()).isEqualTo(1);

    recoveries().recover(ANN).join();
    assertThat(failing.recoveries()).as("once only").isEqualTo(before + 1);
  }

  @Test
  void forgetsWhatItReadAheadOfAnOwnerThatWrites() {
    write(ANN, 1, 1);
    recoveries().prefetch(List.of(ANN)).join();
    journal.write(writeOf(ANN, 2, 1)).join();

    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(2);
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

    assertThat(recoveries().aheadCount()).isZero();
  }

  @Test
  void forgetsWhatOneReaderHasReadOfAnOwnerThatWroteBeforeAnotherBegan() {
    write(ANN, 1, 1);
    CountDownLatch before = failing.holdNextRecovery();
    var first = recoveries().prefetch(List.of(ANN));
    await().until(() -> failing.recoveries() == 1);
    journal.write(writeOf(ANN, 2, 1)).join();
    CountDownLatch after = failing.holdNextRecovery();
    var second = recoveries().prefetch(List.of(ANN));
    await().until(() -> failing.recoveries() == 2);

    before.countDown();
    first.join();
    assertThat(recoveries().aheadCount()).as("what was read before the write").isZero();
    after.countDown();
    second.join();
    assertThat(recoveries().aheadCount()).isEqualTo(1);
    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(2);
  }

  @Test
  void forgetsAllThatItReadAheadWhenTheHistoryMayHaveChangedOrItIsTold() {
    write(ANN, 1, 1);
    recoveries().prefetch(List.of(ANN)).join();
    failing.changeHistory();
    write(ANN, 2, 1); // as on another node: this one does not hear of it
    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(2);

    recoveries().prefetch(List.of(ANN)).join();
    write(ANN, 3, 1);
    journal.forgetPrefetched();
    assertThat(recoveries().recover(ANN).join().highest()).isEqualTo(3);
  }

  @Test
  void holdsABoundedNumberOfBytes() {
    journal.close();
    reopen();
    start("holdfast.journal.recovery { max-bytes = 64 KiB, prefetch-ttl = 500 ms }");
    byte[] large = new byte[8 << 10];
    List<Owner> owners = IntStream.range(0, 200).mapToObj(i -> owner(i)).toList();
    var event = new JournalEvent("large.v1", large, 0, JournalEvent.NO_DEADLINE);
    store.write(
        node,
        owners.stream().map(owner -> new OwnerWrite(owner, 1, List.of(event))).toList(),
        List.of());
    // The first group is as large as groups may be; whatever comes after finds no room.
    var all = owners.stream().map(recoveries()::recover).toList();
    await()
        .until(() -> {
          assertThat(recoveries().heldBytes()).isLessThan(3L << 20);
          return all.stream().allMatch(CompletableFuture::isDone);
        });
    owners.forEach(recoveries()::replayed);
    assertThat(recoveries().heldBytes()).isZero();

    recoveries().prefetch(owners.subList(0, 40)).join();
    assertThat(recoveries().heldBytes()).isLessThan(1 << 20);
  }

  // ---- what cannot be read

  @Test
  void readsTheOthersOfAGroupInWhichOneCannotBeRead() {
    List<Owner> owners = IntStream.range(0, 20).mapToObj(i -> owner(i)).toList();
    writeOneEach(20);
    failing.damage(owner(7));
    failing.fallSilent();

    var all = owners.stream().map(recoveries()::recover).toList();
    failing.repairReading();

    for (int i = 0; i < 20; i++) {
      if (i != 7) {
        assertThat(all.get(i).join().highest()).isEqualTo(1);
      }
    }
    Assertions.assertThatThrownBy(all.get(7)::join)
        .hasCauseInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void failsAtOnceWhileTheStoreFailsAndTriesItNowAndThen() {
    write(ANN, 1, 1);
    failing.breakReading();
    for (int i = 0; i < 1_000; i++) {
      Assertions.assertThatThrownBy(recoveries().recover(ANN)::join)
          .hasCauseInstanceOf(StoreUnreadable.class);
    }
    assertThat(failing.recoveries()).as("tried every 200 ms").isLessThan(50);
    assertThat(recoveries().prefetch(List.of(ANN))).isCompletedExceptionally();

    failing.repairReading();
    await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> !recoveries().recover(ANN).handle((_, f) -> f != null).join());
    assertThat(recoveries().recover(BOB).join().highest()).as("nobody else is kept out").isZero();
  }

  @Test
  void failsSoonWhileTheStoreIsSilent() {
    journal.close();
    reopen();
    start("holdfast.journal.stall-after = 300 ms");
    write(ANN, 1, 1);
    failing.fallSilent();
    List<CompletableFuture<Recovered>> all =
        IntStream.range(0, 500).mapToObj(i -> recoveries().recover(owner(i))).toList();

    await().atMost(Duration.ofSeconds(5)).until(() -> all.stream().allMatch(f -> f.isDone()));

    assertThat(all).allMatch(CompletableFuture::isCompletedExceptionally);
    assertThat(recoveries().recover(ANN)).as("known to be down").isCompletedExceptionally();
    failing.repairReading();
    await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> !recoveries().recover(ANN).handle((_, f) -> f != null).join());
  }

  @Test
  void failsSoonWhenTheStoreFallsSilentWithinALongLog() {
    journal.close();
    reopen();
    start("holdfast.journal { stall-after = 300 ms, recovery.max-events = 10 }");
    write(ANN, 1, 35);
    assertThat(recoveries().recover(ANN).join().events()).hasSize(10);
    failing.fallSilent();

    // As many as fill all readers, and more.
    List<CompletableFuture<List<StoredEvent>>> parts =
        IntStream.range(0, 10).mapToObj(_ -> recoveries().more(ANN, 11, 35)).toList();

    assertThat(parts)
        .allSatisfy(part ->
            Assertions.assertThatThrownBy(() -> part.get(5, TimeUnit.SECONDS))
                .hasCauseInstanceOf(StoreUnreadable.class));
    assertThat(recoveries().more(ANN, 11, 35)).as("known").isCompletedExceptionally();
    failing.repairReading();
    await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> !recoveries().recover(ANN).handle((_, f) -> f != null).join());
    assertThat(numbers(recoveries().more(ANN, 34, 35).join())).containsExactly(34L, 35L);
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

  /** One event for each of so many owners, in one batch: each batch waits for the disk. */
  private void writeOneEach(int owners) {
    store.write(
        node,
        IntStream.range(0, owners).mapToObj(i -> writeOf(owner(i), 1, 1)).toList(),
        List.of());
  }

  private void snapshot(Owner owner, long number) {
    store.write(
        node,
        List.of(),
        List.of(new SnapshotWrite(owner, number, 0, new JournalSnapshot("s.v1", new byte[3]))));
  }

  private static List<Long> numbers(List<StoredEvent> events) {
    return events.stream().map(StoredEvent::number).toList();
  }
}
