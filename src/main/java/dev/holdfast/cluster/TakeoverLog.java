package dev.holdfast.cluster;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The takeovers that this node has carried out, as the place of the coordinator. */
final class TakeoverLog {

  private static final int KEPT = 100;
  private static final int NAMES_KEPT = 1_000;

  private final InstantSource clock;
  private final Deque<Entry> entries = new ArrayDeque<>();

  /** What people call the processes that were members; the last ones. */
  private final Map<String, String> names = new LinkedHashMap<>();

  private static final class Entry {
    final String node;
    final Instant at;
    final long began = System.nanoTime();
    final Set<String> shards = new HashSet<>();
    long lastHome = -1;
    boolean over;

    Entry(String node, Instant at) {
      this.node = node;
      this.at = at;
    }
  }

  TakeoverLog(InstantSource clock) {
    this.clock = clock;
  }

  /** A process is a member, or was. */
  synchronized void knows(String id, String name) {
    if (names.put(id, name) == null && names.size() > NAMES_KEPT) {
      names.remove(names.keySet().iterator().next());
    }
  }

  /** A process is gone without having handed its users over. */
  synchronized void begin(String id) {
    String node = names.getOrDefault(id, id);
    if (entries.stream().anyMatch(entry -> !entry.over && entry.node.equals(node))) {
      return;
    }
    entries.addFirst(new Entry(node, clock.instant()));
    if (entries.size() > KEPT) {
      entries.removeLast();
    }
  }

  /** A shard that had no home got one. */
  synchronized void home(String shard) {
    for (Entry entry : entries) {
      if (!entry.over) {
        entry.shards.add(shard);
        entry.lastHome = System.nanoTime();
      }
    }
  }

  /** All shards have a home. */
  synchronized void allHome() {
    entries.forEach(entry -> entry.over = true);
  }

  synchronized List<Takeover> list() {
    return entries.stream()
        .map(entry ->
            new Takeover(
                entry.node,
                entry.at,
                entry.shards.size(),
                entry.over
                    ? Duration.ofNanos(entry.lastHome < 0 ? 0 : entry.lastHome - entry.began)
                    : null))
        .toList();
  }
}
