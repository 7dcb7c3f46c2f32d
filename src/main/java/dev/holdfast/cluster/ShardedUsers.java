package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.LocalUser;
import dev.holdfast.entity.LocalUsers;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.telemetry.Traces;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
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

  /** After a loss the first attempt may still go to the node that is gone. */
  private static final long AFTER_LOSS_MILLIS = 100;

  private final ActorSystem<?> system;
  private final ActorRef<Addressed> region;
  private final LocalUsers local;
  private final Waiting waiting;

  /**
   * @param local who can be reached without the region
   * @param waiting who is told of lost nodes. What such a node was sent is lost, so whatever waits
   *     for an answer is asked again when another one is
   */
  ShardedUsers(
      ActorSystem<?> system, ActorRef<Addressed> region, LocalUsers local, Waiting waiting) {
    this.system = system;
    this.region = region;
    this.local = local;
    this.waiting = waiting;
  }

  @Override
  public void send(OwnerKey owner, Message message) {
    region.tell(new Addressed(owner, message));
  }

  @Override
  public Answer ask(OwnerKey owner, Command command, long timeoutMillis) {
    @Nullable LocalUser here = local.get(owner);
    if (here == null || here.takeRegionsTurn()) {
      return askActor(owner, command, null, timeoutMillis);
    }
    @Nullable Answer seen = command instanceof Command.Look look ? here.look(look) : null;
    return seen != null ? seen : askActor(owner, command, here.actor(), timeoutMillis);
  }

  /**
   * @param here the user's actor, if it is known to be on this node; asked first, and only once: it
   *     may have ended, and then the region knows where the next one is
   */
  private Answer askActor(
      OwnerKey owner, Command command, @Nullable ActorRef<Message> here, long timeoutMillis) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    boolean repeated = false;
    @Nullable Answer last = null;
    while (deadline - System.nanoTime() > 0 && !Thread.currentThread().isInterrupted()) {
      var attempts = new Attempts(owner, command, here, repeated, deadline);
      last = attempts.answer();
      here = null;
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
    private final @Nullable ActorRef<Message> here;
    private final long deadline;
    private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();

    /** Whether one was made that was not answered, and so may still be on its way. */
    boolean repeated;

    private int last;

    /** What an attempt, by its number, was answered. */
    private record Heard(int attempt, Answer answer) {}

    Attempts(
        OwnerKey owner,
        Command command,
        @Nullable ActorRef<Message> here,
        boolean repeated,
        long deadline) {
      this.owner = owner;
      this.command = command;
      this.here = here;
      this.repeated = repeated;
      this.deadline = deadline;
    }

    /** {@return the answer that counts, or null if there is none until the deadline} */
    @Nullable Answer answer() {
      try (Waiting.Waiter waiter = waiting.join()) {
        long patience = TimeUnit.MILLISECONDS.toNanos(FIRST_ATTEMPT_MILLIS);
        while (deadline - System.nanoTime() > 0) {
          int seen = waiting.lostNodes();
          // After the first: the owner is moving, restarting or slow. The request's id makes it
          // safe to ask again.
          repeated |= last > 0;
          send(waiter);
          Answer answer = hearUntil(waiter, Math.min(System.nanoTime() + patience, deadline), seen);
          if (answer != null) {
            return answer;
          }
          boolean lost = seen != waiting.lostNodes();
          patience =
              lost
                  ? TimeUnit.MILLISECONDS.toNanos(AFTER_LOSS_MILLIS)
                  : Math.min(
                      patience * 3 / 2, TimeUnit.MILLISECONDS.toNanos(LONGEST_ATTEMPT_MILLIS));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return null;
    }

    private @Nullable Answer hearUntil(Waiting.Waiter waiter, long end, int seen)
        throws InterruptedException {
      while (true) {
        for (Heard next = heard.poll(); next != null; next = heard.poll()) {
          if (next.attempt() == last || isLastWord(next.answer())) {
            return next.answer();
          }
        }
        if (end - System.nanoTime() <= 0 || seen != waiting.lostNodes()) {
          return null;
        }
        waiter.await(end);
      }
    }

    private boolean isLastWord(Answer answer) {
      return !mayChange(command)
          || (answer instanceof Answer.Answered(Reply reply, String _)
              && !(reply instanceof Reply.Refused));
    }

    private void send(Waiting.Waiter waiter) {
      int number = ++last;
      String trace = Traces.current();
      Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
      CompletionStage<Answer> attempt =
          here != null && number == 1
              ? AskPattern.ask(here, replyTo -> message(replyTo, trace), left, system.scheduler())
              : AskPattern.ask(
                  region,
                  replyTo -> new Addressed(owner, message(replyTo, trace)),
                  left,
                  system.scheduler());
      var _ =
          attempt.whenComplete((answer, _) -> {
            if (answer != null) { // else there was none until the deadline
              heard.add(new Heard(number, answer));
              waiter.wake();
            }
          });
    }

    private Message message(ActorRef<Answer> replyTo, @Nullable String trace) {
      return new Message.Ask(command, replyTo, repeated, trace);
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
