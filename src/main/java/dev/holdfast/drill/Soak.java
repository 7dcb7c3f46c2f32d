package dev.holdfast.drill;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Faults one after the other for a long time, each drawn by lot, while one node is spared: it lives
 * through what befalls the others, so what it does not give back is seen in it.
 *
 * @param lasting for how long new faults begin
 * @param every from one fault to the next, at least; a fault whose traces are not gone by then
 *     holds the next one up
 */
public record Soak(Duration lasting, Duration every) {

  /** What a node may have more of in the end than in the second quarter. */
  private static final double MORE = 1.15;

  private static final long MORE_BYTES = 8 << 20;
  private static final long MORE_PIECES = 20;
  private static final int QUARTERS = 4;

  /** {@return the faults that are drawn from, with so many nodes} */
  public static List<Fault> faults(int nodes) {
    return Arrays.stream(Fault.values())
        .filter(fault -> fault.leastNodes() < nodes && comesAgainAndAgain(fault))
        .toList();
  }

  /** {@return whether what a process holds can be seen here} */
  public static boolean works() {
    return Vitals.canBeSeen();
  }

  private static boolean comesAgainAndAgain(Fault fault) {
    return switch (fault) {
      case CRASH, CRASH_OLDEST, CRASH_TWO, HANG, PARTITION, PARTITION_TWO -> true;
      case ONE_WAY, LEAVE, SCALE_IN -> true;
      // With a node spared too few are left, it lasts too long, or callers may be refused by it.
      case HANG_CRASH, CRASH_MOVING, ROLLING, SCALE_OUT, JOURNAL_DOWN, REJECT -> false;
    };
  }

  /**
   * {@return what has grown from the second quarter to the last, for people; the first one is left
   * out, in which a node gets warm}
   *
   * @param vitals in the order of time; too few of them tell nothing
   */
  static List<String> grown(List<Vitals> vitals) {
    var grown = new ArrayList<String>();
    if (vitals.size() >= 2 * QUARTERS) {
      grown(grown, "bytes of live objects", vitals, Vitals::liveBytes, MORE_BYTES);
      grown(grown, "threads", vitals, Vitals::threads, MORE_PIECES);
      grown(grown, "open files", vitals, Vitals::handles, MORE_PIECES);
    }
    return grown;
  }

  private static void grown(
      List<String> grown, String what, List<Vitals> vitals, ToLongFunction<Vitals> of, long more) {
    int size = vitals.size();
    long before = median(vitals.subList(size / QUARTERS, size / 2), of);
    long after = median(vitals.subList(size - size / QUARTERS, size), of);
    if (after > before * MORE && after > before + more) {
      grown.add("%s of the spared node have grown: from %,d to %,d".formatted(what, before, after));
    }
  }

  private static long median(List<Vitals> vitals, ToLongFunction<Vitals> of) {
    long[] sorted = vitals.stream().mapToLong(of).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
