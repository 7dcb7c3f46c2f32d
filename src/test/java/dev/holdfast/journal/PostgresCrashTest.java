package dev.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The database is killed, or replaced by its standby, while many owners write: what was
 * acknowledged is there, what was refused is not, and service goes on without a restart.
 */
class PostgresCrashTest {

  private static final int OWNERS = 64;

  @TempDir Path folder;

  private final List<AutoCloseable> parts = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  @Test
  @Timeout(180)
  void losesNothingWhenTheDatabaseIsKilledUnderLoad() throws Exception {
    killDatabase(2);
  }

  @Test
  @Tag("nightly")
  @Timeout(900)
  void losesNothingWhenTheDatabaseIsKilledManyTimes() throws Exception {
    killDatabase(20);
  }

  private void killDatabase(int rounds) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    PostgresServer server = PostgresServer.start(folder.resolve("data"));
    parts.add(server);
    Load load = new Load(server.url());
    parts.add(load);
    for (int round = 0; round < rounds; round++) {
      load.awaitAcknowledged(500 + random.nextInt(2_000));
      server.kill();
      if (round % 2 == 1) {
        load.awaitDown();
      }
      server.start();
      load.awaitAcknowledged(OWNERS);
    }
    assertThat(load.stop()).as("seed %d", seed).isEmpty();
    assertThat(load.store.historyNumber()).as("the same server all the time").isZero();
  }

  @Test
  @Timeout(180)
  void goesOnAtTheStandbyWhenThePrimaryIsKilled() throws Exception {
    PostgresServer primary = PostgresServer.start(folder.resolve("primary"));
    parts.add(primary);
    primary.stop();
    PostgresServer standby = primary.startWithStandby(folder.resolve("standby"));
    parts.add(standby);
    Load load =
        new Load(
            "jdbc:postgresql://127.0.0.1:%d,127.0.0.1:%d/postgres?user=postgres"
                .formatted(primary.port(), standby.port()));
    parts.add(load);
    load.awaitAcknowledged(2_000);

    primary.kill();
    load.awaitDown();
    standby.execute("SELECT pg_promote()");
    load.awaitAcknowledged(OWNERS);

    assertThat(load.stop()).isEmpty();
    assertThat(load.store.historyNumber()).as("another timeline").isEqualTo(1);
  }

  /** Owners that write one event after another, and note what they were told of each. */
  private static final class Load implements AutoCloseable {

    final PostgresStore store;
    private final Journal journal;
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final List<Thread> owners = new ArrayList<>();
    private final AtomicLong acknowledgedCount = new AtomicLong();
    private final AtomicBoolean fenced = new AtomicBoolean();

    /** By owner, number and attempt: as the payload of the event says. */
    private final Map<String, Boolean> acknowledged = new ConcurrentHashMap<>();

    private final Map<String, Boolean> refused = new ConcurrentHashMap<>();

    Load(String url) throws Exception {
      store = PostgresStore.open(new PostgresOptions(url, "crash", 2, 2));
      NodeId node = NodeId.random();
      assertThat(store.nodes().claim(node, 0, Duration.ZERO)).isNotNull();
      journal =
          Journal.start(
              store,
              node,
              JournalSettings.from(ConfigFactory.load()),
              InstantSource.system(),
              () -> fenced.set(true));
      for (int i = 0; i < OWNERS; i++) {
        Owner owner = JournalContract.owner(i);
        owners.add(Thread.ofVirtual().start(() -> run(owner)));
      }
    }

    private void run(Owner owner) {
      long next = 1;
      for (int attempt = 0; !stopping.get(); attempt++) {
        String text = owner + " " + next + " " + attempt;
        OwnerWrite write =
            new OwnerWrite(
                owner,
                next,
                List.of(new JournalEvent("event.v1", text.getBytes(UTF_8), attempt, 1_000)));
        try {
          journal.write(write).join();
          acknowledged.put(text, true);
          acknowledgedCount.incrementAndGet();
          next++;
        } catch (CompletionException e) {
          if (e.getCause() instanceof NotWritten) {
            refused.put(text, true);
          }
          next = highest(owner) + 1;
        }
      }
    }

    /** As the actor does: after a failure it goes on from what the journal holds. */
    private long highest(Owner owner) {
      while (true) {
        try {
          return journal.recover(owner).get().highest();
        } catch (ExecutionException unreadable) {
          await()
              .pollInterval(Duration.ofMillis(20))
              .atMost(Duration.ofMinutes(1))
              .until(() -> journal.health().isAvailable());
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
    }

    void awaitAcknowledged(int more) {
      long enough = acknowledgedCount.get() + more;
      await().atMost(Duration.ofSeconds(30)).until(() -> acknowledgedCount.get() >= enough);
    }

    /** Waits until an actor would know that it must not persist. */
    void awaitDown() {
      await().atMost(Duration.ofSeconds(30)).until(() -> !journal.health().isAvailable());
    }

    /** Stops, and says what is wrong in the journal: a sentence each. */
    List<String> stop() {
      end();
      Map<String, Boolean> there = new HashMap<>();
      Map<Owner, Long> last = new HashMap<>();
      List<String> wrong = new ArrayList<>();
      store.feed(
          0,
          Integer.MAX_VALUE,
          event -> {
            there.put(new String(event.event().payload(), UTF_8), true);
            long before = Objects.requireNonNullElse(last.put(event.owner(), event.number()), 0L);
            if (event.number() != before + 1) {
              wrong.add(event.owner() + ": " + event.number() + " follows " + before);
            }
          });
      acknowledged.keySet().stream()
          .filter(text -> !there.containsKey(text))
          .forEach(text -> wrong.add("acknowledged and lost: " + text));
      refused.keySet().stream()
          .filter(there::containsKey)
          .forEach(text -> wrong.add("refused and there: " + text));
      if (fenced.get()) {
        wrong.add("fenced by nobody");
      }
      if (acknowledged.size() < 1_000) {
        wrong.add("only " + acknowledged.size() + " acknowledged");
      }
      return wrong;
    }

    @Override
    public void close() {
      end();
      journal.close();
    }

    private void end() {
      stopping.set(true);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> owners.stream().noneMatch(Thread::isAlive));
    }
  }
}
