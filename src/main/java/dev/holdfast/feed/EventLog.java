package dev.holdfast.feed;

import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.User;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The events that are kept. What is told from here is committed, so it holds whoever owns the user
 * now. Every method may block, and throws {@link LogUnavailable} if the store does not answer.
 */
public interface EventLog {

  /**
   * A user's events, oldest first.
   *
   * @param after the number of the last event seen; negative for the oldest that is kept
   * @param limit most events to tell
   */
  History history(OwnerKey owner, long after, int limit);

  /** What became of reading a history. */
  sealed interface History {

    /**
     * The events.
     *
     * @param more whether there are later ones
     */
    record Events(List<LoggedEvent> events, boolean more) implements History {
      public Events {
        events = List.copyOf(events);
      }
    }

    /** The events right after the one named are not kept any more. */
    record Forgotten() implements History {}

    /** The journal holds nothing of the user. */
    record Nobody() implements History {}
  }

  /**
   * A user's state after the last event at or before a moment that has come.
   *
   * @param moment milliseconds since 1970
   */
  Past at(OwnerKey owner, long moment);

  /** What became of looking into the past. */
  sealed interface Past {

    /** The state, and the time of the last event in it. */
    record Known(User user) implements Past {}

    /** What is kept of the user does not reach back to the moment. */
    record Forgotten() implements Past {}

    /** The moment is still to come, for this node's clock and for the user: more may happen. */
    record Ahead() implements Past {}

    /** At that moment the journal held nothing of the user yet. */
    record Nobody() implements Past {}
  }

  /**
   * The events of all users in one order. Each is told at least once, and none is passed over,
   * though transactions commit out of order.
   */
  Feed feed(Reading reading);

  /**
   * A reading of the feed.
   *
   * @param consumer its name, or null: for a named one events are kept until it has read them. By
   *     naming {@code after} it says that it is done with all up to there
   * @param after behind which event to go on; null for where the consumer was, else for the oldest
   *     event that is kept
   * @param limit most events to tell, at least 1
   * @param waitMillis how long to wait for an event if there is none
   */
  record Reading(@Nullable String consumer, @Nullable Cursor after, int limit, long waitMillis) {}

  /** What became of reading the feed. */
  sealed interface Feed {

    /**
     * The events, perhaps none.
     *
     * @param next where to go on
     * @param more whether there are later ones already
     */
    record Events(List<LoggedEvent> events, Cursor next, boolean more) implements Feed {
      public Events {
        events = List.copyOf(events);
      }
    }

    /** Events right after the cursor are not kept any more. */
    record Forgotten() implements Feed {}

    /** The cursor is of another journal, or of one that held more than this does. */
    record Foreign() implements Feed {}

    /** The consumer was too far behind for too long; nothing was kept for it. */
    record Lapsed() implements Feed {}
  }

  /** The named consumers, by name. */
  List<Consumer> consumers();

  /**
   * A named consumer of the feed.
   *
   * @param cursor up to where it has read
   * @param readAt when it said so last, in milliseconds since 1970
   * @param waitingSince when the first event that it has not read happened; empty if it has read
   *     all
   * @param lapsed whether nothing is kept for it any more
   */
  record Consumer(
      String name, Cursor cursor, long readAt, OptionalLong waitingSince, boolean lapsed) {}

  /** Forgets a consumer, so that nothing is kept for it. False if there is none of that name. */
  boolean forget(String consumer);

  /** Sends everybody away who waits for an event, now and from now on. */
  void stopWaiting();
}
