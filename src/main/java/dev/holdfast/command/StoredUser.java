package dev.holdfast.command;

import dev.holdfast.entity.UserReplayer;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.Recovered;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.user.User;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A user as the journal has them.
 *
 * @param user the state after the newest event
 * @param first number of the oldest event that is kept
 * @param last number of the newest event
 * @param snapshot number of the stored snapshot, 0 without one
 */
record StoredUser(User user, long first, long last, long snapshot) {

  private static final UserReplayer REPLAYER = new UserReplayer();

  /**
   * Reads a user.
   *
   * @return null if the journal holds nothing of the user
   * @throws RuntimeException if the user cannot be made from what the journal holds
   */
  static @Nullable StoredUser read(JournalStore store, Owner owner) {
    Recovered recovered = store.recover(List.of(owner), 1).getFirst();
    if (recovered.highest() == 0) {
      return null;
    }
    SnapshotWrite snapshot = recovered.snapshot();
    long snapshotNumber = recovered.snapshotNumber();
    Replay replay =
        new Replay(snapshot == null ? REPLAYER.beginning() : REPLAYER.decode(snapshot.snapshot()));
    store.read(
        owner, 1, recovered.highest(), Long.MAX_VALUE, event -> replay.take(event, snapshotNumber));
    return new StoredUser(replay.user, replay.first, recovered.highest(), snapshotNumber);
  }

  /** One event after another, since a log may be long. */
  private static final class Replay {
    private User user;
    private long first;

    private Replay(User user) {
      this.user = user;
    }

    private void take(StoredEvent event, long snapshotNumber) {
      if (first == 0) {
        first = event.number();
      }
      if (event.number() > snapshotNumber) {
        user = REPLAYER.apply(user, REPLAYER.decode(event.event()));
      }
    }
  }
}
