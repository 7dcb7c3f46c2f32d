package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.holdfast.journal.JournalUnusable.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract, on PostgreSQL. */
class PostgresJournalTest extends JournalContract {

  private final PostgresOptions journal = TestPostgres.fresh();

  @Override
  JournalStore open() throws JournalUnusable {
    return PostgresStore.open(journal);
  }

  @Test
  void makesItsConnectionsBeforeTheyAreNeededAndWritesNothing() throws Exception {
    // By a name of its own: the server is not this test's alone.
    PostgresOptions named =
        new PostgresOptions(
            journal.url() + "&ApplicationName=warm",
            journal.schema(),
            journal.readers(),
            journal.writers());
    String connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warm'";
    try (PostgresStore store = PostgresStore.open(named)) {
      store.warmUp();

      // One more has looked at the journal when it was opened.
      int all = named.readers() + named.writers() + 1;
      await().until(() -> TestPostgres.count(journal, connections) == all);
      assertThat(store.recover(List.of(Owner.FIRST), 1).getFirst().highest()).isZero();
      assertThat(TestPostgres.count(journal, "SELECT count(*) FROM event")).isZero();
      assertThat(TestPostgres.count(journal, "SELECT count(*) FROM agenda")).isZero();
    }
  }

  @Test
  void loadsNothingUnderANodeThatRuns() throws JournalUnusable {
    try (JournalStore store = PostgresStore.open(journal)) {
      JournalUnusable refusal =
          catchThrowableOfType(JournalUnusable.class, () -> store.load(scan -> {}));

      assertThat(refusal.problem()).isEqualTo(Problem.HELD);
    }
  }
}
