package dev.holdfast.journal;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The contract, on the embedded store as one of several processes has it. */
class SharedSqliteJournalTest extends JournalContract {

  @TempDir Path folder;

  @Override
  JournalStore open() throws JournalUnusable {
    return SqliteStore.open(folder, SqliteOptions.defaults().sharing());
  }
}
