package dev.holdfast.entity;

import dev.holdfast.journal.JournalEvent;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Who wants to be told what happens to a user: one actor a node. Forgets those who have not said so
 * for a while. Remembers where the user stands, so that saying it again wakes nobody.
 */
final class Listeners {

  /** For so long whoever listens is remembered without a new word. */
  static final Duration REMEMBERED = Duration.ofSeconds(15);

  private final OwnerKey owner;
  private final Map<ActorRef<Told>, Long> since = HashMap.newHashMap(2);
  private long revision;

  Listeners(OwnerKey owner, long revision) {
    this.owner = owner;
    this.revision = revision;
  }

  /** Somebody listens from here on, and is told where the user stands. */
  void add(ActorRef<Told> listener, long number) {
    forget();
    since.put(listener, System.nanoTime());
    listener.tell(new Told.Happened(owner, number, revision, List.of()));
  }

  /**
   * Tells what was written, or where the user stands after having been read anew.
   *
   * @param before the number of the event before these
   * @param then the revision before these
   * @param now the revision after them
   * @return false if nobody listens any more
   */
  boolean tell(long before, long then, List<JournalEvent> events, long now) {
    forget();
    revision = now;
    if (!since.isEmpty()) {
      var happened =
          new Told.Happened(owner, before, then, events.stream().map(Told.Written::of).toList());
      since.keySet().forEach(listener -> listener.tell(happened));
    }
    return !since.isEmpty();
  }

  /** The actor leaves memory. */
  void leave() {
    since.keySet().forEach(listener -> listener.tell(new Told.Left(owner)));
  }

  private void forget() {
    long now = System.nanoTime();
    since.values().removeIf(then -> now - then > REMEMBERED.toNanos());
  }
}
