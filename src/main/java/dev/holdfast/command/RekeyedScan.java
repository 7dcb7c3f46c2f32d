package dev.holdfast.command;

import dev.holdfast.entity.UserReplayer;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.user.Event;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands the rows of a journal on with other owners: known users get the owner keys that follow from
 * their ids by a new secret, users of whom only an erasure is left get one of nobody's, visitors
 * keep theirs. Holds the rows of one owner at a time, since who that is may stand in any of them.
 */
final class RekeyedScan implements JournalStore.Scan {

  private static final UserReplayer REPLAYER = new UserReplayer();
  private static final SecureRandom RANDOM = new SecureRandom();

  private final JournalStore.Scan target;
  private final OwnerKeys keys;
  private @Nullable SnapshotWrite snapshot;
  private final List<StoredEvent> events = new ArrayList<>();
  private @Nullable Owner owner;
  private @Nullable String userId;
  private boolean erased;

  RekeyedScan(JournalStore.Scan target, OwnerKeys keys) {
    this.target = target;
    this.keys = keys;
  }

  @Override
  public void journal(String identity, long forgotten, @Nullable String ownerSecret) {
    // The journal that is filled is another one: no cursor of the first is good in it, since who
    // follows the feed knows users by their owner keys.
  }

  @Override
  public void snapshot(SnapshotWrite row) {
    turnTo(row.owner());
    snapshot = row;
    knows(REPLAYER.decode(row.snapshot()).userId());
  }

  @Override
  public void event(StoredEvent row) {
    turnTo(row.owner());
    events.add(row);
    Event event = REPLAYER.decode(row.event()).event();
    knows(OwnerSearch.userId(event));
    erased |= event instanceof Event.UserErased;
  }

  /** Hands the last owner's rows on. */
  void finish() {
    Owner before = owner;
    if (before == null) {
      return;
    }
    Owner now = rekeyed(before);
    if (snapshot != null) {
      target.snapshot(
          new SnapshotWrite(now, snapshot.number(), snapshot.at(), snapshot.snapshot()));
    }
    for (StoredEvent event : events) {
      target.event(new StoredEvent(event.position(), now, event.number(), event.event()));
    }
    snapshot = null;
    events.clear();
    owner = null;
    userId = null;
    erased = false;
  }

  private void turnTo(Owner next) {
    if (!next.equals(owner)) {
      finish();
      owner = next;
    }
  }

  private void knows(@Nullable String id) {
    if (id != null) {
      userId = id;
    }
  }

  private Owner rekeyed(Owner before) {
    if (userId != null) {
      OwnerKey key = keys.ofUser(userId);
      return new Owner(key.high(), key.low());
    }
    return erased ? new Owner(RANDOM.nextLong(), RANDOM.nextLong()) : before;
  }
}
