package dev.holdfast.drill;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * Keeps all nodes of a folder from writing to their embedded journal, as a process does that is
 * stopped while it is its turn: it takes the locks by which they take turns, and holds them.
 */
final class JournalTurn {

  private static final String FILE = "journal.turn";

  private JournalTurn() {}

  /** Waits for its turn, and ends it after so long. */
  static void hold(Path folder, Duration time) throws IOException, InterruptedException {
    try (FileChannel turns =
            FileChannel.open(
                folder.resolve(FILE), StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock next = turns.lock(0, 1, false);
        FileLock now = turns.lock(1, 1, false)) {
      Thread.sleep(time);
      if (!next.isValid() || !now.isValid()) {
        throw new IOException("the journal's turn was lost");
      }
    }
  }
}
