package dev.holdfast.entity;

import dev.holdfast.journal.JournalAudit;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.User;

/** Makes users of the rows of a journal, as their actors would, for whoever reads one directly. */
public final class UserReplayer implements JournalAudit.Replayer<User, Entry> {

  @Override
  public User beginning() {
    return User.nobody();
  }

  @Override
  public Entry decode(JournalEvent event) {
    return UserCodec.decode(event);
  }

  @Override
  public User decode(JournalSnapshot snapshot) {
    return UserCodec.decode(snapshot);
  }

  @Override
  public User apply(User user, Entry entry) {
    return user.apply(entry);
  }

  @Override
  public boolean isBeginning(Entry entry) {
    return entry.event() instanceof Event.UserErased;
  }

  @Override
  public byte[] encode(User user) {
    return UserCodec.bytes(user);
  }
}
