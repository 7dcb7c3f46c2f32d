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
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** Reaches users over the shard region of this node. */
final class ShardedUsers implements Users, UserEntity.Mail {

  /**
   * How long one attempt waits before it is made again: well above any answer of a healthy owner,
   * so that repeats do not add to the load of a slow one.
   */
  private static final long ATTEMPT_MILLIS = 2_500;

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
    while (true) {
      long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
      if (left <= 0) {
        return outOfTime(command);
      }
      try {
        return AskPattern.<Addressed, Answer>ask(
                region,
                replyTo -> new Addressed(owner, new Message.Ask(command, replyTo)),
                Duration.ofMillis(Math.min(left, ATTEMPT_MILLIS)),
                system.scheduler())
            .toCompletableFuture()
            .join();
      } catch (CompletionException e) {
        if (!(e.getCause() instanceof TimeoutException)) {
          throw e;
        }
        // The owner is moving, restarting or slow: the request's id makes it safe to ask again.
      }
    }
  }

  private static Answer outOfTime(Command command) {
    return switch (command) {
      case Command.Look _ -> noOwner();
      case Command.ListSessions _ -> noOwner();
      case Command.AskEpoch _ -> noOwner();
      case Command.LookUnused _ -> noOwner();
      case Command.Wake _ -> noOwner();
      case Command.Open _ -> new Answer.Unknown();
      case Command.Act _ -> new Answer.Unknown();
      case Command.Erase _ -> new Answer.Unknown();
      case Command.Admit _ -> new Answer.Unknown();
      case Command.Settle _ -> new Answer.Unknown();
    };
  }

  private static Answer noOwner() {
    return new Answer.Unavailable(Answer.Cause.NO_OWNER, RETRY_AFTER_MILLIS);
  }
}
