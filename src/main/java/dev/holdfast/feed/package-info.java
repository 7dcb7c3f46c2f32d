/**
 * What has happened, for those who come later: the ordered feed of all events, the history of one
 * user, and a user's state as of a moment.
 *
 * <p>Start at {@link dev.holdfast.feed.EventLog}, which is what handlers see; {@link
 * dev.holdfast.feed.JournaledEventLog} reads it from the journal. Nothing here changes a user.
 */
@NullMarked
package dev.holdfast.feed;

import org.jspecify.annotations.NullMarked;
