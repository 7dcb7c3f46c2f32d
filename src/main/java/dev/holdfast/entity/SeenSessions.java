package dev.holdfast.entity;

import dev.holdfast.user.Decision;
import dev.holdfast.user.Presence;
import dev.holdfast.user.Session;
import dev.holdfast.user.SessionId;
import java.util.Arrays;
import java.util.List;

/**
 * When the sessions of one user were last seen in this actor's life. One small array: a user has a
 * few sessions, and hundreds of thousands of users are in memory.
 *
 * <p>For the actor and the threads of requests that look at its user.
 */
final class SeenSessions implements Presence {

  private static final long[] NONE = {};

  /** For each session: the two halves of its id, and when it was seen. */
  private static final int WIDTH = 3;

  private long[] seen = NONE;

  @Override
  public synchronized long seen(SessionId session) {
    int at = indexOf(session);
    return at < 0 ? UNKNOWN : seen[at + 2];
  }

  /**
   * Notes the activity that a decision tells of, if any.
   *
   * @param now the clock, in milliseconds since 1970
   */
  void note(Decision decision, long now) {
    if (decision.seen() != null) {
      // The user's time, as the answer has it: never behind the last entry.
      note(decision.seen(), Math.max(now, decision.state().lastEntryAt()));
    }
  }

  private synchronized void note(SessionId session, long at) {
    int index = indexOf(session);
    if (index < 0) {
      index = seen.length;
      seen = Arrays.copyOf(seen, index + WIDTH);
      seen[index] = session.high();
      seen[index + 1] = session.low();
      seen[index + 2] = at;
    } else {
      seen[index + 2] = Math.max(seen[index + 2], at);
    }
  }

  /** Forgets all sessions but these. */
  synchronized void retain(List<Session> live) {
    int kept = 0;
    for (int i = 0; i < seen.length; i += WIDTH) {
      if (isAmong(live, seen[i], seen[i + 1])) {
        System.arraycopy(seen, i, seen, kept, WIDTH);
        kept += WIDTH;
      }
    }
    if (kept < seen.length) {
      seen = Arrays.copyOf(seen, kept);
    }
  }

  private static boolean isAmong(List<Session> live, long high, long low) {
    for (Session session : live) {
      if (session.id().high() == high && session.id().low() == low) {
        return true;
      }
    }
    return false;
  }

  private int indexOf(SessionId session) {
    for (int i = 0; i < seen.length; i += WIDTH) {
      if (seen[i] == session.high() && seen[i + 1] == session.low()) {
        return i;
      }
    }
    return -1;
  }
}
