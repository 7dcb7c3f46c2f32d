package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.owner;
import static dev.holdfast.journal.JournalContract.writeOf;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On PostgreSQL, which is good for two batches at a time. */
@Timeout(60)
final class WriteLanesTest {

  private static final String WRITER = "holdfast-journal-writer-";

  private final Set<String> writers = ConcurrentHashMap.newKeySet();
  private Journal journal;

  @BeforeEach
  void start() throws JournalUnusable {
    JournalStore store = PostgresStore.open(TestPostgres.fresh());
    NodeId node = NodeId.random();
    assertThat(store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO))
        .isNotNull();
    journal =
        Journal.start(
            store,
            node,
            JournalSettings.from(ConfigFactory.load()),
            InstantSource.system(),
            () -> {});
  }

  @AfterEach
  void stop() {
    journal.close();
  }

  @Test
  void makesOneBatchAfterTheOtherWhileFewWrite() {
    for (int number = 1; number <= 20; number++) {
      List<CompletableFuture<Void>> writes = new ArrayList<>();
      for (int owner = 0; owner < 20; owner++) {
        writes.add(write(owner, number));
      }
      join(writes);
    }
    assertThat(writers).containsExactly(WRITER + 0);
  }

  @Test
  void makesTwoBatchesAtATimeWhenManyWrite() {
    List<CompletableFuture<Void>> writes = new ArrayList<>();
    for (int owner = 0; owner < 5_000; owner++) {
      writes.add(write(owner, 1));
    }
    join(writes);
    assertThat(writers).containsExactlyInAnyOrder(WRITER + 0, WRITER + 1);
  }

  @Test
  void keepsTheWritesOfAnOwnerInOrderThoughOthersChangeLanes() {
    List<CompletableFuture<Void>> writes = new ArrayList<>();
    for (int number = 1; number <= 50; number++) {
      writes.add(write(0, number));
      for (int owner = 1; owner <= 100; owner++) {
        writes.add(write(100 * number + owner, 1));
      }
    }
    join(writes);
    assertThat(writers).as("both lanes were used").hasSize(2);
    var numbers = new ArrayList<Long>();
    journal.eventsOf(owner(0), stored -> numbers.add(stored.number()));
    assertThat(numbers).hasSize(50).isSorted();
  }

  private CompletableFuture<Void> write(int owner, int number) {
    return journal
        .write(writeOf(owner(owner), number, 1))
        .whenComplete((_, _) -> {
          String thread = Thread.currentThread().getName();
          if (thread.startsWith(WRITER)) { // else it was done before this could be asked for
            writers.add(thread);
          }
        });
  }

  private static void join(List<CompletableFuture<Void>> writes) {
    CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new))
        .orTimeout(30, TimeUnit.SECONDS)
        .join();
  }
}
