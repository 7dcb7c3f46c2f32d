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
  private Journal journal;

  @BeforeEach
  void start() throws JournalUnusable {
    store = SqliteStore.open(folder, SqliteOptions.defaults());
    store.nodes().claim(node, 0, Duration.ZERO);
    start("");
  }

  private void start(String settings) {
    Config config = ConfigFactory.parseString(settings).withFallback(ConfigFactory.load());
    journal =
        Journal.start(store, node, JournalSettings.from(config), InstantSource.system(), () -> {});
  }

  @AfterEach
  void close() {
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
    for (int i = 0; i < 5; i++) {
      write(owner(i), 1, 1);
      recoveries().begin(owner(i)).join();
    }

    assertThat(recoveries().heldCount()).isEqualTo(3);
    assertThat(replay(owner(0), 1, 1, Long.MAX_VALUE)).as("dropped, read").containsExactly(1L);
    assertThat(recoveries().heldCount()).isEqualTo(3);
    assertThat(replay(owner(4), 1, 1, Long.MAX_VALUE)).as("held").containsExactly(1L);
    assertThat(recoveries().heldCount()).isEqualTo(2);
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
