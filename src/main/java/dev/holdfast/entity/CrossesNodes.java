package dev.holdfast.entity;

/**
 * What is sent from node to node: a question to a user's actor, its answer, and what it tells those
 * who listen. {@link MessageSerializer} is bound to this one name; whatever does not bear it cannot
 * be sent away.
 */
public sealed interface CrossesNodes permits Addressed, Answer, Told {}
