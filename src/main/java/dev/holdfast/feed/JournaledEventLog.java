package dev.holdfast.feed;

import dev.holdfast.entity.UserReplayer;
import dev.holdfast.journal.FeedReaders;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.Recovered;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.user.Entry;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.User;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The events in the journal of this node, which are those of the whole cluster. */
public final class JournaledEventLog implements EventLog, AutoCloseable {

  /** Events read at a time: one may have a payload of megabytes. */
  private static final int AT_ONCE = 50;

  /** A page of the feed, or of a history, ends when its payloads have as many bytes. */
  private static final long PAGE_BYTES = 1 << 20;

  /** How often at most the place of a consumer that moves on is written. */
  private static final long NOTE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Retention deletes a user's old events once in a while, not three times in a moment. */
  private static final int ATTEMPTS = 3;

  private static final UserReplayer REPLAYER = new UserReplayer();

  private final Journal journal;
  private final FeedReaders readers;
  private final LongSupplier clock;
  private final FeedTail tail;
  private volatile @Nullable String identity;

  /** What this node has noted of consumers, and when. */
  private final Map<String, Noted> noted = new ConcurrentHashMap<>();

  private record Noted(long position, long nanos) {}

  /**
   * The log of a journal.
   *
   * @param clock milliseconds since 1970
   */
  public JournaledEventLog(Journal journal, LongSupplier clock) {
    this.journal = journal;
    this.readers = journal.feedReaders();
    this.clock = clock;
    this.tail =
        new FeedTail(position -> {
          long[] first = {-1};
          journal.feed(position, 1, event -> first[0] = event.position());
          return first[0];
        });
  }

  // ---------------------------------------------------------------------------------------------
  // One user

  @Override
  public History history(OwnerKey owner, long after, int limit) {
    return reading(() -> {
      var stored = new Owner(owner.high(), owner.low());
      long first = Math.max(after, 0) + 1;
      var events = new ArrayList<LoggedEvent>();
      boolean left =
          read(
              events,
              limit + 1L,
              (wanted, each) -> {
                long next = events.isEmpty() ? first : events.getLast().number() + 1;
                return journal.read(stored, next, Long.MAX_VALUE, wanted, each);
              });
      if (after >= 0 && !events.isEmpty() && events.getFirst().number() > first) {
        return new History.Forgotten();
      }
      if (events.isEmpty() && journal.look(stored).highest() == 0) {
        return new History.Nobody();
      }
      // Where there may be more, the last one shows that there is.
      return new History.Events(left ? events.subList(0, events.size() - 1) : events, left);
    });
  }

  @Override
  public Past at(OwnerKey owner, long moment) {
    return reading(() -> {
      var stored = new Owner(owner.high(), owner.low());
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        Past past = lookBack(stored, moment);
        if (past != null) {
          return past;
        }
      }
      throw new LogUnavailable(
          new IllegalStateException("events were deleted again and again while they were read"));
    });
  }

  /** {@return the past, or null if events were deleted between two looks at it} */
  private @Nullable Past lookBack(Owner owner, long moment) {
    boolean ahead = moment > clock.getAsLong();
    Recovered recovered = journal.look(owner);
    if (recovered.highest() == 0) {
      return ahead ? new Past.Ahead() : new Past.Nobody();
    }
    var oldest = new ArrayList<StoredEvent>(1);
    journal.read(owner, 1, recovered.highest(), 1, oldest::add);
    SnapshotWrite snapshot = recovered.snapshot();
    boolean whole =
        !oldest.isEmpty()
            && (oldest.getFirst().number() == 1
                || REPLAYER.isBeginning(REPLAYER.decode(oldest.getFirst().event())));
    User user = REPLAYER.beginning();
    long from;
    if (whole) {
      from = oldest.getFirst().number();
      if (oldest.getFirst().event().at() > moment) {
        return from == 1 ? new Past.Nobody() : new Past.Forgotten();
      }
    } else {
      if (snapshot == null || snapshot.at() > moment) {
        return new Past.Forgotten();
      }
      user = REPLAYER.decode(snapshot.snapshot());
      from = snapshot.number() + 1;
    }
    var replay = new Replay(user, from, moment);
    journal.read(owner, from, recovered.highest(), Long.MAX_VALUE, replay::take);
    if (!replay.isWhole(recovered.highest())) {
      return null;
    }
    // A user's time may be ahead of this node's clock; what has happened is no future then.
    return ahead && !replay.passed ? new Past.Ahead() : new Past.Known(replay.user);
  }

  /** One event after another up to a moment, since a log may be long. */
  private static final class Replay {
    private final long moment;
    private User user;
    private long next;
    private boolean gap;

    /** Whether there was an event at the moment or after it. */
    private boolean passed;

    Replay(User user, long from, long moment) {
      this.user = user;
      this.next = from;
      this.moment = moment;
    }

    void take(StoredEvent event) {
      gap |= event.number() != next++;
      passed |= event.event().at() >= moment;
      if (!gap && event.event().at() <= moment) {
        user = REPLAYER.apply(user, REPLAYER.decode(event.event()));
      }
    }

    boolean isWhole(long highest) {
      return !gap && next == highest + 1;
    }
  }

  // ---------------------------------------------------------------------------------------------
  // The feed

  @Override
  public Feed feed(Reading reading) {
    return reading(() -> {
      Cursor after = reading.after();
      if (after != null && !after.journal().equals(identity())) {
        return new Feed.Foreign();
      }
      long begin = after == null ? 0 : after.position();
      String consumer = reading.consumer();
      if (consumer != null) {
        Feed refusal = after == null ? null : refusal(begin, readers.state());
        if (refusal != null) {
          return refusal; // where it was before is what it goes on from when it begins anew
        }
        long place = after == null ? placeOf(consumer) : begin;
        if (place < 0 || !notes(consumer, place)) {
          return new Feed.Lapsed();
        }
        begin = place;
      }
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(reading.waitMillis());
      Feed page = page(begin, reading.limit());
      while (page instanceof Feed.Events(var events, _, _)
          && events.isEmpty()
          && tail.await(begin, until)) {
        page = page(begin, reading.limit());
      }
      return page;
    });
  }

  private Feed page(long begin, int limit) {
    var events = new ArrayList<LoggedEvent>();
    boolean more =
        read(events, limit, (wanted, each) -> journal.feed(lastOf(events, begin), wanted, each));
    // After the events: what was deleted before they were read is known by now.
    Feed refusal = refusal(begin, readers.state());
    return refusal == null
        ? new Feed.Events(events, new Cursor(identity(), lastOf(events, begin)), more)
        : refusal;
  }

  /** {@return why nothing can be told from a place on, or null} */
  private static @Nullable Feed refusal(long begin, FeedReaders.State state) {
    if (begin > state.end()) {
      return new Feed.Foreign();
    }
    return begin > 0 && begin < state.forgotten() ? new Feed.Forgotten() : null;
  }

  private static long lastOf(List<LoggedEvent> events, long otherwise) {
    return events.isEmpty() ? otherwise : events.getLast().cursor().position();
  }

  /** Hands over the events that come next, so many at most, and says how many there were. */
  private interface Next {
    long read(int wanted, java.util.function.Consumer<StoredEvent> each);
  }

  /**
   * Reads events a few at a time, until there are so many, or {@link #PAGE_BYTES} of them.
   *
   * @return whether there may be more
   */
  private boolean read(List<LoggedEvent> events, long most, Next next) {
    identity(); // or it would be asked for while events are read, on one more connection
    var bytes = new long[1];
    boolean more = true;
    while (more && events.size() < most && bytes[0] < PAGE_BYTES) {
      int wanted = (int) Math.min(AT_ONCE, most - events.size());
      long found =
          next.read(
              wanted,
              event -> {
                bytes[0] += event.event().payload().length;
                events.add(logged(event));
              });
      more = found == wanted;
    }
    return more;
  }

  /**
   * Where a consumer goes on that does not say where it was: where it was, or at the beginning if
   * nothing can be told from there on. Negative if it has lapsed.
   */
  private long placeOf(String name) {
    for (FeedReaders.Consumer consumer : readers.consumers()) {
      if (consumer.name().equals(name)) {
        if (consumer.lapsed()) {
          return -1;
        }
        return refusal(consumer.position(), readers.state()) == null ? consumer.position() : 0;
      }
    }
    return 0;
  }

  /**
   * Notes up to where the consumer has read: at once if that is less than is known here, so that
   * nothing is deleted which it comes back for; else not more often than each second.
   */
  private boolean notes(String consumer, long position) {
    long now = System.nanoTime();
    Noted before = noted.get(consumer);
    if (before != null
        && position >= before.position
        && (position == before.position || now - before.nanos < NOTE_NANOS)
        && now - before.nanos < TimeUnit.MINUTES.toNanos(1)) {
      return true;
    }
    boolean taken = readers.passed(consumer, position, clock.getAsLong());
    if (taken) {
      noted.put(consumer, new Noted(position, now));
    } else {
      noted.remove(consumer);
    }
    return taken;
  }

  @Override
  public List<Consumer> consumers() {
    return reading(() ->
        readers.consumers().stream()
            .map(each ->
                new Consumer(
                    each.name(),
                    new Cursor(identity(), each.position()),
                    each.readAt(),
                    each.waitingSince(),
                    each.lapsed()))
            .toList());
  }

  @Override
  public boolean forget(String consumer) {
    noted.remove(consumer);
    return reading(() -> readers.forget(consumer));
  }

  private String identity() {
    String known = identity;
    if (known == null) {
      known = readers.state().identity();
      identity = known;
    }
    return known;
  }

  // ---------------------------------------------------------------------------------------------

  private LoggedEvent logged(StoredEvent stored) {
    return new LoggedEvent(
        new Cursor(identity(), stored.position()),
        new OwnerKey(stored.owner().high(), stored.owner().low()),
        stored.number(),
        stored.event().name(),
        stored.event().at(),
        entry(stored));
  }

  private static @Nullable Entry entry(StoredEvent stored) {
    try {
      return REPLAYER.decode(stored.event());
    } catch (RuntimeException unknown) {
      return null; // of a later version; it is told all the same, by its name
    }
  }

  private static <T> T reading(Supplier<T> read) {
    try {
      return read.get();
    } catch (StoreUnreadable | JournalFailure e) {
      throw new LogUnavailable(e);
    }
  }

  @Override
  public void stopWaiting() {
    tail.close();
  }

  @Override
  public void close() {
    tail.close();
  }
}
