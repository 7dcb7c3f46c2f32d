package dev.holdfast.journal;

/** The contract, on PostgreSQL. */
class PostgresJournalTest extends JournalContract {

  private final PostgresOptions journal = TestPostgres.fresh();

  @Override
  JournalStore open() throws JournalUnusable {
    return PostgresStore.open(journal);
  }
}
