package dev.holdfast.user;

import java.util.Set;

/** What the caller requires of the resource's revision ({@code If-Match}). */
public sealed interface Precondition {

  /** Nothing is required. */
  record None() implements Precondition {
    private static final None INSTANCE = new None();

    public static None none() {
      return INSTANCE;
    }
  }

  /** The revision must be one of these; an empty set never holds. */
  record OneOf(Set<Long> revisions) implements Precondition {
    public OneOf {
      revisions = Set.copyOf(revisions);
    }
  }

  default boolean holds(long revision) {
    return switch (this) {
      case None _ -> true;
      case OneOf oneOf -> oneOf.revisions.contains(revision);
    };
  }
}
