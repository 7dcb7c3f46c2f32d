package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
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
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    boolean repeated = false;
    @Nullable Answer last = null;
    while (deadline - System.nanoTime() > 0 && !Thread.currentThread().isInterrupted()) {
      var attempts = new Attempts(owner, command, repeated, deadline);
      last = attempts.answer();
      repeated = attempts.repeated;
      if (last instanceof Answer.Unavailable(Answer.Cause cause, long _)) {
        if (cause != Answer.Cause.NO_OWNER) {
          return repeated ? outOfTime(command, last) : last;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      } else if (last != null) {
        return last;
      }
    }
    return last == null || repeated ? outOfTime(command, noOwner()) : last;
  }

  /**
   * Attempts at one answer. They share the place where it goes, so that of a change which the first
   * one made, the first one's answer is told where it comes late, and not that of a repeat, which
   * would say that it had happened before.
   */
  private final class Attempts {
    private final OwnerKey owner;
    private final Command command;
    private final long deadline;

    /** Whether one was made that was not answered, and so may still be on its way. */
    boolean repeated;

    Attempts(OwnerKey owner, Command command, boolean repeated, long deadline) {
      this.owner = owner;
      this.command = command;
      this.repeated = repeated;
      this.deadline = deadline;
    }

    /** {@return the first answer, or null if there is none until the deadline} */
    @Nullable Answer answer() {
      var place = new CompletableFuture<ActorRef<Answer>>();
      CompletableFuture<Answer> answer =
          AskPattern.<Addressed, Answer>ask(
                  region,
                  replyTo -> {
                    place.complete(replyTo);
                    return message(replyTo);
                  },
                  Duration.ofNanos(Math.max(1, deadline - System.nanoTime())),
                  system.scheduler())
              .toCompletableFuture();
      long patience = TimeUnit.MILLISECONDS.toNanos(FIRST_ATTEMPT_MILLIS);
      while (deadline - System.nanoTime() > 0) {
        try {
          return answer.get(Math.min(patience, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          // The owner is moving, restarting or slow: the request's id makes it safe to ask again.
          repeated = true;
          region.tell(message(place.join()));
          patience =
              Math.min(patience * 3 / 2, TimeUnit.MILLISECONDS.toNanos(LONGEST_ATTEMPT_MILLIS));
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return null;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof TimeoutException) {
            return null;
          }
          throw new IllegalStateException("a user cannot be asked", e.getCause());
        }
      }
      return null;
    }

    private Addressed message(ActorRef<Answer> replyTo) {
      return new Addressed(owner, new Message.Ask(command, replyTo, repeated));
    }
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
          Command.Inspect _,
          Command.Wake _ ->
          otherwise;
      case Command.Open _,
          Command.Act _,
          Command.Erase _,
          Command.EndAll _,
          Command.EndOne _,
          Command.Admit _,
          Command.Settle _ ->
          new Answer.Unknown();
    };
  }

  private static Answer noOwner() {
    return new Answer.Unavailable(Answer.Cause.NO_OWNER, RETRY_AFTER_MILLIS);
  }
}
