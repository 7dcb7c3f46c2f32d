package dev.holdfast.cluster;

import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Histogram;
import dev.holdfast.telemetry.TakeoverDone;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The takeovers that this node has carried out, as the place of the coordinator. */
final class TakeoverLog {

  private static final int KEPT = 100;
  private static final int NAMES_KEPT = 1_000;

  /** Whom an earlier coordinator has taken over from is none of this one's. */
  private static final Duration LONG_AGO = Duration.ofMinutes(1);

  private final InstantSource clock;

  /** Whose users were taken over here; the last ones. */
  private final Set<String> begun = new LinkedHashSet<>();

  private final Histogram times = new Histogram(Histogram.Scale.NANOS);
  private final Deque<Entry> entries = new ArrayDeque<>();

  /** What people call the processes that were members; the last ones. */
  private final Map<String, String> names = new LinkedHashMap<>();

  private static final class Entry {
    final String node;
    final Losses.Loss loss;
    final Set<String> shards = new HashSet<>();
    @Nullable Instant lastHome;
    boolean over;

    Entry(String node, Losses.Loss loss) {
      this.node = node;
      this.loss = loss;
    }

    Takeover told() {
      return new Takeover(
          node,
          loss.tier(),
          loss.at(),
          shards.size(),
          over && lastHome != null ? Duration.between(loss.at(), lastHome) : null);
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

  /** A process is gone without having handed its users over, and they are being taken over. */
  synchronized void begin(Losses.Loss loss) {
    boolean isOld = Duration.between(loss.at(), clock.instant()).compareTo(LONG_AGO) > 0;
    boolean isNew = begun.add(loss.id());
    if (begun.size() > NAMES_KEPT) {
      begun.remove(begun.iterator().next());
    }
    if (isNew && !isOld) {
      entries.addFirst(new Entry(names.getOrDefault(loss.id(), loss.id()), loss));
      if (entries.size() > KEPT) {
        entries.removeLast();
      }
    }
  }

  /** A shard that had no home got one. */
  synchronized void home(String shard) {
    for (Entry entry : entries) {
      if (!entry.over) {
        entry.shards.add(shard);
        entry.lastHome = clock.instant();
      }
    }
  }

  /** All shards have a home. What held none when it was lost was taken over elsewhere, or empty. */
  synchronized void allHome() {
    entries.removeIf(entry -> !entry.over && entry.shards.isEmpty());
    List<Entry> ending = entries.stream().filter(entry -> !entry.over).toList();
    for (Entry entry : ending) {
      entry.over = true;
      measure(entry.told());
    }
  }

  private void measure(Takeover done) {
    Duration took = done.took();
    if (took != null) {
      times.record(took.toNanos());
      new TakeoverDone(done.node(), done.tier().name(), done.shards(), took.toMillis()).commit();
    }
  }

  /** How long those took that are over. */
  Distribution times() {
    return times.read();
  }

  synchronized List<Takeover> list() {
    return entries.stream().map(Entry::told).toList();
  }
}
