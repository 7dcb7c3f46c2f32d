package dev.holdfast.user;

import org.jspecify.annotations.Nullable;

/**
 * An event with its circumstances: what the journal keeps of one change.
 *
 * @param at the user's time, in milliseconds since 1970; never before that of an earlier entry
 * @param by the session whose activity this is, or null
 * @param receipt of the request that asked for it, on the last entry of a decision, or null
 */
public record Entry(long at, @Nullable SessionId by, @Nullable Receipt receipt, Event event) {}
