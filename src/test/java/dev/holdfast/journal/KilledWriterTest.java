package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.JournalAudit.Report;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process of its own writes, says what was acknowledged, and is killed at a random moment. */
class KilledWriterTest {

  private static final int OWNERS = 64;

  /** What the writer stores as snapshots stands for no state. */
  private static final TextReplayer ANY_STATE =
      new TextReplayer() {
        @Override
        public byte[] encode(String state) {
          return new byte[0];
        }
      };

  @TempDir Path folder;

  @Test
  @Timeout(120)
  void losesNothingAcknowledgedToSigkill() throws Exception {
    killAndCheck(3);
  }

  @Test
  @Tag("nightly")
  @Timeout(600)
  void losesNothingAcknowledgedToSigkillManyTimes() throws Exception {
    killAndCheck(20);
  }

  private void killAndCheck(int rounds) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<Integer, Long> acknowledged = new HashMap<>();
    for (int round = 0; round < rounds; round++) {
      killOne(random, acknowledged);

      try (SqliteStore store = SqliteStore.openToRead(folder)) {
        Report report = new JournalAudit<>(ANY_STATE).run(store);
        assertThat(report.findings()).as("seed %d, round %d", seed, round).isEmpty();
        for (Map.Entry<Integer, Long> owner : acknowledged.entrySet()) {
          assertThat(store.highest(JournalContract.owner(owner.getKey())))
              .as("seed %d, round %d, owner %d", seed, round, owner.getKey())
              .isGreaterThanOrEqualTo(owner.getValue());
        }
      }
    }
    assertThat(acknowledged).hasSize(OWNERS);
    assertThat(folder.resolve(SqliteLibrary.FOLDER))
        .as("each process clears away what the one before has left")
        .isDirectoryContaining("glob:**libsqlitejdbc*")
        .satisfies(library -> {
          try (Stream<Path> files = Files.list(library)) {
            assertThat(files).hasSizeLessThanOrEqualTo(2);
          }
        });
  }

  /** Adds to {@code acknowledged} what one process was told is written before it was killed. */
  private void killOne(Random random, Map<Integer, Long> acknowledged) throws Exception {
    Process process = ForkedJvm.start(Writer.class, folder.toString());
    try {
      BufferedReader lines = ForkedJvm.lines(process);
      int untilKill = 500 + random.nextInt(3_000);
      String line = lines.readLine();
      for (int read = 0; line != null; read++) {
        if (read == untilKill) {
          // By its handle: the process's own method would close the stream that is still read.
          assertThat(process.toHandle().destroyForcibly()).isTrue();
        }
        // The last line may be cut off by the kill.
        if (line.endsWith(".")) {
          String[] words = line.substring(0, line.length() - 1).split(" ", 2);
          acknowledged.merge(Integer.valueOf(words[0]), Long.valueOf(words[1]), Math::max);
        }
        line = lines.readLine();
      }
    } finally {
      process.destroyForcibly();
      assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** Writes one event after another for each of many owners, with a snapshot now and then. */
  static final class Writer {

    /** So short a log that many a kill falls into its being moved. */
    private static final int MOVE_AT = 64;

    public static void main(String[] args) throws Exception {
      SqliteStore store = SqliteStore.open(Path.of(args[0]), SqliteOptions.defaults(), MOVE_AT);
      NodeId node = NodeId.random();
      store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO);
      Journal journal =
          Journal.start(
              store,
              node,
              JournalSettings.from(ConfigFactory.load()),
              InstantSource.system(),
              () -> Runtime.getRuntime().halt(3));
      PrintStream out =
          new PrintStream(
              new FileOutputStream(FileDescriptor.out), false, StandardCharsets.US_ASCII);
      for (int i = 0; i < OWNERS; i++) {
        write(journal, i, store.highest(JournalContract.owner(i)) + 1, out);
      }
      new CountDownLatch(1).await();
    }

    private static void write(Journal journal, int index, long number, PrintStream out) {
      Owner owner = JournalContract.owner(index);
      int events = 1 + (int) (number % 3);
      var _ =
          journal
              .write(JournalContract.writeOf(owner, number, events))
              .whenComplete((done, failure) -> {
                if (failure != null) {
                  Runtime.getRuntime().halt(4);
                }
                long last = number + events - 1;
                out.print(index + " " + last + ".\n");
                if (last % 10 == 0) {
                  journal.offerSnapshot(
                      new SnapshotWrite(
                          owner, last, last, new JournalSnapshot("s.v1", new byte[200])));
                }
                write(journal, index, last + 1, out);
              });
    }
  }
}
