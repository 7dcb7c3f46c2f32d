package dev.holdfast.cluster;

import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The processes that this node knows to be gone without having left, and how; the latest ones. */
final class Losses {

  private static final int KEPT = 1_000;

  private final InstantSource clock;
  private final Map<String, Loss> known = new LinkedHashMap<>();

  /**
   * A process that is gone.
   *
   * @param id of the process
   * @param tier what has shown it
   * @param at when that was
   */
  record Loss(String id, Tier tier, Instant at) {}

  Losses(InstantSource clock) {
    this.clock = clock;
  }

  /** The first one stands: the others follow from it. */
  synchronized void note(String id, Tier tier) {
    if (known.putIfAbsent(id, new Loss(id, tier, clock.instant())) == null && known.size() > KEPT) {
      known.remove(known.keySet().iterator().next());
    }
  }

  /** {@return whether the process is known to be dead, and not only to be silent} */
  synchronized boolean isProven(String id) {
    @Nullable Loss loss = known.get(id);
    return loss != null
        && switch (loss.tier()) {
          case PROOF, REPLACED -> true;
          case RACE, RESOLVER -> false;
        };
  }

  synchronized List<Loss> all() {
    return List.copyOf(known.values());
  }
}
