package dev.holdfast.entity;

import dev.holdfast.user.OwnerKey;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The users of this node who are in memory and have been asked: requests reach them without the
 * shard region.
 */
public final class LocalUsers {

  private final ConcurrentHashMap<OwnerKey, LocalUser> users = new ConcurrentHashMap<>();

  LocalUsers() {}

  /** {@return the user, or null if they are elsewhere, or were not asked for since they came} */
  public @Nullable LocalUser get(OwnerKey owner) {
    return users.get(owner);
  }

  void add(OwnerKey owner, LocalUser user) {
    users.put(owner, user);
  }

  /** Takes out this one, and not the one of an actor that has come after. */
  void remove(OwnerKey owner, LocalUser user) {
    users.remove(owner, user);
  }
}
