package dev.holdfast.http;

import dev.holdfast.cluster.Changes;
import dev.holdfast.entity.Told;
import dev.holdfast.feed.EventLog;
import dev.holdfast.feed.LogUnavailable;
import dev.holdfast.feed.LoggedEvent;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import dev.holdfast.user.SessionId;
import dev.holdfast.user.User;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One caller who watches a session: its changes and those of the user's cart, as server-sent
 * events. Runs on the connection's own thread, which sleeps until it is told something.
 *
 * <p>It knows the number of the last event that it has seen. What the user's actor tells must come
 * right after it; where it does not, what is between is read from the journal. So nothing is missed
 * while the user moves from node to node.
 */
final class SessionStream implements Changes.Listener {

  /** A caller who has left so much untaken is cut off; it comes back and goes on where it was. */
  private static final int MOST_WAITING = 256;

  private static final long MOST_WAITING_CHARS = 1 << 20;

  /** So many events are told one by one to a caller who comes back; more as one view. */
  private static final int MOST_TO_CATCH_UP = 1_000;

  private static final long FIRST_WORD_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long UNKNOWN = -1;

  private static final byte[] HEARTBEAT = ":\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] RETRY = "retry: 1000\n\n".getBytes(StandardCharsets.US_ASCII);

  /**
   * The watched session, and what is needed to tell of it.
   *
   * @param generation of the token that it is watched with
   * @param stillAdmitted whether who watches would be let in now
   */
  record Watched(
      OwnerKey owner,
      SessionId session,
      int generation,
      EventLog log,
      Supplier<Reply.@Nullable View> view,
      BooleanSupplier stillAdmitted) {}

  /** Where the bytes go. */
  @FunctionalInterface
  interface Sink {
    /** Sends, and returns when the caller's socket has taken it. */
    void send(byte[] bytes) throws IOException;
  }

  private final Watched watched;
  private final long heartbeatNanos;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final ArrayDeque<Told.Happened> waiting = new ArrayDeque<>();
  private long waitingChars;
  private boolean overflown;
  private boolean closed;

  // Of the stream's own thread.
  private long number = UNKNOWN;
  private long revision;
  private long shown;
  private long sentAt;
  private boolean over;

  SessionStream(Watched watched, long heartbeatMillis) {
    this.watched = watched;
    this.heartbeatNanos = TimeUnit.MILLISECONDS.toNanos(heartbeatMillis);
  }

  @Override
  public void told(Told.Happened happened) {
    lock.lock();
    try {
      long chars = happened.events().stream().mapToLong(event -> event.payload().length()).sum();
      // One that is longer than that by itself leaves nobody behind.
      if (waiting.size() >= MOST_WAITING
          || (!waiting.isEmpty() && waitingChars + chars > MOST_WAITING_CHARS)) {
        overflown = true;
      } else if (!overflown) {
        waiting.add(happened);
        waitingChars += chars;
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  boolean isStillAdmitted() {
    return watched.stillAdmitted().getAsBoolean();
  }

  /** Ends the stream: the server stops, or who watches is not let in any more. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Tells until the session or the server ends, or the caller takes nothing any more.
   *
   * @param view of the session, taken after this began to listen
   * @param seen the revision that the caller has seen, or null for none
   * @throws IOException if the caller has left
   */
  void run(Reply.View view, @Nullable Long seen, Sink caller) throws IOException {
    Sink sink =
        bytes -> {
          caller.send(bytes);
          sentAt = System.nanoTime();
        };
    sink.send(RETRY);
    if (seen == null) {
      show(view, sink);
    } else {
      shown = seen;
      if (seen != view.revision()) {
        catchUp(view, seen, sink);
      }
    }
    while (!over) {
      // From what was sent last, and not from what was told: most words are of nothing new.
      Told.Happened next = next(sentAt + heartbeatNanos);
      if (next != null) {
        take(next, sink);
      } else if (ended()) {
        return;
      } else {
        sink.send(HEARTBEAT);
      }
    }
  }

  private boolean ended() {
    lock.lock();
    try {
      return closed || overflown;
    } finally {
      lock.unlock();
    }
  }

  /** {@return what was told next, or null if nothing was until then, or the stream ends} */
  private Told.@Nullable Happened next(long until) {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed && !overflown) {
        long left = until - System.nanoTime();
        if (left <= 0) {
          return null;
        }
        changed.awaitNanos(left);
      }
      Told.Happened next = closed || overflown ? null : waiting.poll();
      if (next != null) {
        waitingChars -= next.events().stream().mapToLong(event -> event.payload().length()).sum();
      }
      return next;
    } catch (InterruptedException cutOff) {
      Thread.currentThread().interrupt();
      closed = true;
      return null;
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // What is told

  private void take(Told.Happened happened, Sink sink) throws IOException {
    if (happened.events().isEmpty() && happened.before() < number) {
      // The user was read anew and lacks what was told, as when the journal's database failed over
      // to a server without it. A word that was merely late only has the session shown once more.
      number = UNKNOWN;
      shown = 0;
    }
    if (number == UNKNOWN) {
      number = happened.before();
      revision = happened.revision();
      if (revision > shown) {
        showNow(sink); // what happened between the view that was shown and this word
      }
    }
    if (happened.before() > number) {
      fillUpTo(happened.before(), sink);
    }
    long at = happened.before();
    for (Told.Written written : happened.events()) {
      at++;
      if (at == number + 1 && !over) {
        Entry entry = written.entry();
        if (entry == null) {
          number = UNKNOWN; // and where the user stands is learnt with the next word
          showNow(sink);
          return;
        }
        pass(entry, written.name(), sink);
      }
    }
  }

  /** Tells what lies between the last event seen and the one of that number, from the journal. */
  private void fillUpTo(long last, Sink sink) throws IOException {
    while (number < last && !over) {
      int missing = (int) Math.min(last - number, MOST_TO_CATCH_UP);
      List<LoggedEvent> events =
          last - number > MOST_TO_CATCH_UP ? List.of() : history(number, missing);
      if (events.isEmpty() || events.stream().anyMatch(event -> event.entry() == null)) {
        number = UNKNOWN;
        showNow(sink);
        return;
      }
      for (LoggedEvent event : events) {
        Entry entry = event.entry();
        if (entry != null && !over) {
          pass(entry, event.type(), sink);
        }
      }
    }
  }

  /** The events after a number, none if they cannot be had. */
  private List<LoggedEvent> history(long after, int limit) {
    try {
      return watched.log().history(watched.owner(), after, limit)
              instanceof EventLog.History.Events(var events, _)
          ? events
          : List.of();
    } catch (LogUnavailable silent) {
      return List.of();
    }
  }

  /**
   * Tells a caller who has come back what happened since: event by event if their revisions can be
   * told, else as the view of now. Revisions are counted back from where the user stands; that ends
   * at a log-in that raised them above the visitor's, and at an erasure. What was before the
   * watched session began is not told: whoever has seen less has seen another session, and maybe
   * the visitor's, whose revisions are others.
   */
  private void catchUp(Reply.View view, long seen, Sink sink) throws IOException {
    Told.Happened first = next(System.nanoTime() + FIRST_WORD_NANOS);
    if (first == null || seen > first.revision() || first.revision() - seen > MOST_TO_CATCH_UP) {
      // Whoever has seen more than there is speaks of another user, or of one who began anew: what
      // comes from here on is all new to them.
      shown = 0;
      show(view, sink);
      if (first != null) {
        take(first, sink);
      }
      return;
    }
    long from = Math.max(0, first.before() - (first.revision() - seen));
    var missed = new ArrayList<LoggedEvent>();
    if (first.before() > from) {
      missed.addAll(history(from, (int) (first.before() - from)));
    }
    long rank = first.revision();
    int index = missed.size();
    boolean known = missed.size() == first.before() - from;
    while (known && index > 0 && rank > seen) {
      Entry entry = missed.get(--index).entry();
      known =
          entry != null
              && !(entry.event() instanceof Event.UserErased)
              && !beginsSession(entry.event());
      if (known && entry != null && entry.event() instanceof Event.LogInAdmitted admitted) {
        known = rank - 1 > admitted.visitorRevision() || rank - 1 == seen;
      }
      rank--;
    }
    if (!known || rank != seen) {
      show(view, sink);
      take(first, sink);
      return;
    }
    number = from + index;
    revision = seen;
    for (LoggedEvent event : missed.subList(index, missed.size())) {
      Entry entry = event.entry();
      if (entry != null && !over) {
        pass(entry, event.type(), sink);
      }
    }
    take(first, sink);
  }

  /** Shows the session as it is now, if there is anything new; without one the stream is over. */
  private void showNow(Sink sink) throws IOException {
    Reply.View view = watched.view().get();
    if (view == null) {
      over = true; // the caller comes back, and is told why
    } else if (view.revision() > shown) {
      show(view, sink);
    }
  }

  private void show(Reply.View view, Sink sink) throws IOException {
    shown = Math.max(shown, view.revision());
    sink.send(WireEvents.message(view.revision(), "session", session(view)));
  }

  private byte[] session(Reply.View view) {
    return WireJson.session(watched.owner(), view);
  }

  /** The next event: counted, and told if it concerns the session and was not shown. */
  private void pass(Entry entry, String type, Sink sink) throws IOException {
    number++;
    revision = User.revisionAfter(revision, entry.event());
    if (revision <= shown) {
      return;
    }
    String end = endOf(entry.event());
    if (end != null) {
      over = true;
      sink.send(WireEvents.last("end", WireEvents.end(end)));
    } else if (concerns(entry.event())) {
      shown = revision;
      sink.send(
          WireEvents.message(
              revision,
              type.substring(0, type.lastIndexOf('.')),
              WireEvents.change(watched.owner(), revision, entry, type)));
    }
  }

  /**
   * {@return why the session, or the token that it is watched with, is over by the event, or null}
   */
  private @Nullable String endOf(Event event) {
    SessionId session = watched.session();
    return switch (event) {
      case Event.SessionEnded e when e.session().equals(session) -> WireEvents.word(e.reason());
      case Event.SessionExpired e when e.session().equals(session) -> "expired";
      case Event.SessionRotated e
          when e.session().equals(session) && e.generation() > watched.generation() ->
          "rotated";
      case Event.OthersEnded e when e.ended().contains(session) -> "ended-by-user";
      case Event.EndedByAdministrator e when e.sessions().contains(session) ->
          "ended-by-administrator";
      case Event.UserErased _ -> "erased";
      case Event.LogInFinished _ -> "logged-in";
      case Event _ -> null;
    };
  }

  private boolean beginsSession(Event event) {
    return switch (event) {
      case Event.SessionOpened e -> e.session().equals(watched.session());
      case Event.LogInAdmitted e -> e.session().equals(watched.session());
      case Event _ -> false;
    };
  }

  /** {@return whether the session or the cart has another revision after the event} */
  private boolean concerns(Event event) {
    return switch (event) {
      case Event.AttributesChanged e -> e.session().equals(watched.session());
      case Event.LineSet _,
          Event.LineRemoved _,
          Event.CartEmptied _,
          Event.CartExpired _,
          Event.CartCheckedOut _,
          Event.LogInAdmitted _ ->
          true;
      case Event.SessionOpened _,
          Event.SessionRotated _,
          Event.SessionTouched _,
          Event.SessionEnded _,
          Event.SessionExpired _,
          Event.OthersEnded _,
          Event.EndedByAdministrator _,
          Event.UserErased _,
          Event.CartAbandoned _,
          Event.LogInStarted _,
          Event.LogInFinished _,
          Event.LogInRefused _ ->
          false;
    };
  }
}
