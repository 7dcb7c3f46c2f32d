/**
 * The actor around a {@link dev.holdfast.user.User}: what it is asked and answers, how its events
 * and snapshots are written, and when.
 *
 * <p>Start at {@code UserEntity}, the actor, over {@code JournaledActor}, which makes it
 * persistent; {@link dev.holdfast.entity.Message} is what it receives, {@link
 * dev.holdfast.entity.Answer} what it says, {@code MessageCodec} the bytes of both between nodes,
 * {@code UserCodec} the bytes of its events and snapshots. Nothing outside this package knows how
 * the actor is made persistent.
 */
@NullMarked
package dev.holdfast.entity;

import org.jspecify.annotations.NullMarked;
