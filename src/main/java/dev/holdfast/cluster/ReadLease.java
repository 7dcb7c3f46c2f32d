package dev.holdfast.cluster;

import dev.holdfast.entity.RightToAnswer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The right of this node to answer from memory, as far as it is known. It is held while one of
 * these was the case at a moment less than {@link #LENGTH} ago:
 *
 * <ul>
 *   <li>a majority of the members granted it, and no other cluster can have claimed the journal
 *       meanwhile;
 *   <li>the journal showed that this node is not fenced.
 * </ul>
 *
 * <p>The moment is that at which the question was <em>sent</em>. An answer that waited in some
 * buffer while this process was stopped, or its machine suspended, therefore renews nothing. Time
 * goes by two clocks, of which one stands still in a suspension and the other may be set; the right
 * ends by whichever is ahead.
 *
 * <p>Whoever takes users over waits for {@link #LENGTH} after the last moment at which a right of
 * their former owner can have begun: see {@link ShardGate}.
 */
final class ReadLease implements RightToAnswer {

  /**
   * So long a right is good for: what a takeover waits for at the least, and yet long enough for
   * three renewals and a pause of the collector. Nodes of all versions must agree on it: the gate
   * of one waits for the right of another.
   */
  static final Duration LENGTH = Duration.ofMillis(400);

  /** Clocks of two machines differ by less than 5 % in their speed. */
  static final Duration WAITED_FOR = LENGTH.plus(LENGTH.dividedBy(20));

  /** A process whose clock makes a jump like this was stopped, or may as well have been. */
  private static final long STOPPED_NANOS = Duration.ofSeconds(1).toNanos();

  private final LongSupplier running;
  private final LongSupplier wallMillis;
  private final Duration unclaimed;

  private volatile @Nullable Moment granted;
  private volatile @Nullable Moment shown;

  /** When the incarnation was last seen to be held; null again where that may be over. */
  private volatile @Nullable Moment held;

  /** The journal has not yet said whether it still is. */
  private volatile boolean askingJournal;

  private volatile @Nullable Moment lastTick;
  private volatile @Nullable Moment resumed;
  private volatile boolean resigned;

  /** A moment by both clocks. */
  record Moment(long nanos, long wallMillis) {}

  /**
   * @param running nanoseconds since some moment; may stand still while the machine is suspended
   * @param wallMillis milliseconds since some moment, which go on then
   * @param silence after which others may claim the journal. An incarnation that is seen to be held
   *     was renewed less than two fifths of it before, so half of it goes by before a claim
   */
  ReadLease(LongSupplier running, LongSupplier wallMillis, Duration silence) {
    this.running = running;
    this.wallMillis = wallMillis;
    this.unclaimed = silence.dividedBy(2);
  }

  /** {@return the moment at which a question is about to be sent} */
  Moment now() {
    return new Moment(running.getAsLong(), wallMillis.getAsLong());
  }

  @Override
  public boolean isHeld() {
    Moment now = now();
    return !resigned
        && (isWithin(LENGTH, shown, now) || (isWithin(LENGTH, granted, now) && isUnclaimed(now)));
  }

  /**
   * While the journal does not answer, nobody can claim it either, unless only this node is cut off
   * from it; what this node then knew goes on to hold for as long as it has not stopped.
   */
  private boolean isUnclaimed(Moment now) {
    return isWithin(unclaimed, held, now) || (held != null && askingJournal && !hasStopped(now));
  }

  private boolean hasStopped(Moment now) {
    @Nullable Moment tick = lastTick;
    return tick == null || elapsed(tick, now) > STOPPED_NANOS;
  }

  private static boolean isWithin(Duration time, @Nullable Moment begin, Moment now) {
    return begin != null && elapsed(begin, now) < time.toNanos();
  }

  /** By the clock that is ahead; one that was set back says nothing. */
  static long elapsed(Moment from, Moment to) {
    return Math.max(
        to.nanos() - from.nanos(),
        TimeUnit.MILLISECONDS.toNanos(to.wallMillis() - from.wallMillis()));
  }

  /** A majority has granted it, to a question sent at this moment. */
  void granted(Moment asked) {
    granted = later(granted, asked);
  }

  /** The journal has shown that this node is not fenced, to a question sent at this moment. */
  void shown(Moment asked) {
    shown = later(shown, asked);
  }

  /** The journal is about to be asked whether the incarnation is held. */
  void asksJournal() {
    askingJournal = true;
  }

  /** The incarnation was renewed, or seen to be held, to a question sent at this moment. */
  void held(Moment asked) {
    @Nullable Moment since = resumed;
    if (since == null || asked.nanos() - since.nanos() > 0) {
      held = later(held, asked);
    }
    askingJournal = false;
  }

  /**
   * The process runs: told much more often than once a second.
   *
   * @return whether it seems to have been stopped since the last time
   */
  boolean tick() {
    Moment now = now();
    boolean stopped = lastTick != null && hasStopped(now);
    if (stopped) {
      forgetHeld(now);
    }
    lastTick = now;
    return stopped;
  }

  /**
   * Those who are left with this node are no majority of those who were, so the others may go on as
   * well. What was known of the incarnation is forgotten: had they claimed it, or fenced this node,
   * nobody here would know it.
   */
  void doubt() {
    forgetHeld(now());
  }

  /** Only what the journal says to a question that is sent after {@code now} counts again. */
  private void forgetHeld(Moment now) {
    resumed = now;
    held = null;
  }

  /** {@return whether the incarnation was seen to be held, to a question sent after this moment} */
  boolean isHeldSince(Moment moment) {
    @Nullable Moment seen = held;
    return seen != null && seen.nanos() - moment.nanos() > 0;
  }

  /** {@return whether nothing says that another cluster may have claimed the journal} */
  boolean isUnclaimed() {
    return isUnclaimed(now());
  }

  /** This node has handed its users over, and answers nothing any more. */
  void resign() {
    resigned = true;
  }

  private static Moment later(@Nullable Moment one, Moment other) {
    return one == null || other.nanos() - one.nanos() > 0 ? other : one;
  }
}
