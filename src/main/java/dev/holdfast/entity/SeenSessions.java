package dev.holdfast.entity;

import dev.holdfast.user.Presence;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When the sessions of one user were last seen in this actor's life. A pair of small arrays: a user
 * has a few sessions, and hundreds of thousands of users are in memory.
 */
final class SeenSessions implements Presence {

  private @Nullable SessionId[] sessions = new SessionId[1];
  private long[] seenAt = new long[1];
  private int size;

  @Override
  public long seen(SessionId session) {
    int index = indexOf(session);
    return index < 0 ? UNKNOWN : seenAt[index];
  }

  /** Notes activity. */
  void note(SessionId session, long at) {
    int index = indexOf(session);
    if (index >= 0) {
      seenAt[index] = Math.max(seenAt[index], at);
      return;
    }
    if (size == sessions.length) {
      sessions = Arrays.copyOf(sessions, 2 * size);
      seenAt = Arrays.copyOf(seenAt, 2 * size);
    }
    sessions[size] = session;
    seenAt[size++] = at;
  }

  /** Forgets all sessions but these. */
  void retain(List<Session> live) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      SessionId session = sessions[i];
      if (session != null && live.stream().anyMatch(s -> s.id().equals(session))) {
        sessions[kept] = session;
        seenAt[kept++] = seenAt[i];
      }
    }
    Arrays.fill(sessions, kept, size, null);
    size = kept;
  }

  private int indexOf(SessionId session) {
    for (int i = 0; i < size; i++) {
      if (session.equals(sessions[i])) {
        return i;
      }
    }
    return -1;
  }
}
