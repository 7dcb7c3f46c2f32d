package dev.holdfast.cluster;

import dev.holdfast.journal.OwnerRange;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The shards that this node holds, as its region said lately. While a shard moves, nobody may see
 * itself as its holder for a moment, or two: what is done by range therefore must be harmless twice
 * and bear being late, as sweeps of the agenda and of old events are.
 */
final class HeldShards {

  private final ShardRanges ranges;
  private final Runnable onArrival;

  /** The actor of each shard that a user was started in last. */
  private final ConcurrentHashMap<String, ActorRef> entered = new ConcurrentHashMap<>();

  private volatile @Nullable Set<Integer> held;

  /**
   * @param onArrival before the first user of a shard starts here that was elsewhere meanwhile
   */
  HeldShards(ShardRanges ranges, Runnable onArrival) {
    this.ranges = ranges;
    this.onArrival = onArrival;
  }

  /** What the region said just now. */
  void are(Set<String> names) {
    Set<Integer> numbers = new TreeSet<>();
    names.forEach(name -> numbers.add(Integer.valueOf(name)));
    held = numbers;
  }

  /**
   * A user starts in a shard. A shard that comes back has another actor than before; whatever was
   * read ahead of its users may be older than what they did elsewhere.
   */
  void entered(ActorRef shard) {
    @Nullable ActorRef before = entered.put(shard.path().name(), shard);
    if (!shard.equals(before)) {
      onArrival.run();
    }
  }

  OptionalLong count() {
    Set<Integer> now = held;
    return now == null ? OptionalLong.empty() : OptionalLong.of(now.size());
  }

  /** The owners of these shards, in as few ranges as can be. */
  List<OwnerRange> owners() {
    List<OwnerRange> found = new ArrayList<>();
    Set<Integer> now = held;
    if (now == null) {
      return found;
    }
    int first = -1;
    int last = -2;
    for (int shard : now) {
      if (shard != last + 1 && first >= 0) {
        found.add(ranges.owners(first, last));
      }
      first = shard == last + 1 && first >= 0 ? first : shard;
      last = shard;
    }
    if (first >= 0) {
      found.add(ranges.owners(first, last));
    }
    return found;
  }
}
