package dev.holdfast.user;

import dev.holdfast.cart.MergePolicy;

/**
 * A visitor on the way to becoming a known user, between the visitor's decision and the end.
 *
 * @param id of the session that will be opened at the user; names this log-in on both sides
 * @param userId whom the visitor becomes
 * @param epoch the user's, before the log-in began; if it moved on meanwhile, all sessions were
 *     ended in between and the log-in must not open one
 * @param session the visitor's
 * @param startedAt milliseconds since 1970
 */
public record LogIn(
    SessionId id,
    String userId,
    long epoch,
    MergePolicy policy,
    SessionId session,
    Request request,
    long startedAt) {}
