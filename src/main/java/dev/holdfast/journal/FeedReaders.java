package dev.holdfast.journal;

import java.util.List;
import java.util.OptionalLong;

/**
 * What readers of the feed rely on besides {@link JournalStore#feed}: which journal it is, what of
 * it is gone, and who reads. Blocking; methods that write throw {@link JournalFailure}, those that
 * read {@link StoreUnreadable}.
 */
public interface FeedReaders {

  /**
   * The feed as a whole.
   *
   * @param identity of the journal; goes with its rows by {@link JournalStore#scan} and {@link
   *     JournalStore#load}, so positions of one identity always mean the same events
   * @param forgotten no event above this position was deleted, save by an erasure
   * @param end no event has a position above this one yet, or will have one at or below it
   */
  record State(String identity, long forgotten, long end) {}

  /**
   * A named consumer.
   *
   * @param position up to where it has read
   * @param readAt when it said so last, in milliseconds since the epoch
   * @param movedAt when its position changed last, or it was registered, in milliseconds since the
   *     epoch
   * @param lapsed whether it was behind for too long without moving, so that nothing is kept for it
   * @param waitingSince when the first event after its position happened, in milliseconds since the
   *     epoch; empty if there is none
   */
  record Consumer(
      String name,
      long position,
      long readAt,
      long movedAt,
      boolean lapsed,
      OptionalLong waitingSince) {}

  State state();

  /** All consumers, by name. */
  List<Consumer> consumers();

  /**
   * Notes that a consumer has read up to {@code position}, which may be lower than before; a new
   * one is registered. From then on retention and purge leave it what comes after.
   *
   * @param now milliseconds since the epoch
   * @return false if the consumer has lapsed; nothing is noted then
   */
  boolean passed(String consumer, long position, long now);

  /** Forgets a consumer. False if there was none of that name. */
  boolean forget(String consumer);

  /**
   * Lets consumers lapse whose first unread event is from before {@code since}, and who have not
   * moved since then.
   *
   * @param since milliseconds since the epoch
   * @return how many have lapsed by this
   */
  int lapse(long since);
}
