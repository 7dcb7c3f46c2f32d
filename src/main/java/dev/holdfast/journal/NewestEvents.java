package dev.holdfast.journal;

import dev.holdfast.journal.PostgresSession.History;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The newest events of owners for whom this process wrote last, as it wrote them: what need not be
 * looked up again before the next one.
 *
 * <p>Only the node that holds an owner writes for it, and another one reads the owner first, by
 * which this forgets it. So what stands here is the newest event still. Where it is not all the
 * same, the number that the next write claims is taken, and the key (owner, number) refuses it:
 * events are kept far longer than two nodes could ever believe that they hold one owner.
 *
 * <p>The one way in which the newest event could be an <i>earlier</i> one is a database that has
 * lost what it had acknowledged, after a fail-over or a restore. That is another history of the
 * database, so what was written to one is known only for that one.
 */
final class NewestEvents {

  /** Not known: to be looked up. */
  static final long UNKNOWN = Long.MIN_VALUE;

  /** About 10 MB. Beyond it all is forgotten: each owner is then looked up once more. */
  private static final int MOST = 100_000;

  private final ConcurrentHashMap<Owner, Newest> newest = new ConcurrentHashMap<>();

  private record Newest(long number, long deadline, History history) {}

  /** An event was written, and committed. */
  void note(Owner owner, long number, long deadline, History history) {
    if (newest.size() >= MOST) {
      newest.clear();
    }
    newest.put(owner, new Newest(number, deadline, history));
  }

  void forget(Owner owner) {
    newest.remove(owner);
  }

  /**
   * The deadline of the owner's newest event, if {@code write} is known to begin right after it in
   * {@code history}; else {@link #UNKNOWN}.
   */
  long deadlineBefore(OwnerWrite write, History history) {
    Newest known = newest.get(write.owner());
    return known != null && known.number + 1 == write.first() && known.history.equals(history)
        ? known.deadline
        : UNKNOWN;
  }
}
