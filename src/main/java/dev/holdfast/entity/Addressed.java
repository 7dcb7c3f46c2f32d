package dev.holdfast.entity;

import dev.holdfast.user.OwnerKey;

/**
 * A message on its way to a user's actor, over the shard regions of this node and of the owner's.
 * Only a {@link Message.Ask} or {@link Message.Listen} ever leaves the node that it was sent from.
 */
public record Addressed(OwnerKey owner, Message message) implements CrossesNodes {}
