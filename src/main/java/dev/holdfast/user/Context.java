package dev.holdfast.user;

/**
 * What a decision depends on besides the state and the command.
 *
 * @param now the clock, in milliseconds since 1970; the user's time is the later of it and the last
 *     event's
 * @param expiryPaused true while the clock cannot be trusted: then nothing expires
 * @param journalUp false while nothing can be journaled: then reads extend no session
 * @param form of events, the newest that may be written: all nodes know it. What needs a newer one
 *     is done with older kinds, or waits
 */
public record Context(
    long now,
    boolean expiryPaused,
    boolean journalUp,
    Presence presence,
    Limits limits,
    int form) {}
