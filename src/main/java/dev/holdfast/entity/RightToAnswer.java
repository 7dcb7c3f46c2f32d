package dev.holdfast.entity;

/**
 * Whether this node may answer from memory. A node that was cut off or stopped for a while may have
 * lost its users to others without knowing it; what it remembers of them is then old.
 *
 * <p>Asked after an answer was made and before it is sent: if the right is held then, what the
 * answer says was true at that moment. Answers that a fresh commit backs need no right, since the
 * journal refuses the writes of a node that was replaced.
 */
@FunctionalInterface
public interface RightToAnswer {

  /** For who knows in another way that nobody else can hold the users of this process. */
  RightToAnswer ALWAYS = () -> true;

  /** Asked with every read, so it must be cheap. */
  boolean isHeld();
}
