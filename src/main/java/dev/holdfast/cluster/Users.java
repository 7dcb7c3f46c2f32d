package dev.holdfast.cluster;

import dev.holdfast.entity.Answer;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;

/** The way to a user's actor, wherever it is. Blocks; meant for virtual threads. */
public interface Users {

  /**
   * Asks the actor of a user, and asks again while its owner moves or restarts, until there is an
   * answer or the time is over. A repeat takes no effect twice, since every change carries the id
   * of its request.
   *
   * @param timeoutMillis how long to go on, from now
   * @return {@link Answer.Unavailable} if nothing happened for certain; {@link Answer.Unknown} if
   *     the time was over first and the command may change something
   */
  Answer ask(OwnerKey owner, Command command, long timeoutMillis);
}
