package dev.holdfast.http;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many requests each caller may make: a token bucket, kept as the one time at which it will be
 * full again (the generic cell rate algorithm of ATM Forum TM 4.1), so that a request costs one
 * compare-and-set and nobody has to refill anything.
 */
final class RateLimits {

  /** What a caller may send at once, as the time in which it would have come evenly. */
  private static final long BURST_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final long each;
  private final ConcurrentHashMap<String, AtomicLong> fullAgain = new ConcurrentHashMap<>();

  /**
   * @param perSecond 0 for no limit
   */
  RateLimits(int perSecond) {
    each = perSecond == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) / perSecond;
  }

  /**
   * Takes one request of a caller out of the bucket.
   *
   * @param now of {@link System#nanoTime}
   * @return 0 if it may be done, else after how many nanoseconds the next one may; nothing was
   *     taken then
   */
  long take(String caller, long now) {
    if (each == 0) {
      return 0;
    }
    AtomicLong bucket = fullAgain.computeIfAbsent(caller, _ -> new AtomicLong(now));
    while (true) {
      long full = bucket.get();
      long next = (full - now > 0 ? full : now) + each;
      long over = next - now - BURST_NANOS;
      if (over > 0) {
        return over;
      }
      if (bucket.compareAndSet(full, next)) {
        return 0;
      }
    }
  }
}
