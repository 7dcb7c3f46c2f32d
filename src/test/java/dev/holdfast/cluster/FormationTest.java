package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cluster.SeveralNodes.Member;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.NodeRegistry;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresServer;
import dev.holdfast.journal.StoreUnreadable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that start while their journal is not well: there is one cluster all the same. */
@Timeout(120)
final class FormationTest {

  private static final Duration LONGER_THAN_ANY_SILENCE = Duration.ofSeconds(9);

  /** How many claim now. One who waits for a lock gets it when the renewal before it is through. */
  private static final String CLAIMS =
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE state = 'active' AND query LIKE '%claim_incarnation%' AND pid <> pg_backend_pid()\
      """;

  /** Reads are answered then, and say that nobody has renewed the incarnation for long. */
  @Test
  void takesNoClusterForGoneThatWaitsForAStandby(@TempDir Path folder) throws Exception {
    try (var server = PostgresServer.start(folder.resolve("data"));
        var nodes = new SeveralNodes(new PostgresOptions(server.url(), "formation", 2, 2));
        var background = Executors.newVirtualThreadPerTaskExecutor()) {
      Member living = nodes.start("node-1");
      server.loseStandby();
      Future<Member> second;
      try {
        await().until(() -> !living.journal.nodes().lives(SeveralNodes.SILENCE));
        second = background.submit((Callable<Member>) () -> nodes.start("node-2"));
        await()
            .during(LONGER_THAN_ANY_SILENCE)
            .atMost(LONGER_THAN_ANY_SILENCE.plusSeconds(2))
            .until(() -> server.query(CLAIMS).equals("0"));
      } finally {
        server.needNoStandby();
      }

      assertThat(second.get().node.incarnation()).isEqualTo(1);
      assertThat(living.halted).isFalse();
    }
  }

  /** Its own row says that it is of this incarnation, as that of the one who has claimed does. */
  @Test
  void beginsNoClusterOfItsOwnWhenItsJournalFailsRightAfterItWasLetIn() {
    var announcements = new AtomicInteger();
    try (var nodes = new SeveralNodes()) {
      Member living = nodes.start("node-1");

      Member second =
          nodes.join(
              "node-2",
              store -> {
                NodeRegistry registry =
                    Faulty.made(
                        NodeRegistry.class,
                        store.nodes(),
                        method -> {
                          if (method.equals("announce") && announcements.incrementAndGet() == 1) {
                            throw new StoreUnreadable("it fails once", null);
                          }
                          return null;
                        });
                return Faulty.made(
                    JournalStore.class, store, method -> method.equals("nodes") ? registry : null);
              });

      assertThat(announcements).as("it was let in twice").hasValue(2);
      assertThat(second.node.incarnation()).isEqualTo(1);
      await()
          .untilAsserted(() ->
              assertThat(living.node.membership().nodes())
                  .extracting(NodeStatus::name)
                  .containsExactly("node-1", "node-2"));
      assertThat(second.node.membership().nodes()).hasSize(2);
      assertThat(living.halted).isFalse();
    }
  }
}
