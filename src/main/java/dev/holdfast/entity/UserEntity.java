package dev.holdfast.entity;

import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.journal.NotReplayed;
import dev.holdfast.journal.NotWritten;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.user.Command;
import dev.holdfast.user.Context;
import dev.holdfast.user.Decision;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Session;
import dev.holdfast.user.User;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.BackoffSupervisorStrategy;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.EventSeq;
import org.apache.pekko.persistence.typed.JournalPersistFailed;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.RecoveryFailed;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.internal.JournalFailureException;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * The actor that holds one {@link User}: decides each command, has the journal keep what was
 * decided before anybody is told, and drives a visitor's log-in to its end.
 *
 * <p>A journal that takes no writes is no reason to stop: whether it does is asked before anything
 * is given to it, so that refusals are certain and the actor stays. When a write fails all the
 * same, Pekko stops the actor and the supervision here starts it again from the journal; the
 * command in hand is refused if nothing of it was written for certain, and otherwise decided again
 * on the true history, where its receipt shows whether it took effect.
 *
 * <p>What cannot be replayed does not fail the recovery, since Pekko would begin it again without
 * end while everybody waits. The recovery is completed, the state is then worth nothing, and until
 * the user was read anew whoever asks is refused: see {@link #onMessageUnread}.
 *
 * <p>This object outlives such a restart, and so does what it notes beside the state.
 */
public final class UserEntity extends EventSourcedBehavior<Message, UserEntity.Change, User> {

  /** What is applied to a user. */
  sealed interface Change {}

  /** An entry as it goes to the journal, with the moment at which the agenda must wake the user. */
  record Recorded(Entry entry, long deadline) implements Change {}

  /** In the place of an entry that cannot be replayed: why, and the name of its event. */
  record Failed(NotReplayed why, String name) implements Change {}

  /**
   * Why the user is not here: what was replayed is not what the journal holds, or not all of it.
   */
  private record Unread(NotReplayed.Reason reason, long since) {}

  /**
   * What all users share.
   *
   * @param mail reaches the actors of other users
   */
  public record Surroundings(
      Journal journal, TrustedClock clock, Limits limits, Mail mail, Population population) {}

  /** Sends a message to the actor of a user, wherever it is. */
  @FunctionalInterface
  public interface Mail {
    void send(OwnerKey owner, Message message);
  }

  /**
   * Lets the actor leave memory: what is sent to it from now on is held back until it has stopped,
   * and is then given to the next one. {@link Message.Stop} is the last that it gets.
   */
  @FunctionalInterface
  public interface Departure {
    void of(ActorRef<Message> actor);
  }

  /** A snapshot for each so many events bounds what a recovery replays. */
  private static final int EVENTS_PER_SNAPSHOT = 50;

  /**
   * A large state is written only once for as many events as weigh about as much, so that snapshots
   * at most double what a hot user writes; but for so many at the latest.
   */
  private static final int MOST_EVENTS_PER_SNAPSHOT = 1_000;

  private static final int BYTES_AN_EVENT = 1_024;

  /** A snapshot that found no room is offered again after so many more events, not with each. */
  private static final int EVENTS_TO_ANOTHER_OFFER = 10;

  /** With fewer events than this since the last snapshot, none is worth a write when leaving. */
  private static final int EVENTS_WORTH_A_SNAPSHOT = 5;

  /** Commands that may wait for the end of a log-in. */
  private static final int MAX_WAITING = 1_000;

  /** How often one command is decided again after a write that failed. */
  private static final int MAX_ATTEMPTS = 3;

  private static final Duration ADMISSION_PATIENCE = Duration.ofMillis(300);
  private static final Duration ERASURE_PATIENCE = Duration.ofMillis(500);

  /** The same while the known user cannot be read. */
  private static final Duration UNREADABLE_PATIENCE = Duration.ofSeconds(30);

  /** How often a user who cannot be read is read again, at most, and only if somebody asks. */
  private static final long REREAD_UNREADABLE_NANOS = TimeUnit.SECONDS.toNanos(30);

  /**
   * The same while it is the store that does not answer. Cheap: while it is known to be down, it is
   * not asked.
   */
  private static final long REREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** How often a command whose write is in doubt is looked for while the store does not answer. */
  private static final int MAX_LOOKS = 5;

  private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

  private static final long RETRY_AFTER_MILLIS = 1_000;

  /** There is no erasure whose history is still to be deleted. */
  private static final int NONE = -1;

  // Quick, because a write that failed says nothing about the next one; whether the journal is down
  // is the health's matter. Unlimited, because giving up would lose the commands that wait.
  private static final BackoffSupervisorStrategy RESTART =
      SupervisorStrategy.restartWithBackoff(Duration.ofMillis(50), Duration.ofMillis(500), 0.1)
          .withLoggingEnabled(false);

  private final ActorContext<Message> context;
  private final OwnerKey owner;
  private final Surroundings surroundings;
  private final Departure departure;

  private final SeenSessions presence = new SeenSessions();
  private int eventsSinceSnapshot;
  private int eventsToNextSnapshot = EVENTS_PER_SNAPSHOT;

  /** Events since the erasure whose history is still to be deleted, or {@link #NONE}. */
  private int eventsSinceErasure = NONE;

  private final List<Erased> awaitingErasure = new ArrayList<>(0);

  /** Who is to be told of an erasure, and what, once the history is deleted. */
  private record Erased(ActorRef<Answer> replyTo, Reply reply) {}

  /** Who found that nothing is left of the user, while this actor is leaving for that. */
  private Message.@Nullable Ask leaving;

  private boolean purging;

  /** The number of the journal's history before the recovery began. */
  private long history;

  /** The number of the last event replayed, 0 before the first; -1 after a snapshot. */
  private long replayed;

  private boolean recovering = true;
  private @Nullable Unread unread;

  private @Nullable Message inHand;
  private int attempts;
  private int looks;

  /** The command in hand whose write failed in doubt: a later refusal of it would be a guess. */
  private Message.@Nullable Ask inDoubt;

  private final List<Message.Ask> awaitingLogIn = new ArrayList<>(0);
  private int waiting;
  private @Nullable ActorRef<Answer> admissions;
  private @Nullable Cancellable admissionLate;

  /** The known user into whom the log-in leads cannot be read, so that it has no end for now. */
  private boolean admissionsUnreadable;

  /** {@return the behavior of the actor that holds {@code owner}} */
  public static Behavior<Message> create(
      OwnerKey owner, Surroundings surroundings, Departure departure) {
    return Behaviors.setup(context -> new UserEntity(context, owner, surroundings, departure));
  }

  private UserEntity(
      ActorContext<Message> context,
      OwnerKey owner,
      Surroundings surroundings,
      Departure departure) {
    super(PersistenceId.ofUniqueId(owner.toString()), RESTART);
    this.context = context;
    // Otherwise Pekko finds the class by a walk over the stack, for each actor.
    context.setLoggerName(UserEntity.class);
    this.owner = owner;
    this.surroundings = surroundings;
    this.departure = departure;
    this.history = surroundings.journal().historyNumber();
    surroundings.population().arrived();
  }

  @Override
  public User emptyState() {
    return User.nobody();
  }

  @Override
  public CommandHandler<Message, Change, User> commandHandler() {
    return this::onMessage;
  }

  @Override
  public EventHandler<User, Change> eventHandler() {
    return (user, change) ->
        switch (change) {
          case Recorded recorded -> {
            count(recorded.entry().event());
            yield recovering ? replay(user, recorded) : user.apply(recorded.entry());
          }
          case Failed failed -> {
            unread(failed.why(), lastSequenceNumber(context), failed.name());
            yield user;
          }
        };
  }

  @Override
  public SignalHandler<User> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::onRecovered)
        .onSignal(
            JournalPersistFailed.class, (user, signal) -> onPersistFailed(signal.getFailure()))
        .onSignal(
            RecoveryFailed.class,
            (user, signal) -> {
              context.getLog().warn("user {} cannot be recovered", owner, signal.getFailure());
              beforeRecovery();
            })
        .onSignal(PostStop.instance(), user -> surroundings.population().left())
        .build();
  }

  @Override
  public EventAdapter<Change, Object> eventAdapter() {
    return Events.ADAPTER;
  }

  @Override
  public SnapshotAdapter<User> snapshotAdapter() {
    return new Snapshots();
  }

  // ---------------------------------------------------------------------------------------------
  // Messages

  private Effect<Change, User> onMessage(User user, Message message) {
    if (unread != null) {
      return onMessageUnread(unread, message);
    }
    long current = surroundings.journal().historyNumber();
    if (current != history && message instanceof Message.Stop) {
      stay();
      return Effect().stop(); // and leaves nothing behind of a state that may not be the true one
    }
    if (current != history && !purging) {
      context.getLog().debug("user {} is read anew: the journal's history has changed", owner);
      surroundings.population().reloaded(current);
      throw reload(message);
    }
    return switch (message) {
      case Message.Ask ask -> user.frozen() ? onAskWhileFrozen(user, ask) : onAsk(user, ask);
      case Message.AdmissionCame(Answer.Answered(Reply.Admission admission)) ->
          onAdmission(user, admission, message);
      case Message.AdmissionCame(Answer.Unreadable _) -> onAdmissionUnreadable(user);
      case Message.AdmissionCame _ -> Effect().none(); // asked again soon
      case Message.AdmissionLate _ -> {
        askForAdmission(user);
        yield user.frozen()
            ? Effect().none()
            : Effect().none().thenRun(this::thaw).thenUnstashAll();
      }
      case Message.ErasureEnded(long number, boolean done) -> {
        onErasureEnded(user, number, done);
        yield Effect().none();
      }
      case Message.EraseAgain _ -> {
        deleteHistory(user);
        yield Effect().none();
      }
      case Message.Stop _ -> onStop(user);
      case Message.PurgeEnded _ -> {
        stay(); // for an answer only: whether it is gone or not, the next one reads the journal
        yield Effect().stop();
      }
    };
  }

  private Effect<Change, User> onAsk(User user, Message.Ask ask) {
    if (purging) {
      refuse(ask, Answer.Cause.NO_OWNER); // the state here may be of somebody who is gone
      return Effect().none();
    }
    boolean journalUp = surroundings.journal().health().isAvailable();
    Decision decision = decide(user, ask.command(), journalUp);
    if (decision.entries().isEmpty()) {
      if (journalUp) {
        notePresence(decision);
      }
      answer(ask, decision);
      return Effect().none();
    }
    if (!journalUp) {
      refuse(ask, Answer.Cause.JOURNAL);
      return Effect().none();
    }
    inHand = ask;
    return Effect()
        .persist(recorded(decision))
        .thenRun(after -> {
          written(after, decision);
          if (after.frozen()) {
            awaitingLogIn.add(ask);
            askForAdmission(after);
          } else {
            answer(ask, decision);
          }
          if (decision.entries().getLast().event() instanceof Event.UserErased) {
            deleteHistory(after);
          }
          snapshotIfDue(after);
        });
  }

  private void answer(Message.Ask ask, Decision decision) {
    switch (decision.reply()) {
      case Reply.NothingLeft _ -> {
        if (leaving == null) {
          leaving = ask;
          departure.of(context.getSelf());
        } else {
          ask.replyTo().tell(new Answer.Answered(new Reply.Nothing()));
        }
      }
      case Reply.Done(Outcome.Erased _, _, _, _)
          when eventsSinceErasure != NONE && awaitingErasure.size() < MAX_WAITING ->
          awaitingErasure.add(new Erased(ask.replyTo(), decision.reply()));
      case Reply reply -> ask.replyTo().tell(new Answer.Answered(reply));
    }
  }

  /** What comes during a log-in waits for its end: only then is it known who answers. */
  private Effect<Change, User> onAskWhileFrozen(User user, Message.Ask ask) {
    if (ask.command() instanceof Command.Wake && !admissionsUnreadable) {
      askForAdmission(user);
      ask.replyTo().tell(new Answer.Answered(new Reply.Nothing()));
      return Effect().none();
    }
    if (admissionsUnreadable) {
      ask.replyTo().tell(new Answer.Unreadable());
      return Effect().none();
    }
    if (waiting >= MAX_WAITING) {
      ask.replyTo().tell(new Answer.Unavailable(Answer.Cause.OVERLOADED, RETRY_AFTER_MILLIS));
      return Effect().none();
    }
    waiting++;
    return Effect().stash();
  }

  private Effect<Change, User> onAdmission(User user, Reply.Admission admission, Message message) {
    boolean journalUp = surroundings.journal().health().isAvailable();
    if (user.frozen() && !journalUp) {
      return Effect().none(); // asked again soon
    }
    Decision decision = decide(user, new Command.Settle(admission), journalUp);
    if (decision.entries().isEmpty()) {
      return user.frozen() ? Effect().none() : Effect().none().thenRun(this::thaw).thenUnstashAll();
    }
    inHand = message;
    return Effect()
        .persist(recorded(decision))
        .thenRun(after -> {
          written(after, decision);
          awaitingLogIn.forEach(ask -> ask.replyTo().tell(new Answer.Answered(decision.reply())));
          awaitingLogIn.clear();
          thaw();
          snapshotIfDue(after);
        })
        .thenUnstashAll();
  }

  /**
   * The log-in cannot come to its end until the known user is repaired, and perhaps the user has
   * admitted it already: the visitor stays frozen, and nobody waits.
   */
  private Effect<Change, User> onAdmissionUnreadable(User user) {
    if (!user.frozen()) {
      return Effect().none();
    }
    admissionsUnreadable = true;
    waiting = 0;
    letGoOfLogIn();
    askForAdmissionLater(UNREADABLE_PATIENCE);
    return Effect().none().thenUnstashAll();
  }

  /** Whoever waits for the end of the log-in is told that it is not known. */
  private void letGoOfLogIn() {
    awaitingLogIn.forEach(ask -> ask.replyTo().tell(new Answer.Unknown()));
    awaitingLogIn.clear();
  }

  /** A log-in has ended, perhaps before a restart: who still waits for it is decided anew. */
  private void thaw() {
    awaitingLogIn.forEach(context.getSelf()::tell);
    awaitingLogIn.clear();
    waiting = 0;
    admissionsUnreadable = false;
    if (admissionLate != null) {
      admissionLate.cancel();
      admissionLate = null;
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Removal

  /** The last message. What is to be purged is purged now, when nobody can ask for it. */
  private Effect<Change, User> onStop(User user) {
    if (purging) {
      return Effect().none(); // and then it stops
    }
    // Decided again: somebody may have come in between.
    if (leaving != null
        && decide(user, new Command.Wake(), true).reply() instanceof Reply.NothingLeft) {
      purging = true;
      context.pipeToSelf(
          surroundings.journal().purge(journalOwner(), lastSequenceNumber(context)),
          (gone, failure) -> {
            if (failure != null) {
              context
                  .getLog()
                  .debug("user {} is not purged; the agenda comes again", owner, failure);
            }
            return new Message.PurgeEnded(Boolean.TRUE.equals(gone));
          });
      return Effect().none();
    }
    stay();
    if (eventsSinceSnapshot >= EVENTS_WORTH_A_SNAPSHOT) {
      offerSnapshot(user);
    }
    return Effect().stop();
  }

  /** Answers whoever found that nothing is left. */
  private void stay() {
    if (leaving != null) {
      leaving.replyTo().tell(new Answer.Answered(new Reply.Nothing()));
      leaving = null;
    }
  }

  /**
   * Has the journal delete all from before the erasure. It is told as done only after that. If the
   * process dies in between, the agenda wakes the user, since the deadline of the erasure's event
   * is its own time until this is done; and each recovery that finds the event does it again.
   */
  private void deleteHistory(User user) {
    if (eventsSinceErasure == NONE) {
      return;
    }
    long number = lastSequenceNumber(context) - eventsSinceErasure;
    context.pipeToSelf(
        surroundings.journal().erase(journalOwner(), number, user.deadline(surroundings.limits())),
        (done, failure) -> new Message.ErasureEnded(number, Boolean.TRUE.equals(done)));
  }

  private void onErasureEnded(User user, long number, boolean done) {
    if (!done) {
      context.getLog().warn("the history of the erased user {} is not deleted yet", owner);
      context.scheduleOnce(ERASURE_PATIENCE, context.getSelf(), new Message.EraseAgain());
    } else if (eventsSinceErasure != NONE
        && number == lastSequenceNumber(context) - eventsSinceErasure) {
      eventsSinceErasure = NONE;
      offerSnapshot(user); // with it no recovery has to do this again
      awaitingErasure.forEach(erased -> erased.replyTo.tell(new Answer.Answered(erased.reply)));
      awaitingErasure.clear();
    }
  }

  /** Whoever waits for the end of an erasure is told that it is not known. */
  private void letGoOfErasure() {
    awaitingErasure.forEach(erased -> erased.replyTo.tell(new Answer.Unknown()));
    awaitingErasure.clear();
  }

  private Owner journalOwner() {
    return new Owner(owner.high(), owner.low());
  }

  private void askForAdmission(User user) {
    LogIn logIn = user.logIn();
    if (logIn == null) {
      return;
    }
    if (admissions == null) {
      admissions = context.messageAdapter(Answer.class, Message.AdmissionCame::new);
    }
    for (Session session : user.sessions()) {
      if (session.id().equals(logIn.session())) {
        surroundings
            .mail()
            .send(
                OwnerKey.ofUser(logIn.userId()),
                new Message.Ask(
                    new Command.Admit(logIn, session, user.cart(), user.revision()), admissions));
      }
    }
    askForAdmissionLater(ADMISSION_PATIENCE);
  }

  private void askForAdmissionLater(Duration patience) {
    if (admissionLate != null) {
      admissionLate.cancel();
    }
    admissionLate = context.scheduleOnce(patience, context.getSelf(), new Message.AdmissionLate());
  }

  // ---------------------------------------------------------------------------------------------
  // Users who are not here

  /**
   * Refuses whoever asks, and now and then has the user read again: often while the store does not
   * answer, seldom where it is the log that cannot be read. Nothing happens unless somebody asks.
   */
  private Effect<Change, User> onMessageUnread(Unread why, Message message) {
    return switch (message) {
      case Message.Ask ask -> {
        if (isWorthReading(why, ask)) {
          throw reload(message);
        }
        refuseUnread(why, ask);
        yield Effect().none().thenUnstashAll();
      }
      case Message.AdmissionCame _ -> Effect().none(); // asked for again once the user is here
      case Message.AdmissionLate _ -> Effect().none().thenUnstashAll();
      case Message.ErasureEnded _ -> Effect().none(); // begun again once the user is here
      case Message.EraseAgain _ -> Effect().none();
      case Message.Stop _ -> {
        stay();
        yield Effect().stop();
      }
      case Message.PurgeEnded _ -> {
        stay();
        yield Effect().stop();
      }
    };
  }

  private static boolean isWorthReading(Unread why, Message.Ask ask) {
    long since = System.nanoTime() - why.since();
    return switch (why.reason()) {
      case STORE, OVERLOADED -> since > REREAD_NANOS;
      // The agenda asks again and again by itself.
      case DAMAGED -> since > REREAD_UNREADABLE_NANOS && !(ask.command() instanceof Command.Wake);
    };
  }

  private void refuseUnread(Unread why, Message.Ask ask) {
    switch (why.reason()) {
      case STORE, OVERLOADED -> {
        if (ask.equals(inDoubt) && looks++ < MAX_LOOKS) {
          // Soon the journal may say what became of it.
          context.scheduleOnce(LOOK_AGAIN, context.getSelf(), ask);
        } else {
          refuse(
              ask,
              why.reason() == NotReplayed.Reason.OVERLOADED
                  ? Answer.Cause.OVERLOADED
                  : Answer.Cause.JOURNAL);
        }
      }
      case DAMAGED -> {
        ask.replyTo().tell(ask.equals(inDoubt) ? new Answer.Unknown() : new Answer.Unreadable());
        inDoubt = null;
        attempts = 0;
      }
    }
  }

  /**
   * Has the user read anew, and {@code message} decided after that. What is stashed stays stashed:
   * Pekko's supervision of persistent actors restarts the one that fails so, and nothing else.
   */
  private JournalFailureException reload(Message message) {
    context.getSelf().tell(message);
    beforeRecovery();
    return new JournalFailureException("user " + owner + " is read anew", null);
  }

  private void beforeRecovery() {
    history = surroundings.journal().historyNumber();
    recovering = true;
    replayed = 0;
    unread = null;
    eventsSinceSnapshot = 0;
    eventsSinceErasure = NONE;
  }

  private void count(Event event) {
    eventsSinceSnapshot++;
    if (event instanceof Event.UserErased) {
      eventsSinceErasure = 0;
    } else if (eventsSinceErasure != NONE) {
      eventsSinceErasure++;
    }
  }

  private User replay(User user, Recorded recorded) {
    long number = lastSequenceNumber(context);
    if (unread != null) {
      return user; // its end is lost already
    }
    String name = UserCodec.name(recorded.entry().event());
    // A log begins with its first event, or with the one before which all was erased.
    boolean begins = replayed == 0 && recorded.entry().event() instanceof Event.UserErased;
    if (replayed >= 0 && number != replayed + 1 && !begins) {
      var reason =
          number > replayed ? NotReplayed.Reason.DAMAGED : NotReplayed.Reason.STORE; // read twice
      unread(
          new NotReplayed(reason, "event " + number + " follows event " + replayed), number, name);
      return user;
    }
    replayed = number;
    try {
      return user.apply(recorded.entry());
    } catch (RuntimeException | StackOverflowError fault) {
      unread(
          new NotReplayed(NotReplayed.Reason.DAMAGED, "it cannot be applied: " + place(fault)),
          number,
          name);
      return user;
    }
  }

  /** Notes why the user cannot be read; the first reason stands. */
  private void unread(NotReplayed why, long number, String name) {
    if (unread != null) {
      return;
    }
    unread = new Unread(why.reason(), System.nanoTime());
    switch (why.reason()) {
      case STORE, OVERLOADED ->
          context.getLog().debug("user {} cannot be read now: {}", owner, why.detail());
      case DAMAGED ->
          surroundings
              .population()
              .unreadable()
              .note(new UnreadableUsers.Unreadable(owner, number, name, why.detail()));
    }
  }

  /**
   * Where a fault of the program came up; its message is left out, as it may hold what is stored.
   */
  private static String place(Throwable fault) {
    StackTraceElement[] trace = fault.getStackTrace();
    return fault.getClass().getSimpleName() + (trace.length == 0 ? "" : " at " + trace[0]);
  }

  // ---------------------------------------------------------------------------------------------
  // Signals

  private void onRecovered(User user) {
    recovering = false;
    if (unread != null) {
      letGoOfLogIn();
      letGoOfErasure();
      if (waiting > 0) {
        waiting = 0;
        context.getSelf().tell(new Message.AdmissionLate()); // has those who wait come again
      }
      return;
    }
    surroundings.population().unreadable().read(owner);
    looks = 0;
    presence.retain(user.sessions());
    if (eventsSinceErasure == NONE) {
      letGoOfErasure();
    }
    deleteHistory(user);
    if (user.frozen()) {
      askForAdmission(user);
    } else if (!awaitingLogIn.isEmpty() || waiting > 0) {
      // The write that ended the log-in was in doubt and is there: an admission that is settled
      // already, or one that is late, lets go of everybody who waits.
      awaitingLogIn.forEach(context.getSelf()::tell);
      awaitingLogIn.clear();
      context.getSelf().tell(new Message.AdmissionLate());
    }
  }

  private void onPersistFailed(Throwable failure) {
    beforeRecovery();
    Message failed = inHand;
    inHand = null;
    if (failed == null) {
      return;
    }
    Answer.@Nullable Cause cause = null;
    if (failure instanceof NotWritten no) {
      cause = cause(no.reason());
    } else if (failed instanceof Message.Ask ask) {
      inDoubt = ask;
    }
    boolean again = cause == null && attempts++ < MAX_ATTEMPTS;
    if (failed instanceof Message.Ask ask && !again) {
      refuse(ask, cause == null ? Answer.Cause.JOURNAL : cause);
    } else {
      // Decided again after the restart, on what the journal holds.
      context.getSelf().tell(failed);
    }
  }

  /** Says that nothing happened, unless an earlier write of the same command may show up yet. */
  private void refuse(Message.Ask ask, Answer.Cause cause) {
    ask.replyTo()
        .tell(
            ask.equals(inDoubt)
                ? new Answer.Unknown()
                : new Answer.Unavailable(cause, RETRY_AFTER_MILLIS));
    inDoubt = null;
    attempts = 0;
    looks = 0;
  }

  /** Why nothing was written for certain; null where the command must be decided again. */
  private static Answer.@Nullable Cause cause(NotWritten.Reason reason) {
    return switch (reason) {
      case CONFLICT -> null;
      case FENCED, CLOSED -> Answer.Cause.NO_OWNER;
      case OVERLOADED -> Answer.Cause.OVERLOADED;
      case FULL, UNAVAILABLE, STALLED, CORRUPT -> Answer.Cause.JOURNAL;
    };
  }

  // ---------------------------------------------------------------------------------------------

  private Decision decide(User user, Command command, boolean journalUp) {
    TrustedClock.Reading clock = surroundings.clock().read();
    return user.decide(
        command,
        new Context(clock.millis(), !clock.trusted(), journalUp, presence, surroundings.limits()));
  }

  private List<Change> recorded(Decision decision) {
    User after = decision.state();
    boolean erased =
        !decision.entries().isEmpty()
            && decision.entries().getLast().event() instanceof Event.UserErased;
    long deadline = erased ? after.lastEntryAt() : after.deadline(surroundings.limits());
    return decision.entries().stream().<Change>map(entry -> new Recorded(entry, deadline)).toList();
  }

  private void written(User after, Decision decision) {
    inHand = null;
    inDoubt = null;
    attempts = 0;
    stay(); // the user is somebody again
    presence.retain(after.sessions());
    notePresence(decision);
  }

  /** After the answers: nobody waits for a snapshot. */
  private void snapshotIfDue(User user) {
    if (eventsSinceSnapshot >= eventsToNextSnapshot) {
      offerSnapshot(user);
    }
  }

  private void notePresence(Decision decision) {
    if (decision.seen() != null) {
      // The user's time, as the answer has it: never behind the last entry.
      long now = Math.max(surroundings.clock().read().millis(), decision.state().lastEntryAt());
      presence.note(decision.seen(), now);
    }
  }

  private void offerSnapshot(User user) {
    if (eventsSinceErasure != NONE) {
      return; // a recovery must find the erasure's event until its history is deleted
    }
    JournalSnapshot state = UserCodec.encodeIfItFits(user);
    if (state == null) {
      // The user comes back from the events instead. Tried again after as many more.
      context.getLog().warn("user {} is too large for a snapshot", owner);
      eventsSinceSnapshot = 0;
      return;
    }
    var snapshot =
        new SnapshotWrite(journalOwner(), lastSequenceNumber(context), user.lastEntryAt(), state);
    if (surroundings.journal().offerSnapshot(snapshot)) {
      eventsSinceSnapshot = 0;
      eventsToNextSnapshot =
          Math.clamp(
              state.payload().length / BYTES_AN_EVENT,
              EVENTS_PER_SNAPSHOT,
              MOST_EVENTS_PER_SNAPSHOT);
    } else {
      eventsToNextSnapshot = eventsSinceSnapshot + EVENTS_TO_ANOTHER_OFFER;
    }
  }

  private static final class Events extends EventAdapter<Change, Object> {
    static final Events ADAPTER = new Events();

    @Override
    public JournalEvent toJournal(Change change) {
      return switch (change) {
        case Recorded recorded -> UserCodec.encode(recorded.entry(), recorded.deadline());
        case Failed failed -> throw new IllegalStateException("never persisted: " + failed);
      };
    }

    @Override
    public String manifest(Change change) {
      return ""; // the name is in the JournalEvent
    }

    @Override
    public EventSeq<Change> fromJournal(Object stored, String manifest) {
      return EventSeq.single(
          switch (stored) {
            case JournalEvent event -> decode(event);
            case NotReplayed why -> new Failed(why, "");
            default -> throw new IllegalArgumentException("no event: " + stored.getClass());
          });
    }

    private static Change decode(JournalEvent event) {
      try {
        return new Recorded(UserCodec.decode(event), event.deadline());
      } catch (UserCodec.Undecodable e) {
        return failed(event.name(), String.valueOf(e.getMessage()));
      } catch (RuntimeException | StackOverflowError fault) {
        return failed(event.name(), "it cannot be decoded: " + place(fault));
      }
    }

    private static Failed failed(String name, String detail) {
      return new Failed(new NotReplayed(NotReplayed.Reason.DAMAGED, detail), name);
    }
  }

  /** Tells the actor of a snapshot that cannot be read, since a recovery knows no other way. */
  private final class Snapshots implements SnapshotAdapter<User> {

    @Override
    public Object toJournal(User user) {
      return UserCodec.encode(user);
    }

    @Override
    public User fromJournal(Object stored) {
      return switch (stored) {
        case JournalSnapshot snapshot -> decode(snapshot);
        case NotReplayed why -> {
          unread(why, 0, "");
          yield User.nobody();
        }
        default -> throw new IllegalArgumentException("no snapshot: " + stored.getClass());
      };
    }

    private User decode(JournalSnapshot snapshot) {
      replayed = -1; // the journal has seen to it that the events go on where it ends
      try {
        return UserCodec.decode(snapshot);
      } catch (UserCodec.Undecodable e) {
        return failed(snapshot.name(), String.valueOf(e.getMessage()));
      } catch (RuntimeException | StackOverflowError fault) {
        return failed(snapshot.name(), "it cannot be decoded: " + place(fault));
      }
    }

    private User failed(String name, String detail) {
      unread(new NotReplayed(NotReplayed.Reason.DAMAGED, detail), 0, name);
      return User.nobody();
    }
  }
}
