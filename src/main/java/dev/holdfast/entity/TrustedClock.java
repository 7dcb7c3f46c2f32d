package dev.holdfast.entity;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The wall clock, and whether it can be trusted: a wall clock that jumps against the time since the
 * machine started would end sessions that were active, or keep ended ones.
 *
 * <p>The clock is trusted while it moves with the time since boot, to {@link #TOLERANCE}. After a
 * jump the time goes on evenly from where it was, until the clock is back, or has moved evenly for
 * {@link #SETTLING} where it jumped to, since a clock that was corrected for good must be accepted
 * in the end. So a clock that was wrong for a while leaves no trace in what is journaled.
 *
 * <p>The time since boot must include the time in which the machine was suspended, or each
 * suspension would look like a jump.
 */
public final class TrustedClock {

  /** How far the clock may move against the time since boot. */
  public static final Duration TOLERANCE = Duration.ofSeconds(5);

  private static final long TOLERANCE_MILLIS = TOLERANCE.toMillis();

  /** How long the clock must move evenly after a jump to be trusted again. */
  public static final Duration SETTLING = Duration.ofMinutes(10);

  private final InstantSource wall;
  private final LongSupplier runningMillis;
  private final LongSupplier sinceBootMillis;

  /** Wall clock less running time; while it holds, nothing jumped and nothing need be asked. */
  private volatile long quickOffset;

  private volatile boolean trusted = true;

  // Guarded by this. Offsets are wall clock less time since boot.
  private long trustedOffset;
  private long jumpedOffset;
  private long jumpedAt;

  /**
   * Trusts the clock as it stands now.
   *
   * @param runningMillis milliseconds since some fixed moment, perhaps without suspensions; read
   *     with every command, so it must be cheap
   * @param sinceBootMillis milliseconds since some fixed moment, suspensions included; read only
   *     when the other two disagree
   */
  public TrustedClock(
      InstantSource wall, LongSupplier runningMillis, LongSupplier sinceBootMillis) {
    this.wall = wall;
    this.runningMillis = runningMillis;
    this.sinceBootMillis = sinceBootMillis;
    long millis = wall.millis();
    this.quickOffset = millis - runningMillis.getAsLong();
    this.trustedOffset = millis - sinceBootMillis.getAsLong();
  }

  /**
   * What the clock says.
   *
   * @param millis since 1970
   * @param trusted whether anything may expire by it
   */
  public record Reading(long millis, boolean trusted) {}

  /** {@return the time now} */
  public Reading read() {
    long millis = wall.millis();
    boolean even = Math.abs(millis - runningMillis.getAsLong() - quickOffset) <= TOLERANCE_MILLIS;
    return even && trusted ? new Reading(millis, true) : examine(millis);
  }

  /** Asks the time since boot whether the clock jumped, or the machine was suspended. */
  private synchronized Reading examine(long millis) {
    long boot = sinceBootMillis.getAsLong();
    long offset = millis - boot;
    if (!differ(offset, trustedOffset)) {
      trusted = true;
    } else if (trusted || differ(offset, jumpedOffset)) {
      trusted = false;
      jumpedOffset = offset;
      jumpedAt = boot;
    } else if (boot - jumpedAt >= SETTLING.toMillis()) {
      trusted = true;
      trustedOffset = offset;
    }
    quickOffset = millis - runningMillis.getAsLong();
    return trusted ? new Reading(millis, true) : new Reading(boot + trustedOffset, false);
  }

  private static boolean differ(long offset, long other) {
    return Math.abs(offset - other) > TOLERANCE_MILLIS;
  }
}
