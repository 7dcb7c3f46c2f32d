package dev.holdfast.command;

import dev.holdfast.entity.UserReplayer;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.user.Event;
import dev.holdfast.user.OwnerKey;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks through a whole journal for a user, where the owner key does not follow from the user id.
 */
final class OwnerSearch implements JournalStore.Scan {

  private static final UserReplayer REPLAYER = new UserReplayer();

  private final String userId;
  private @Nullable OwnerKey found;

  private OwnerSearch(String userId) {
    this.userId = userId;
  }

  /** {@return the owner key, or null if the journal knows no user of that id} */
  static @Nullable OwnerKey find(JournalStore store, String userId) {
    var search = new OwnerSearch(userId);
    store.scan(OwnerRange.ALL, search);
    return search.found;
  }

  @Override
  public void snapshot(SnapshotWrite row) {
    String id = known(() -> REPLAYER.decode(row.snapshot()).userId());
    note(id, new OwnerKey(row.owner().high(), row.owner().low()));
  }

  @Override
  public void event(StoredEvent row) {
    String id = known(() -> userId(REPLAYER.decode(row.event()).event()));
    note(id, new OwnerKey(row.owner().high(), row.owner().low()));
  }

  /** {@return the user id that an event tells, or null if it tells none} */
  static @Nullable String userId(Event event) {
    if (event instanceof Event.SessionOpened opened) {
      return opened.userId();
    }
    return event instanceof Event.LogInAdmitted admitted ? admitted.userId() : null;
  }

  /** What cannot be read, since a later version wrote it, is passed over. */
  private static @Nullable String known(Supplier<@Nullable String> id) {
    try {
      return id.get();
    } catch (RuntimeException unreadable) {
      return null;
    }
  }

  private void note(@Nullable String id, OwnerKey owner) {
    if (userId.equals(id)) {
      found = owner;
    }
  }
}
