package dev.holdfast.entity;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The wall clock, and whether it can be trusted: a wall clock that jumps against the time since the
 * machine started would end sessions that were active, or keep ended ones.
 *
 * <p>The clock is trusted while it has moved with the time since boot, to {@link #TOLERANCE}. After
 * a jump it is trusted again once it has moved evenly for {@link #SETTLING}, since a clock that was
 * corrected for good must be accepted in the end.
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

  // Guarded by this.
  private long offset;
  private long untrustedSince;

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
    this.offset = millis - sinceBootMillis.getAsLong();
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
    return new Reading(millis, (even && trusted) || examine(millis));
  }

  /** Asks the time since boot whether the clock jumped, or the machine was suspended. */
  private synchronized boolean examine(long millis) {
    long boot = sinceBootMillis.getAsLong();
    if (Math.abs(millis - boot - offset) > TOLERANCE_MILLIS) {
      // Each jump begins the settling anew, measured against the clock as it stands after it.
      offset = millis - boot;
      untrustedSince = boot;
      trusted = false;
    } else if (!trusted && boot - untrustedSince >= SETTLING.toMillis()) {
      trusted = true;
    }
    quickOffset = millis - runningMillis.getAsLong();
    return trusted;
  }
}
