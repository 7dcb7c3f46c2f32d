package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.journal.JournalUnusable.Problem;
import org.junit.jupiter.api.Test;

/** The contract, on PostgreSQL. */
class PostgresJournalTest extends JournalContract {

  private final PostgresOptions journal = TestPostgres.fresh();

  @Override
  JournalStore open() throws JournalUnusable {
    return PostgresStore.open(journal);
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
