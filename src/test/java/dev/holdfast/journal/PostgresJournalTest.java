package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.holdfast.journal.JournalUnusable.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract, on PostgreSQL. */
class PostgresJournalTest extends JournalContract {

  /** That holdfast has, of which the others are in use by other stores. */
  private static final String CONNECTIONS =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holdfast'";

  private final PostgresOptions journal = TestPostgres.fresh();

  @Override
  JournalStore open() throws JournalUnusable {
    return PostgresStore.open(journal);
  }

  @Test
  void makesItsConnectionsBeforeTheyAreNeededAndWritesNothing() throws Exception {
    try (PostgresStore store = PostgresStore.open(journal)) {
      long before = TestPostgres.count(journal, CONNECTIONS);

      store.warmUp();

      // One reader has looked at the server's settings before.
      int more = journal.writers() + journal.readers() - 1;
      await().until(() -> TestPostgres.count(journal, CONNECTIONS) == before + more);
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
