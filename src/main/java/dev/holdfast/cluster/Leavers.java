package dev.holdfast.cluster;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which nodes have told this one lately that they hand their users over. They say so again and
 * again, so that a coordinator that was elsewhere a moment ago soon knows as well.
 */
final class Leavers {

  private static final long REMEMBERED_NANOS = Duration.ofSeconds(3).toNanos();

  private final Map<String, Long> heard = new ConcurrentHashMap<>();

  void heard(String id) {
    heard.put(id, System.nanoTime());
  }

  /** It is no member any more. */
  void forget(String id) {
    heard.remove(id);
  }

  boolean drains(String id) {
    Long at = heard.get(id);
    if (at != null && System.nanoTime() - at > REMEMBERED_NANOS) {
      heard.remove(id, at);
      return false;
    }
    return at != null;
  }
}
