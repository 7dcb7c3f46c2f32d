package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/** Reaches users over the shard region of this node. */
final class ShardedUsers implements Users, UserEntity.Mail {

  /**
   * How long the first attempt waits before it is made again. A message may be dropped while its
   * shard moves, and then only asking again helps; a shard is elsewhere within about 100 ms.
   */
  private static final long FIRST_ATTEMPT_MILLIS = 300;

  /**
   * Each further attempt waits half as long again, up to this: well above any answer of a healthy
   * owner, so that repeats do not add to the load of a slow one.
   */
  private static final long LONGEST_ATTEMPT_MILLIS = 1_500;

  /** Where a user has just stopped, and starts again elsewhere. */
  private static final long PAUSE_NANOS = Duration.ofMillis(25).toNanos();

  private static final long RETRY_AFTER_MILLIS = 1_000;

  private final ActorSystem<?> system;
  private final ActorRef<Addressed> region;

  ShardedUsers(ActorSystem<?> system, ActorRef<Addressed> region) {
    this.system = system;
    this.region = region;
  }

  @Override
  public void send(OwnerKey owner, Message message) {
    region.tell(new Addressed(owner, message));
  }

  @Override
  public Answer ask(OwnerKey owner, Command command, long timeoutMillis) {
    long deadline = System.nanoTime() + Duration.ofMillis(timeoutMillis).toNanos();
    long patience = FIRST_ATTEMPT_MILLIS;
    boolean open = false;
    long left = timeoutMillis;
    @Nullable Answer last = null;
    while (left > 0) {
      try {
        last = attempt(owner, command, open, Math.min(left, patience));
      } catch (CompletionException e) {
        if (!(e.getCause() instanceof TimeoutException)) {
          throw e;
        }
        // The owner is moving, restarting or slow: the request's id makes it safe to ask again.
        open = true;
        last = null;
        patience = Math.min(patience * 3 / 2, LONGEST_ATTEMPT_MILLIS);
      }
      if (last instanceof Answer.Unavailable(Answer.Cause cause, long _)) {
        if (cause != Answer.Cause.NO_OWNER) {
          return open ? outOfTime(command, last) : last;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      } else if (last != null) {
        return last;
      }
      left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
    }
    return last == null || open ? outOfTime(command, noOwner()) : last;
  }

  private Answer attempt(OwnerKey owner, Command command, boolean repeated, long patience) {
    return AskPattern.<Addressed, Answer>ask(
            region,
            replyTo -> new Addressed(owner, new Message.Ask(command, replyTo, repeated)),
            Duration.ofMillis(patience),
            system.scheduler())
        .toCompletableFuture()
        .join();
  }

  /**
   * An attempt that was not answered may still be on its way and take effect. So although a later
   * one did nothing, of a change nobody can say that it will not happen.
   */
  private static Answer outOfTime(Command command, Answer otherwise) {
    return switch (command) {
      case Command.Look _,
          Command.ListSessions _,
          Command.AskEpoch _,
          Command.LookUnused _,
          Command.Wake _ ->
          otherwise;
      case Command.Open _, Command.Act _, Command.Erase _, Command.Admit _, Command.Settle _ ->
          new Answer.Unknown();
    };
  }

  private static Answer noOwner() {
    return new Answer.Unavailable(Answer.Cause.NO_OWNER, RETRY_AFTER_MILLIS);
  }
}
