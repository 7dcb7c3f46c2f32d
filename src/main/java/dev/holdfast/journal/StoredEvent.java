package dev.holdfast.journal;

/**
 * An event as it stands in the journal.
 *
 * @param position its place in the one order of all events; later commits have higher positions,
 *     with gaps, and none is ever used twice
 * @param owner whose event it is
 * @param number its sequence number within the owner, from 1
 * @param event what it carries
 */
public record StoredEvent(long position, Owner owner, long number, JournalEvent event) {}
