package dev.holdfast.cluster;

import dev.holdfast.entity.Addressed;
import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Asker;
import dev.holdfast.entity.LentThread;
import dev.holdfast.entity.LocalUser;
import dev.holdfast.entity.LocalUsers;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.Question;
import dev.holdfast.entity.UserEntity;
import dev.holdfast.peer.PeerConnection;
import dev.holdfast.peer.Word;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reaches users: who is in use on this node by themselves, who is in use on another by the
 * connection to it, and everybody else, or who is not found so, over the shard region.
 */
final class ShardedUsers implements Users, UserEntity.Mail {

  private static final Logger LOG = LoggerFactory.getLogger(ShardedUsers.class);

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
  private final Peers peers;
  private final Waiting waiting;
  private final Ways ways = new Ways();

  /**
   * @param local who can be reached without the region
   * @param peers whom users can be asked of without it
   * @param waiting who is told of lost nodes. What such a node was sent is lost, so whatever waits
   *     for an answer is asked again when another one is
   */
  ShardedUsers(
      ActorSystem<?> system,
      ActorRef<Addressed> region,
      LocalUsers local,
      Peers peers,
      Waiting waiting) {
    this.system = system;
    this.region = region;
    this.local = local;
    this.peers = peers;
    this.waiting = waiting;
  }

  /** {@return by which ways users were asked} */
  Ways ways() {
    return ways;
  }

  @Override
  public void send(OwnerKey owner, Message message) {
    region.tell(new Addressed(owner, message));
  }

  @Override
  public Answer ask(OwnerKey owner, Command command, long timeoutMillis) {
    LocalUser here = local.get(owner);
    if (here == null) {
      PeerConnection there = peers.to(owner);
      return ask(
          owner, command, there == null ? new Way.Region() : new Way.Peer(there), timeoutMillis);
    }
    if (here.takeRegionsTurn()) {
      return ask(owner, command, new Way.Region(), timeoutMillis);
    }
    Answer seen = here.look(command, Traces.current());
    if (seen != null) {
      ways.countLook();
      return seen;
    }
    return ask(owner, command, new Way.Here(here.actor()), timeoutMillis);
  }

  /** How an attempt goes. All but the region may miss the user, and are tried once. */
  private sealed interface Way {
    record Here(ActorRef<Message> actor) implements Way {}

    record Peer(PeerConnection connection) implements Way {}

    record Region() implements Way {}
  }

  private Answer ask(OwnerKey owner, Command command, Way first, long timeoutMillis) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    Way way = first;
    boolean repeated = false;
    @Nullable Answer last = null;
    while (deadline - System.nanoTime() > 0 && !Thread.currentThread().isInterrupted()) {
      var attempts = new Attempts(owner, command, way, repeated, deadline);
      last = attempts.answer();
      way = new Way.Region();
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
    private final Way first;
    private final long deadline;
    private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();

    /** Whether one was made that was not answered, and so may still be on its way. */
    boolean repeated;

    private int last;

    /** Whether the last one is known to have reached nobody. */
    private boolean missed;

    /** What was asked of another node directly. */
    private PeerConnection.@Nullable Asked underWay;

    /** Lent to the user's actor where it is here; null before. */
    private @Nullable LentThread lent;

    /** What became of an attempt, by its number. */
    private record Heard(int attempt, Word word) {}

    Attempts(OwnerKey owner, Command command, Way first, boolean repeated, long deadline) {
      this.owner = owner;
      this.command = command;
      this.first = first;
      this.repeated = repeated;
      this.deadline = deadline;
    }

    /** {@return the answer that counts, or null if there is none until the deadline} */
    @Nullable Answer answer() {
      try (Waiting.Waiter waiter = waiting.join()) {
        long patience = TimeUnit.MILLISECONDS.toNanos(FIRST_ATTEMPT_MILLIS);
        while (deadline - System.nanoTime() > 0) {
          int seen = waiting.lostNodes();
          send(waiter);
          Answer answer = hearUntil(waiter, Math.min(System.nanoTime() + patience, deadline), seen);
          if (answer != null) {
            return answer;
          }
          if (!missed) {
            // The owner is moving, restarting or slow. The request's id makes it safe to ask again.
            repeated = true;
            patience =
                seen != waiting.lostNodes()
                    ? TimeUnit.MILLISECONDS.toNanos(AFTER_LOSS_MILLIS)
                    : Math.min(
                        patience * 3 / 2, TimeUnit.MILLISECONDS.toNanos(LONGEST_ATTEMPT_MILLIS));
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        if (underWay != null) {
          underWay.giveUp();
        }
        if (lent != null) {
          lent.close();
        }
      }
      return null;
    }

    private @Nullable Answer hearUntil(Waiting.Waiter waiter, long end, int seen)
        throws InterruptedException {
      while (true) {
        if (lent != null) {
          lent.takeTurns();
        }
        for (Heard next = heard.poll(); next != null; next = heard.poll()) {
          boolean ofLast = next.attempt() == last;
          switch (next.word()) {
            case Word.Said said -> {
              Answer answer = read(said);
              if (answer != null && (ofLast || isLastWord(answer))) {
                return answer;
              }
            }
            case Word.Elsewhere _ -> {
              if (ofLast) {
                missed = true;
                ways.countMissed();
                return null;
              }
            }
            case Word.Lost _ -> {
              if (ofLast) {
                return null;
              }
            }
          }
        }
        if (end - System.nanoTime() <= 0 || seen != waiting.lostNodes()) {
          return null;
        }
        waiter.await(end);
      }
    }

    /** {@return null if it cannot be read, as one that got lost} */
    private @Nullable Answer read(Word.Said said) {
      try {
        return said.answer().get();
      } catch (IllegalArgumentException e) {
        LOG.warn("an answer of another node cannot be read: {}", e.getMessage());
        return null;
      }
    }

    private boolean isLastWord(Answer answer) {
      return !mayChange(command)
          || (answer instanceof Answer.Answered(Reply reply, String _)
              && !(reply instanceof Reply.Refused));
    }

    private void send(Waiting.Waiter waiter) {
      int number = ++last;
      missed = false;
      String trace = Traces.current();
      switch (number == 1 ? first : new Way.Region()) {
        case Way.Here(ActorRef<Message> actor) -> {
          ways.countHere();
          lent = new LentThread();
          lent.send(
              actor, new Message.Ask(command, new Here(number, waiter, lent), repeated, trace));
        }
        case Way.Peer(PeerConnection peer) -> {
          underWay =
              peer.ask(
                  new Question(owner, command, repeated, trace),
                  word -> hear(number, word, waiter));
          if (underWay == null) {
            sendToRegion(number, trace, waiter);
          } else {
            ways.countPeer();
          }
        }
        case Way.Region _ -> sendToRegion(number, trace, waiter);
      }
    }

    private void sendToRegion(int number, @Nullable String trace, Waiting.Waiter waiter) {
      ways.countRegion();
      CompletionStage<Answer> attempt =
          AskPattern.ask(
              region,
              replyTo ->
                  new Addressed(
                      owner,
                      new Message.Ask(command, new Asker.ByMessage(replyTo), repeated, trace)),
              Duration.ofNanos(Math.max(1, deadline - System.nanoTime())),
              system.scheduler());
      var _ =
          attempt.whenComplete((answer, _) -> {
            if (answer != null) { // else there was none until the deadline
              if (answer instanceof Answer.Answered answered) {
                peers.answered(owner, answered.node());
              }
              hear(number, new Word.Said(() -> answer), waiter);
            }
          });
    }

    /** The thread of this request, which takes the turns of the actor that it asks. */
    private final class Here implements Asker {
      private final int attempt;
      private final Waiting.Waiter waiter;
      private final LentThread lent;

      Here(int attempt, Waiting.Waiter waiter, LentThread lent) {
        this.attempt = attempt;
        this.waiter = waiter;
        this.lent = lent;
      }

      @Override
      public void tell(Answer answer) {
        hear(attempt, new Word.Said(() -> answer), waiter);
      }

      @Override
      public LentThread lent() {
        return lent;
      }
    }

    private void hear(int attempt, Word word, Waiting.Waiter waiter) {
      heard.add(new Heard(attempt, word));
      waiter.wake();
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
