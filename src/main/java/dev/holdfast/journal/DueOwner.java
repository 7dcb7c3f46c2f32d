package dev.holdfast.journal;

/**
 * An owner whose deadline has come.
 *
 * @param owner who is to be woken
 * @param deadline the deadline of its newest event, in milliseconds since the epoch
 */
public record DueOwner(Owner owner, long deadline) {}
