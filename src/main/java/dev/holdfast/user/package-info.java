/**
 * The aggregate: a user (known, or a visitor until they log in) with their sessions and their cart.
 *
 * <p>Start at {@link dev.holdfast.user.User}: {@code decide} turns a {@link
 * dev.holdfast.user.Command} into events and a {@link dev.holdfast.user.Reply}; {@code apply} turns
 * an {@link dev.holdfast.user.Event} into the next state and never refuses. Plain immutable Java:
 * no framework, no clock, no randomness, no input or output; all of that comes in with the command
 * and its {@link dev.holdfast.user.Context}.
 */
@NullMarked
package dev.holdfast.user;

import org.jspecify.annotations.NullMarked;
