package dev.holdfast.command;

import dev.holdfast.journal.Owner;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Shows how far work has come that takes owner after owner, for whoever waits at a terminal.
 * Nothing need be counted before: owner keys are random or hashes, so how far up a key is says how
 * many are done.
 */
final class Progress implements Consumer<Owner>, AutoCloseable {

  private static final long BETWEEN = TimeUnit.MILLISECONDS.toNanos(200);
  private static final int WIDTH = 30;

  /** To the beginning of the line, and nothing stands there any more. */
  private static final String CLEAR = "\r\u001b[K";

  private static final double OWNERS = 0x1p64;

  private final String doing;
  private final PrintStream out;
  private final boolean shows;
  private final long between;
  private long owners;
  private long shownAt;
  private boolean shown;

  /**
   * Progress on a terminal.
   *
   * @param between nanoseconds from one picture to the next; the first comes that long after now
   */
  Progress(String doing, PrintStream out, boolean shows, long between) {
    this.doing = doing;
    this.out = out;
    this.shows = shows;
    this.between = between;
    this.shownAt = System.nanoTime();
  }

  /**
   * {@return progress on standard error, if somebody is there to see it}
   *
   * @param doing what is done, such as {@code exporting}
   */
  static Progress of(String doing) {
    return new Progress(doing, System.err, Terminal.isThere(), BETWEEN);
  }

  /** The work has come to the next owner. */
  @Override
  public void accept(Owner owner) {
    owners++;
    if (shows && System.nanoTime() - shownAt >= between) {
      shownAt = System.nanoTime();
      shown = true;
      out.print(CLEAR + picture(owner));
      out.flush();
    }
  }

  private String picture(Owner owner) {
    double unsigned = (owner.high() >>> 1) * 2.0 + (owner.high() & 1);
    double share = unsigned / OWNERS;
    int filled = (int) (share * WIDTH);
    return String.format(
        Locale.ROOT,
        "%s [%s%s] %3.0f %%, %,d users",
        doing,
        "=".repeat(filled),
        " ".repeat(WIDTH - filled),
        100 * share,
        owners);
  }

  /** Leaves the line as it was found. */
  @Override
  public void close() {
    if (shown) {
      out.print(CLEAR);
      out.flush();
    }
  }
}
