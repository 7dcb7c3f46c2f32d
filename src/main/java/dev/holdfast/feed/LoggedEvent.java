package dev.holdfast.feed;

import dev.holdfast.user.Entry;
import dev.holdfast.user.OwnerKey;
import org.jspecify.annotations.Nullable;

/**
 * An event as the journal keeps it.
 *
 * @param cursor the place in the feed right behind it
 * @param owner whose event it is
 * @param number its number within the owner, from 1; a user who was purged and comes back begins at
 *     1 again
 * @param type name and version, such as {@code cart.line-set.v1}
 * @param at milliseconds since 1970
 * @param entry null if this version does not know the type
 */
public record LoggedEvent(
    Cursor cursor, OwnerKey owner, long number, String type, long at, @Nullable Entry entry) {

  /**
   * {@return what names the event for ever} It does not hang on the place in the feed, and neither
   * a user who begins anew nor a journal that was put back to an earlier state gives it twice.
   */
  public String id() {
    return owner + "-" + number + "-" + at;
  }
}
