package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.telemetry.Traces;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
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

  /** How often a waiting request looks whether a node is gone meanwhile. */
  private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /** After a loss the first attempt may still go to the node that is gone. */
  private static final long AFTER_LOSS_MILLIS = 100;

  private final ActorSystem<?> system;
  private final ActorRef<Addressed> region;

  private final AtomicInteger gone;

  /**
   * @param gone counts the nodes that are gone. What such a node was sent is lost, so whatever
   *     waits for an answer is asked again when another one is
   */
  ShardedUsers(ActorSystem<?> system, ActorRef<Addressed> region, AtomicInteger gone) {
    this.system = system;
    this.region = region;
    this.gone = gone;
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
   * Attempts at one answer. Each has a place of its own where its answer goes, so that it is known
   * whose it is: while a later attempt of a change is on its way, the refusal of an earlier one is
   * not the last word, since the later one may yet take effect. What an attempt did is.
   */
  private final class Attempts {
    private final OwnerKey owner;
    private final Command command;
    private final long deadline;
    private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();

    /** Whether one was made that was not answered, and so may still be on its way. */
    boolean repeated;

    private int last;

    /** What an attempt, by its number, was answered; null if nothing until the deadline. */
    private record Heard(int attempt, @Nullable Answer answer) {}

    Attempts(OwnerKey owner, Command command, boolean repeated, long deadline) {
      this.owner = owner;
      this.command = command;
      this.repeated = repeated;
      this.deadline = deadline;
    }

    /** {@return the answer that counts, or null if there is none until the deadline} */
    @Nullable Answer answer() {
      int seen = gone.get();
      CompletableFuture<Answer> first = send();
      long patience = TimeUnit.MILLISECONDS.toNanos(FIRST_ATTEMPT_MILLIS);
      try {
        long end = Math.min(System.nanoTime() + patience, deadline);
        while (end - System.nanoTime() > 0 && seen == gone.get()) {
          Answer answer = await(first, Math.min(SLICE_NANOS, end - System.nanoTime()));
          if (answer != null) {
            return answer;
          }
        }
        hear(first);
        while (deadline - System.nanoTime() > 0) {
          // The owner is moving, restarting or slow: the request's id makes it safe to ask again.
          boolean lost = seen != gone.get();
          seen = gone.get();
          repeated = true;
          hear(send());
          patience =
              lost
                  ? TimeUnit.MILLISECONDS.toNanos(AFTER_LOSS_MILLIS)
                  : Math.min(
                      patience * 3 / 2, TimeUnit.MILLISECONDS.toNanos(LONGEST_ATTEMPT_MILLIS));
          Answer answer = hearUntil(Math.min(System.nanoTime() + patience, deadline), seen);
          if (answer != null) {
            return answer;
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return null;
    }

    private @Nullable Answer await(CompletableFuture<Answer> attempt, long nanos)
        throws InterruptedException {
      try {
        return attempt.get(Math.max(1, nanos), TimeUnit.NANOSECONDS);
      } catch (TimeoutException none) {
        return null;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof TimeoutException) {
          return null;
        }
        throw new IllegalStateException("a user cannot be asked", e.getCause());
      }
    }

    private void hear(CompletableFuture<Answer> attempt) {
      int number = last;
      var _ = attempt.whenComplete((answer, _) -> heard.add(new Heard(number, answer)));
    }

    private @Nullable Answer hearUntil(long end, int seen) throws InterruptedException {
      while (end - System.nanoTime() > 0 && seen == gone.get()) {
        Heard next =
            heard.poll(Math.min(SLICE_NANOS, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        if (next != null
            && next.answer() != null
            && (next.attempt() == last || isLastWord(next.answer()))) {
          return next.answer();
        }
      }
      return null;
    }

    private boolean isLastWord(Answer answer) {
      return !mayChange(command)
          || (answer instanceof Answer.Answered(Reply reply, String _)
              && !(reply instanceof Reply.Refused));
    }

    private CompletableFuture<Answer> send() {
      last++;
      String trace = Traces.current();
      return AskPattern.<Addressed, Answer>ask(
              region,
              replyTo -> new Addressed(owner, new Message.Ask(command, replyTo, repeated, trace)),
              Duration.ofNanos(Math.max(1, deadline - System.nanoTime())),
              system.scheduler())
          .toCompletableFuture();
    }
  }

  /**
   * An attempt that was not answered may still be on its way and take effect. So although a later
   * one did nothing, of a change nobody can say that it will not happen.
   */
  private static Answer outOfTime(Command command, Answer otherwise) {
    return mayChange(command) ? new Answer.Unknown() : otherwise;
  }

  private static boolean mayChange(Command command) {
    return switch (command) {
      case Command.Look _,
          Command.ListSessions _,
          Command.AskEpoch _,
          Command.LookUnused _,
          Command.Watch _,
          Command.Inspect _,
          Command.Wake _ ->
          false;
      case Command.Open _,
          Command.Act _,
          Command.Erase _,
          Command.EndAll _,
          Command.EndOne _,
          Command.Admit _,
          Command.Settle _ ->
          true;
    };
  }

  private static Answer noOwner() {
    return new Answer.Unavailable(Answer.Cause.NO_OWNER, RETRY_AFTER_MILLIS);
  }
}
