package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.journal.JournalAudit.Report;
import dev.holdfast.journal.NodeRegistry.FenceResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process of its own writes, says what was acknowledged, and is killed or frozen at a random
 * moment.
 */
class KilledWriterTest {

  /** The writer's snapshots stand for no state. */
  private static final TextReplayer ANY_STATE =
      new TextReplayer() {
        @Override
        public byte[] encode(String state) {
          return new byte[0];
        }
      };

  @TempDir Path folder;

  /** Where the process writes. */
  private interface Place {
    WriterProcess startWriter() throws IOException;

    JournalStore open() throws JournalUnusable;
  }

  private Place sqlite() {
    return new Place() {
      @Override
      public WriterProcess startWriter() throws IOException {
        return WriterProcess.onSqlite(folder);
      }

      @Override
      public JournalStore open() throws JournalUnusable {
        return SqliteStore.openToRead(folder);
      }
    };
  }

  private static Place postgres() {
    PostgresOptions options = TestPostgres.fresh();
    return new Place() {
      @Override
      public WriterProcess startWriter() throws IOException {
        return WriterProcess.onPostgres(options);
      }

      @Override
      public JournalStore open() throws JournalUnusable {
        return PostgresStore.open(options);
      }
    };
  }

  @Test
  @Timeout(120)
  void losesNothingAcknowledgedToSigkill() throws Exception {
    killAndCheck(3, sqlite());

    assertThat(folder.resolve(SqliteLibrary.FOLDER))
        .as("each process clears away what the one before has left")
        .isDirectoryContaining("glob:**libsqlitejdbc*")
        .satisfies(library -> {
          try (Stream<Path> files = Files.list(library)) {
            assertThat(files).hasSizeLessThanOrEqualTo(2);
          }
        });
  }

  @Test
  @Timeout(120)
  void losesNothingAcknowledgedToSigkillOnPostgres() throws Exception {
    killAndCheck(3, postgres());
  }

  @Test
  @Tag("nightly")
  @Timeout(600)
  void losesNothingAcknowledgedToSigkillManyTimes() throws Exception {
    killAndCheck(20, sqlite());
  }

  @Test
  @Tag("nightly")
  @Timeout(600)
  void losesNothingAcknowledgedToSigkillOnPostgresManyTimes() throws Exception {
    killAndCheck(20, postgres());
  }

  private static void killAndCheck(int rounds, Place place) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<Integer, Long> acknowledged = new HashMap<>();
    for (int round = 0; round < rounds; round++) {
      try (WriterProcess writer = place.startWriter()) {
        writer.awaitMore(500 + random.nextInt(3_000));
        writer.kill();
        writer.awaitEnd();
        writer
            .acknowledged()
            .forEach((owner, number) -> acknowledged.merge(owner, number, Math::max));
      }
      try (JournalStore store = place.open()) {
        String when = "seed %d, round %d".formatted(seed, round);
        assertThat(audit(store).findings()).as(when).isEmpty();
        for (Map.Entry<Integer, Long> owner : acknowledged.entrySet()) {
          assertThat(store.highest(JournalContract.owner(owner.getKey())))
              .as("%s, owner %d", when, owner.getKey())
              .isGreaterThanOrEqualTo(owner.getValue());
        }
      }
    }
    assertThat(acknowledged).hasSize(WriterProcess.OWNERS);
  }

  @Test
  @Timeout(120)
  void takesTheUsersOfAFrozenWriterOverOnPostgres() throws Exception {
    freezeAndTakeOver(3);
  }

  @Test
  @Tag("nightly")
  @Timeout(600)
  void takesTheUsersOfAFrozenWriterOverOnPostgresManyTimes() throws Exception {
    freezeAndTakeOver(30);
  }

  /** A frozen process holds no lock, and whatever it has in hand when it wakes is not written. */
  private static void freezeAndTakeOver(int rounds) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Place place = postgres();
    for (int round = 0; round < rounds; round++) {
      String when = "seed %d, round %d".formatted(seed, round);
      try (WriterProcess writer = place.startWriter();
          JournalStore store = place.open()) {
        writer.awaitMore(500 + random.nextInt(2_000));
        writer.freeze();

        NodeId successor = NodeId.random();
        NodeRegistry nodes = store.nodes();
        assertThat(nodes.register(successor, nodes.incarnation().number())).isTrue();
        // It throws if it has to wait for longer than a lock may take.
        assertThat(nodes.fence(successor, writer.node())).as(when).isEqualTo(FenceResult.FENCED);
        List<Long> taken = new ArrayList<>();
        for (int i = 0; i < WriterProcess.OWNERS; i++) {
          Owner owner = JournalContract.owner(i);
          long next = store.highest(owner) + 1;
          taken.add(next);
          assertThat(
                  store.write(
                      successor, List.of(JournalContract.writeOf(owner, next, 1)), List.of()))
              .as(when)
              .isEqualTo(new JournalStore.Outcome.Written(List.of()));
        }

        writer.thaw();
        assertThat(writer.awaitEnd()).as(when).isEqualTo(WriterProcess.FENCED);
        for (int i = 0; i < WriterProcess.OWNERS; i++) {
          assertThat(store.highest(JournalContract.owner(i))).as(when).isEqualTo(taken.get(i));
          assertThat(writer.acknowledged().getOrDefault(i, 0L)).as(when).isLessThan(taken.get(i));
        }
        assertThat(audit(store).findings()).as(when).isEmpty();
        // The next round's writer is the first of a cluster of its own.
        assertThat(nodes.release(successor, nodes.incarnation().number())).isTrue();
      }
    }
  }

  private static Report audit(JournalStore store) {
    return new JournalAudit<>(ANY_STATE).run(store);
  }
}
