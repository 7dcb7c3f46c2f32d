package dev.holdfast.user;

/**
 * What makes a change repeatable.
 *
 * @param fingerprint 64 bits of a hash of everything that the request asks for, and on routes that
 *     concern one session of its token too; a repeat must have the same one
 * @param keyed whether the caller gave the key; else the server made the id to repeat the request
 *     itself, within seconds
 */
public record Request(RequestId id, long fingerprint, boolean keyed) {}
