package dev.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * What one call of {@link JournalStore#trim} has done.
 *
 * @param last the last owner that needs no more looking at, to go on after; null if there was none
 *     yet
 * @param done whether there is no further owner in the range
 * @param owners owners that were looked at to their end
 * @param deleted events deleted
 * @param longest events of the longest log among those owners that is left now
 * @param overCap those owners who still have more events than should be kept: no snapshot includes
 *     them
 */
public record Trimmed(
    @Nullable Owner last, boolean done, int owners, long deleted, long longest, long overCap) {}
