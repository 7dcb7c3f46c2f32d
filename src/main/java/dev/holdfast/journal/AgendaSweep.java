package dev.holdfast.journal;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sweeps an agenda whose rows are never later than the owners' deadlines, but often earlier: finds
 * those that are due, and moves the early rows that it meets.
 */
final class AgendaSweep {

  /** Early rows that are put right in one transaction. */
  private static final int EARLY_AT_ONCE = 512;

  private static final Comparator<DueOwner> ORDER =
      Comparator.comparingLong(DueOwner::deadline).thenComparing(DueOwner::owner);

  private AgendaSweep() {}

  /**
   * A row of the agenda.
   *
   * @param wake when the agenda says to look, in milliseconds since the epoch
   * @param deadline the deadline of the owner's newest event; not before {@code wake}
   */
  record Row(Owner owner, long wake, long deadline) {}

  /** Rows that are due by the agenda, by wake and then by owner; null after the last. */
  @FunctionalInterface
  interface Rows {
    @Nullable Row next() throws SQLException;
  }

  /**
   * Some rows of the agenda.
   *
   * @param due owners whose deadline has come
   * @param early owners whose deadline is later than the agenda says
   * @param last how far the sweep has come
   * @param more whether there are more
   */
  record Page(List<DueOwner> due, List<Owner> early, @Nullable DueOwner last, boolean more) {}

  /** Reads a page that begins after a row and has at most so many that are due. */
  @FunctionalInterface
  interface Pages {
    Page read(@Nullable DueOwner after, int limit);
  }

  /**
   * The owners whose deadline has come; see {@link JournalStore#due}.
   *
   * @param pages reads
   * @param postpone moves the rows of these owners to their deadlines of that moment
   */
  static List<DueOwner> due(
      Pages pages, Consumer<List<Owner>> postpone, int limit, @Nullable DueOwner after) {
    List<DueOwner> due = new ArrayList<>();
    @Nullable DueOwner seen = after;
    Page page;
    do {
      page = pages.read(seen, limit - due.size());
      due.addAll(page.due);
      if (!page.early.isEmpty()) {
        postpone.accept(page.early);
      }
      seen = page.last;
    } while (page.more && due.size() < limit);
    return due;
  }

  /** Reads {@code rows} until the page is full. */
  static Page page(Rows rows, long now, int limit, @Nullable DueOwner after) throws SQLException {
    List<DueOwner> due = new ArrayList<>();
    List<Owner> early = new ArrayList<>();
    // Those of the early ones that are due, until the sweep comes to their real place.
    PriorityQueue<DueOwner> moved = new PriorityQueue<>(ORDER);
    @Nullable DueOwner last = after;
    @Nullable Row row = rows.next();
    while ((row != null || !moved.isEmpty()) && early.size() < EARLY_AT_ONCE) {
      if (due.size() >= limit) {
        return new Page(due, early, last, true);
      }
      DueOwner earliestMoved = moved.peek();
      if (row == null || (earliestMoved != null && ORDER.compare(earliestMoved, at(row)) < 0)) {
        last = moved.remove();
        due.add(last);
        continue;
      }
      last = at(row);
      if (row.deadline == row.wake) {
        due.add(last);
      } else {
        early.add(row.owner);
        if (row.deadline <= now) {
          moved.add(new DueOwner(row.owner, row.deadline));
        }
      }
      row = rows.next();
    }
    return new Page(due, early, last, row != null || !moved.isEmpty());
  }

  private static DueOwner at(Row row) {
    return new DueOwner(row.owner, row.wake);
  }
}
