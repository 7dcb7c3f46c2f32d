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

  /** How long the clock must move evenly after a jump to be trusted again. */
  public static final Duration SETTLING = Duration.ofMinutes(10);

  private final InstantSource wall;
  private final LongSupplier sinceBootMillis;

  // Guarded by this.
  private long offset;
  private long untrustedSince = -1;

  /**
   * Trusts the clock as it stands now.
   *
   * @param sinceBootMillis milliseconds since some fixed moment, suspensions included
   */
  public TrustedClock(InstantSource wall, LongSupplier sinceBootMillis) {
    this.wall = wall;
    this.sinceBootMillis = sinceBootMillis;
    this.offset = wall.millis() - sinceBootMillis.getAsLong();
  }

  /**
   * What the clock says.
   *
   * @param millis since 1970
   * @param trusted whether anything may expire by it
   */
  public record Reading(long millis, boolean trusted) {}

  /** {@return the time now} */
  public synchronized Reading read() {
    long millis = wall.millis();
    long boot = sinceBootMillis.getAsLong();
    if (Math.abs(millis - boot - offset) > TOLERANCE.toMillis()) {
      // Each jump begins the settling anew, measured against the clock as it stands after it.
      offset = millis - boot;
      untrustedSince = boot;
    }
    if (untrustedSince >= 0 && boot - untrustedSince >= SETTLING.toMillis()) {
      untrustedSince = -1;
    }
    return new Reading(millis, untrustedSince < 0);
  }
}
