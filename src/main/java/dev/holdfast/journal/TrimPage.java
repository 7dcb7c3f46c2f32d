package dev.holdfast.journal;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of owners, and what {@link JournalStore#trim} is to delete of them.
 *
 * @param cuts what to delete
 * @param last the last owner that needs no more looking at; null if there was none yet
 * @param done whether there is no further owner
 * @param owners owners that were looked at to their end
 * @param rows events that the cuts delete
 * @param longest events of the longest log among those owners, after the cuts
 * @param overCap those owners who still have more events than should be kept
 */
record TrimPage(
    List<Cut> cuts,
    @Nullable Owner last,
    boolean done,
    int owners,
    long rows,
    long longest,
    long overCap) {

  /** Events of an owner up to a number, to be deleted. */
  record Cut(Owner owner, long upTo) {}

  /**
   * An owner's log.
   *
   * @param first the number of the oldest event that is kept
   * @param newest the number of the newest event
   * @param snapshot the number of the stored snapshot, 0 without one
   */
  record Log(Owner owner, long first, long newest, long snapshot) {}

  /** The logs of the owners of a range, in their order. */
  interface Logs {

    /** The log of the first owner after {@code after}, or of all; null if there is none. */
    @Nullable Log nextAfter(@Nullable Owner after) throws SQLException;

    /** The number, at most {@code bound}, up to which all events are from before {@code since}. */
    long oldUpTo(Log log, long bound, long since) throws SQLException;

    /**
     * The number, at most {@code bound}, up to which all consumers of the feed have read all
     * events.
     */
    long passedUpTo(Log log, long bound) throws SQLException;
  }

  /**
   * Plans what to delete.
   *
   * @param work most owners to look at and rows to delete, together
   */
  static TrimPage plan(Logs logs, @Nullable Owner after, KeepRule keep, int work)
      throws SQLException {
    List<Cut> cuts = new ArrayList<>();
    @Nullable Owner last = after;
    int owners = 0;
    long rows = 0;
    long longest = 0;
    long overCap = 0;
    while (owners + rows < work) {
      Log log = logs.nextAfter(last);
      if (log == null) {
        return new TrimPage(cuts, last, true, owners, rows, longest, overCap);
      }
      long first = log.first;
      long deletable = Math.min(log.newest - 1, log.snapshot);
      long bound = Math.min(deletable, first - 1 + work - owners - rows);
      long cut =
          bound < first
              ? first - 1
              : Math.min(
                  logs.passedUpTo(log, bound),
                  Math.max(log.newest - keep.atMost(), logs.oldUpTo(log, bound, keep.since())));
      if (cut >= first) {
        cuts.add(new Cut(log.owner, cut));
        rows += cut - first + 1;
      }
      if (cut == bound && bound < deletable) {
        // There may be more to delete of this one: the next call begins with it.
        return new TrimPage(cuts, last, false, owners, rows, longest, overCap);
      }
      owners++;
      last = log.owner;
      long left = log.newest - Math.max(cut, first - 1);
      longest = Math.max(longest, left);
      overCap += left > keep.atMost() ? 1 : 0;
    }
    return new TrimPage(cuts, last, false, owners, rows, longest, overCap);
  }

  /** What the call has done, once so many events are deleted. */
  Trimmed trimmed(long deleted) {
    return new Trimmed(last, done, owners, deleted, longest, overCap);
  }
}
