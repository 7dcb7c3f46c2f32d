package dev.holdfast.http;

import java.util.Locale;
import java.util.Set;

/**
 * What a key is good for. A key holds one or more of them; each route of the API asks for one.
 *
 * <p>Callers' configurations name them, so a constant is never renamed.
 */
public enum Scope {
  /** Looks at sessions and carts. Like every call with a valid token it counts as activity. */
  READ(1),
  /**
   * Changes them too, so it includes {@link #READ}: the answer to a change shows what it changed.
   */
  WRITE(2, READ),
  /** Reads the feed of all events. */
  FEED(4),
  /** Looks at the cluster and its figures; nothing of any user is in them. */
  CLUSTER(8),
  /** Looks at any user, their sessions and their history. */
  USERS(16),
  /** All of {@code /v1/admin}: the three above, and ends sessions, erases users, drains nodes. */
  ADMIN(32, FEED, CLUSTER, USERS);

  private final int bit;
  private final int mask;

  Scope(int bit, Scope... included) {
    int bits = bit;
    for (Scope other : included) {
      bits |= other.mask;
    }
    this.bit = bit;
    this.mask = bits;
  }

  /**
   * {@return whether one of these scopes, as {@link #mask} has them, is this one or includes it}
   */
  boolean isIn(int masks) {
    return (masks & bit) != 0;
  }

  /** {@return the masks of all of them} */
  static int mask(Set<Scope> scopes) {
    int bits = 0;
    for (Scope scope : scopes) {
      bits |= scope.mask;
    }
    return bits;
  }

  /** {@return whether it is about {@code /v1/admin}} */
  boolean isOfAdministrators() {
    return switch (this) {
      case READ, WRITE -> false;
      case FEED, CLUSTER, USERS, ADMIN -> true;
    };
  }

  /** {@return how configurations and answers write it} */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
