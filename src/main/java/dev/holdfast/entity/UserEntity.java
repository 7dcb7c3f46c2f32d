package dev.holdfast.entity;

import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.journal.NotReplayed;
import dev.holdfast.journal.NotWritten;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import dev.holdfast.telemetry.Traces;
import dev.holdfast.user.Command;
import dev.holdfast.user.Context;
import dev.holdfast.user.Decision;
import dev.holdfast.user.Entry;
import dev.holdfast.user.Event;
import dev.holdfast.user.Limits;
import dev.holdfast.user.LogIn;
import dev.holdfast.user.Outcome;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.Presence;
import dev.holdfast.user.Refusal;
import dev.holdfast.user.Reply;
import dev.holdfast.user.Request;
import dev.holdfast.user.Session;
import dev.holdfast.user.User;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The actor that holds one {@link User}: decides each command, has the journal keep what was
 * decided before anybody is told, and drives a visitor's log-in to its end.
 *
 * <p>A write that failed and is not in the journal for certain leaves the user as it was: whoever
 * wanted it is refused, and everybody else goes on being served. Where it is not certain, or where
 * somebody else has written, the user is read anew, and the command in hand is decided again on the
 * true history, where its receipt shows whether it took effect.
 *
 * <p>What cannot be replayed does not end the actor. The state is then worth nothing, and until the
 * user was read anew whoever asks is refused: see {@link #onMessageUnread}.
 */
public final class UserEntity extends JournaledActor<Message> {

  private static final Logger LOG = LoggerFactory.getLogger(UserEntity.class);

  /**
   * Why the user is not here: what was replayed is not what the journal holds, or not all of it.
   */
  private record Unread(NotReplayed.Reason reason, long since) {}

  /**
   * What all users share.
   *
   * @param node the name of this node
   * @param right to answer what no fresh commit backs
   * @param mail reaches the actors of other users
   * @param owners their owner keys, by their ids
   */
  public record Surroundings(
      String node,
      Journal journal,
      TrustedClock clock,
      RightToAnswer right,
      Limits limits,
      Mail mail,
      Population population,
      IntSupplier form,
      OwnerKeys owners) {

    /** What a decision depends on at this moment, besides the state and the command. */
    Context context(TrustedClock.Reading now, boolean journalUp, Presence presence) {
      return new Context(
          now.millis(), !now.trusted(), journalUp, presence, limits, form.getAsInt());
    }
  }

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
   * A large state is written only once for events that weigh so many times as much, so that
   * snapshots add at most half to what a hot user writes, and a recovery of such a state reads at
   * most three times as much.
   */
  private static final int WEIGHT_OF_EVENTS_PER_SNAPSHOT = 2;

  /** But for so many events at the latest, whatever they weigh. */
  private static final int MOST_EVENTS_PER_SNAPSHOT = 1_000;

  /** A snapshot that found no room is offered again after so many more events, not with each. */
  private static final int EVENTS_TO_ANOTHER_OFFER = 10;

  /** In the place of a snapshot's size: the journal has no room for it now. */
  private static final int NO_ROOM = 0;

  /** The same: it is larger than the journal takes. */
  private static final int TOO_LARGE = -1;

  /** With fewer events than this since the last snapshot, none is worth a write when leaving. */
  private static final int EVENTS_WORTH_A_SNAPSHOT = 5;

  /** Commands that may wait for the end of a log-in. */
  private static final int MAX_WAITING = 1_000;

  /** Commands that may wait for a write or a reading that is on its way, or for a log-in. */
  private static final int MAX_HELD = 4_096;

  /** How often one command is decided again after a write that failed. */
  private static final int MAX_ATTEMPTS = 3;

  private static final Duration ADMISSION_PATIENCE = Duration.ofMillis(300);
  private static final Duration ERASURE_PATIENCE = Duration.ofMillis(500);

  /** That becomes 64 seconds when it fails again and again. */
  private static final int MOST_DOUBLINGS = 7;

  /** The same while the known user cannot be read. */
  private static final Duration UNREADABLE_PATIENCE = Duration.ofSeconds(30);

  /** How often a user who cannot be read is read again, at most, and only if somebody asks. */
  private static final long REREAD_UNREADABLE_NANOS = TimeUnit.SECONDS.toNanos(30);

  /**
   * The same while it is the store that does not answer. Cheap: while it is known to be down, it is
   * not asked.
   */
  private static final long REREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** How long a command whose write is in doubt is looked for while the store does not answer. */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1_250);

  /**
   * Refused repeats that are remembered; of older ones no earlier attempt is on its way any more.
   */
  private static final int MAX_REFUSED = 64;

  /** Twice the longest deadline of a request. */
  private static final long ON_ITS_WAY_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** Changes in doubt that are remembered; older ones have nobody who waits any more. */
  private static final int MAX_IN_DOUBT = 64;

  private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

  private static final long RETRY_AFTER_MILLIS = 1_000;

  /** There is no erasure whose history is still to be deleted. */
  private static final int NONE = -1;

  /**
   * A user who cannot be purged yet, since the feed's consumers are behind, is tried again then.
   */
  private static final long PURGE_AGAIN_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final HeldUser held = new HeldUser();
  private final OwnerKey owner;
  private final Surroundings surroundings;
  private final Departure departure;

  private final SeenSessions presence = new SeenSessions();

  /** By which requests come straight here; null while the user rests. */
  private @Nullable LocalUser local;

  /** Nobody is to come straight here any more: the last message is on its way. */
  private boolean ending;

  /** Whether it is among the {@link AwakeUsers}. */
  private AwakeUsers.@Nullable Noted noted;

  /** Whether a message came since it was noted. */
  private boolean used;

  private int eventsSinceSnapshot;
  private int bytesSinceSnapshot;

  /** The size of the newest snapshot, 0 if there is none. */
  private int snapshotBytes;

  private int eventsToNextSnapshot = EVENTS_PER_SNAPSHOT;

  /** A snapshot that is being encoded; null once it is known what became of it. */
  private @Nullable Encoding encoding;

  /**
   * What a snapshot on its way has of the counts above.
   *
   * @param size of the snapshot that was offered, or {@link #NO_ROOM}, or {@link #TOO_LARGE}
   */
  private record Encoding(CompletableFuture<Integer> size, int events, int bytes) {}

  /** Events since the erasure whose history is still to be deleted, or {@link #NONE}. */
  private int eventsSinceErasure = NONE;

  /**
   * This and the other lists are {@code List.of()} while they are empty, which most are for ever.
   */
  private List<Erased> awaitingErasure = List.of();

  /** How often in succession the journal has not deleted what is to be erased. */
  private int erasuresFailed;

  /** Who is to be told of an erasure, and what, once the history is deleted. */
  private record Erased(Asker replyTo, Reply reply) {}

  /** Who found that nothing is left of the user, while this actor is leaving for that. */
  private Message.@Nullable Ask leaving;

  private boolean purging;

  /** The number of the journal's history before the recovery began. */
  private long history;

  private @Nullable Unread unread;

  /** What is on its way to the journal, and why; null while nothing is. */
  private @Nullable Write inHand;

  private record Write(Message message, Decision decision, List<JournalEvent> events) {}

  /** Null while there was nobody for long. */
  private @Nullable Listeners listeners;

  /** What is decided again after a write that failed, and how often it was. */
  private @Nullable Message tried;

  private int attempts;

  /**
   * Changes whose write failed in doubt, by {@link #change}, until a later write has taken their
   * numbers: a refusal would be a guess, also of a repeat.
   */
  private List<Object> inDoubt = List.of();

  /**
   * What was answered to repeats that changed nothing. The attempt before may come after all, held
   * up somewhere on its way, and must not take effect then: what was refused stays refused, for as
   * long as an attempt may be on its way. By the whole command: a caller who corrects what was
   * refused, such as a precondition, and sends the same key again, asks for something else. Null
   * while there was none.
   */
  private @Nullable LinkedHashMap<Command, RefusedBefore> refused;

  private record RefusedBefore(Reply reply, long at) {}

  /** Whether it counts as a user in memory. */
  private boolean counted;

  /** Whether the store has kept silent about these, and since when. */
  private boolean looking;

  private long lookingSince;

  private List<Message.Ask> awaitingLogIn = List.of();
  private int waiting;
  private @Nullable ActorRef<Answer> admissions;
  private @Nullable Cancellable admissionLate;

  /** The known user into whom the log-in leads cannot be read, so that it has no end for now. */
  private boolean admissionsUnreadable;

  /** {@return the behavior of the actor that holds {@code owner}} */
  public static Behavior<Message> create(
      OwnerKey owner, Surroundings surroundings, Departure departure) {
    return Behaviors.setup(
        context -> new UserEntity(context, owner, surroundings, departure).start());
  }

  private UserEntity(
      ActorContext<Message> context,
      OwnerKey owner,
      Surroundings surroundings,
      Departure departure) {
    super(context, surroundings.journal(), new Owner(owner.high(), owner.low()));
    this.owner = owner;
    this.surroundings = surroundings;
    this.departure = departure;
  }

  // ---------------------------------------------------------------------------------------------
  // Messages

  @Override
  protected void onMessage(Message message) {
    if (message instanceof Message.Rest) {
      rest();
      return;
    }
    if (message instanceof Message.End) {
      stop();
      return;
    }
    if (!(message instanceof Message.Listen)) {
      stayAwake();
    }
    try (var _ = traced(message)) {
      if (message instanceof Message.Ask) {
        asked();
      }
      decideOn(message);
    } catch (RuntimeException fault) {
      // Ends this actor. Whoever asked would bring the same upon the next one by asking again.
      if (message instanceof Message.Ask ask) {
        ask.replyTo().tell(new Answer.Unknown());
      }
      throw fault;
    }
  }

  private static Traces.Part traced(Message message) {
    return message instanceof Message.Ask ask && ask.trace() != null
        ? Traces.begin("user " + name(ask.command()), ask.trace())
        : Traces.begin("user", null);
  }

  private static String name(Command command) {
    return command instanceof Command.Act act
        ? act.action().getClass().getSimpleName()
        : command.getClass().getSimpleName();
  }

  private void decideOn(Message message) {
    if (unread != null) {
      onMessageUnread(unread, message);
      return;
    }
    long current = surroundings.journal().historyNumber();
    if (current != history && message instanceof Message.Stop) {
      stay();
      end(); // and leaves nothing behind of a state that may not be the true one
      return;
    }
    if (current != history && !purging) {
      LOG.debug("user {} is read anew: the journal's history has changed", owner);
      surroundings.population().reloaded(current);
      reload(message);
      return;
    }
    switch (message) {
      case Message.Ask ask -> {
        if (user().frozen()) {
          onAskWhileFrozen(ask);
        } else {
          onAsk(ask);
        }
      }
      case Message.Listen listen -> onListen(listen);
      case Message.AdmissionCame(Answer.Answered(Reply.Admission admission, _)) ->
          onAdmission(admission, message);
      case Message.AdmissionCame(Answer.Unreadable _) -> onAdmissionUnreadable();
      case Message.AdmissionCame _ -> {} // asked again soon
      case Message.Rest _ -> {} // dealt with before
      case Message.AdmissionLate _ -> {
        askForAdmission();
        if (!user().frozen()) {
          thaw();
          unsetAside();
        }
      }
      case Message.ErasureEnded(long number, long newest, boolean done) ->
          onErasureEnded(number, newest, done);
      case Message.EraseAgain _ -> deleteHistory();
      case Message.Stop _ -> onStop();
      case Message.End _ -> {} // dealt with before
      case Message.PurgeEnded _ -> {
        stay(); // for an answer only: whether it is gone or not, the next one reads the journal
        stop();
      }
    }
  }

  private User user() {
    return held.get();
  }

  private static <T> List<T> with(List<T> list, T last) {
    List<T> changeable = list.isEmpty() ? new ArrayList<>(1) : list;
    changeable.add(last);
    return changeable;
  }

  private void stayAwake() {
    used = true;
    if (noted == null) {
      noted = note();
    }
  }

  private AwakeUsers.Noted note() {
    return surroundings.population().awake().note(context().getSelf());
  }

  /** Packs the user, unless somebody has asked for it meanwhile, or something is under way. */
  private void rest() {
    boolean looked = local != null && local.takeUsed();
    if (used || looked || unread != null || user().frozen()) {
      used = false;
      noted = note();
    } else {
      noted = null;
      if (local != null) {
        local.hide();
      }
      held.pack();
    }
  }

  /** From now on requests come straight here, and looks are decided on what is shown. */
  private void asked() {
    if (local == null && !purging && !ending) {
      local = new LocalUser(context().getSelf(), surroundings, presence);
      show();
      surroundings.population().local().add(owner, local);
    } else if (local != null && !local.isShown()) {
      show();
    }
  }

  /** Shows the state as it is now, where it is what a look would be decided on. */
  private void show() {
    if (local == null) {
      return;
    }
    if (unread != null || user().frozen()) {
      local.hide();
    } else {
      local.show(user(), history);
    }
  }

  private void retreat() {
    if (local != null) {
      local.hide();
      surroundings.population().local().remove(owner, local);
      local = null;
    }
  }

  private void onListen(Message.Listen listen) {
    if (purging) {
      return;
    }
    if (listeners == null) {
      stayAwake();
      listeners = new Listeners(owner, user().revision());
    }
    listeners.add(listen.listener(), number());
  }

  private void tell(long before, long revision, List<JournalEvent> events) {
    if (listeners != null && !listeners.tell(before, revision, events, user().revision())) {
      listeners = null;
    }
  }

  private void onAsk(Message.Ask ask) {
    if (purging) {
      refuse(ask, Answer.Cause.NO_OWNER); // the state here may be of somebody who is gone
      return;
    }
    Reply before = refusedBefore(ask.command());
    if (before != null) {
      if (surroundings.right().isHeld()) {
        ask.replyTo().tell(answered(before));
      } else {
        refuse(ask, Answer.Cause.NO_OWNER);
      }
      return;
    }
    boolean journalUp = surroundings.journal().health().isAvailable();
    Decision decision = decide(ask.command(), journalUp);
    if (decision.entries().isEmpty() && !surroundings.right().isHeld()) {
      refuse(ask, Answer.Cause.NO_OWNER); // others may have the user, and know better
    } else if (decision.entries().isEmpty()) {
      if (journalUp) {
        notePresence(decision);
      }
      if (!inDoubt.isEmpty()) {
        inDoubt.remove(change(ask.command())); // the journal has shown what became of it
      }
      rememberRefusal(ask, decision);
      answer(ask, decision);
    } else if (journalUp) {
      write(ask, decision);
    } else {
      refuse(ask, Answer.Cause.JOURNAL);
    }
  }

  /** Also of one with whose refusal something else was journaled, such as the activity. */
  private void rememberRefusal(Message.Ask ask, Decision decision) {
    Request request = request(ask.command());
    if (ask.repeated()
        && request != null
        && decision.reply() instanceof Reply.Refused refused
        && mayStillHappen(request, refused.refusal())) {
      remember(ask.command(), refused);
    }
  }

  /**
   * {@return whether an attempt that comes later could do what was refused} Not what has happened
   * before, of which there is a receipt, and not with a token that is dead. Neither must stand in
   * the way of the caller who asks again with a good one.
   */
  private boolean mayStillHappen(Request request, Refusal refusal) {
    return refusal.reason() != Refusal.Reason.SESSION_INVALID && !user().hasReceipt(request.id());
  }

  private @Nullable Reply refusedBefore(Command command) {
    if (refused == null) {
      return null;
    }
    long oldest = System.nanoTime() - ON_ITS_WAY_NANOS;
    while (!refused.isEmpty() && refused.firstEntry().getValue().at() - oldest < 0) {
      refused.pollFirstEntry();
    }
    RefusedBefore before = refused.get(command);
    if (refused.isEmpty()) {
      refused = null;
    }
    return before == null ? null : before.reply();
  }

  private void remember(Command command, Reply.Refused refusal) {
    if (refused == null) {
      refused = new LinkedHashMap<>();
    }
    refused.putLast(command, new RefusedBefore(refusal, System.nanoTime()));
    if (refused.size() > MAX_REFUSED) {
      refused.pollFirstEntry();
    }
  }

  private Answer answered(Reply reply) {
    return new Answer.Answered(reply, surroundings.node());
  }

  private void write(Message message, Decision decision) {
    User after = decision.state();
    // Due until what is to be erased is deleted, so that the agenda has somebody see to it.
    boolean erasing =
        eventsSinceErasure != NONE
            || decision.entries().getLast().event() instanceof Event.UserErased;
    long deadline = erasing ? after.lastEntryAt() : after.deadline(surroundings.limits());
    List<JournalEvent> events = new ArrayList<>(decision.entries().size());
    for (Entry entry : decision.entries()) {
      events.add(UserCodec.encode(entry, deadline));
    }
    inHand = new Write(message, decision, events);
    write(events, message instanceof Message.Ask ask ? ask.replyTo().lent() : null);
  }

  @Override
  protected void written() {
    Write write = Objects.requireNonNull(inHand);
    Decision decision = write.decision;
    inHand = null;
    inDoubt = List.of();
    tried = null;
    stay(); // the user is somebody again
    countIn();
    long revision = listeners == null ? 0 : user().revision();
    held.set(decision.state());
    show();
    tell(number() - write.events.size(), revision, write.events);
    for (int i = 0; i < write.events.size(); i++) {
      count(decision.entries().get(i).event(), write.events.get(i));
    }
    presence.retain(user().sessions());
    notePresence(decision);
    if (write.message instanceof Message.Ask ask) {
      if (user().frozen()) {
        awaitingLogIn = with(awaitingLogIn, ask);
        askForAdmission();
      } else {
        rememberRefusal(ask, decision);
        answer(ask, decision);
      }
      if (decision.entries().getLast().event() instanceof Event.UserErased) {
        deleteHistory();
      }
    } else {
      awaitingLogIn.forEach(ask -> ask.replyTo().tell(answered(decision.reply())));
      awaitingLogIn = List.of();
      thaw();
      unsetAside();
    }
    snapshotIfDue();
  }

  @Override
  protected void notWritten(Throwable failure) {
    Message message = Objects.requireNonNull(inHand).message;
    inHand = null;
    Answer.@Nullable Cause refusal = failure instanceof NotWritten no ? cause(no.reason()) : null;
    if (refusal != null) {
      tried = null;
      if (message instanceof Message.Ask ask) {
        refuse(ask, refusal);
      } // an admission is asked for again soon
      return;
    }
    if (message instanceof Message.Ask ask && !(failure instanceof NotWritten)) {
      doubt(ask);
    }
    if (!message.equals(tried)) {
      tried = message;
      attempts = 0;
    }
    if (attempts++ < MAX_ATTEMPTS) {
      reload(message); // decided again, on what the journal holds
      return;
    }
    tried = null;
    if (message instanceof Message.Ask ask) {
      refuse(ask, Answer.Cause.JOURNAL);
    }
    reload(new Message.AdmissionLate()); // which does nothing but where somebody waits
  }

  private void answer(Message.Ask ask, Decision decision) {
    switch (decision.reply()) {
      case Reply.NothingLeft _ -> {
        if (leaving == null) {
          leaving = ask;
          departure.of(context().getSelf());
        } else {
          ask.replyTo().tell(answered(new Reply.Nothing()));
        }
      }
      case Reply.Done(Outcome.Erased _, _, _, _) when eventsSinceErasure != NONE -> {
        if (awaitingErasure.size() < MAX_WAITING) {
          awaitingErasure = with(awaitingErasure, new Erased(ask.replyTo(), decision.reply()));
        } else {
          ask.replyTo().tell(new Answer.Unknown()); // never done before it is
        }
      }
      case Reply.Refused(Refusal refusal)
          when refusal.reason() == Refusal.Reason.SESSION_INVALID && tookEffectBefore(ask) ->
          // The session was ended or rotated since, so what came of it must not be told; but
          // neither that nothing happened.
          ask.replyTo().tell(new Answer.Unknown());
      case Reply reply -> ask.replyTo().tell(answered(reply));
    }
  }

  /** {@return whether an earlier attempt of the node that asks is what changed this user} */
  private boolean tookEffectBefore(Message.Ask ask) {
    Request request = request(ask.command());
    return ask.repeated() && request != null && user().hasReceipt(request.id());
  }

  /** What comes during a log-in waits for its end: only then is it known who answers. */
  private void onAskWhileFrozen(Message.Ask ask) {
    if (ask.command() instanceof Command.Wake && !admissionsUnreadable) {
      askForAdmission();
      ask.replyTo().tell(answered(new Reply.Nothing()));
    } else if (admissionsUnreadable) {
      ask.replyTo().tell(mayHaveHappened(ask) ? new Answer.Unknown() : new Answer.Unreadable());
    } else if (waiting >= MAX_WAITING) {
      refuse(ask, Answer.Cause.OVERLOADED);
    } else {
      waiting++;
      setAside(ask);
    }
  }

  private void onAdmission(Reply.Admission admission, Message message) {
    boolean journalUp = surroundings.journal().health().isAvailable();
    if (user().frozen() && !journalUp) {
      return; // asked again soon
    }
    Decision decision = decide(new Command.Settle(admission), journalUp);
    if (!decision.entries().isEmpty()) {
      write(message, decision);
    } else if (!user().frozen()) {
      thaw();
      unsetAside();
    }
  }

  /**
   * The log-in cannot come to its end until the known user is repaired, and perhaps the user has
   * admitted it already: the visitor stays frozen, and nobody waits.
   */
  private void onAdmissionUnreadable() {
    if (!user().frozen()) {
      return;
    }
    admissionsUnreadable = true;
    waiting = 0;
    letGoOfLogIn();
    askForAdmissionLater(UNREADABLE_PATIENCE);
    unsetAside();
  }

  /** Whoever waits for the end of the log-in is told that it is not known. */
  private void letGoOfLogIn() {
    awaitingLogIn.forEach(ask -> ask.replyTo().tell(new Answer.Unknown()));
    awaitingLogIn = List.of();
  }

  /** A log-in has ended, perhaps before a restart: who still waits for it is decided anew. */
  private void thaw() {
    awaitingLogIn.forEach(context().getSelf()::tell);
    awaitingLogIn = List.of();
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
  private void onStop() {
    if (purging) {
      return; // and then it stops
    }
    // Decided again: somebody may have come in between.
    if (leaving != null && decide(new Command.Wake(), true).reply() instanceof Reply.NothingLeft) {
      purging = true;
      retreat();
      context()
          .pipeToSelf(
              surroundings
                  .journal()
                  .purge(
                      owner(), number(), surroundings.clock().read().millis() + PURGE_AGAIN_MILLIS),
              (gone, failure) -> {
                if (failure != null) {
                  LOG.debug("user {} is not purged; the agenda comes again", owner, failure);
                }
                return new Message.PurgeEnded(Boolean.TRUE.equals(gone));
              });
      return;
    }
    stay();
    noteOffered();
    if (eventsSinceSnapshot >= EVENTS_WORTH_A_SNAPSHOT) {
      offerSnapshot(Runnable::run);
    }
    end();
  }

  /**
   * Ends this actor, after what requests have sent straight here in the meantime: the shard holds
   * back what comes over it, but knows nothing of that.
   */
  private void end() {
    ending = true;
    retreat();
    context().getSelf().tell(new Message.End());
  }

  /** Answers whoever found that nothing is left. */
  private void stay() {
    if (leaving != null) {
      leaving.replyTo().tell(answered(new Reply.Nothing()));
      leaving = null;
    }
  }

  /**
   * Has the journal delete all from before the erasure. It is told as done only after that. If the
   * process dies in between, the agenda wakes the user, since the deadline of the erasure's event
   * is its own time until this is done; and each recovery that finds the event does it again.
   */
  private void deleteHistory() {
    if (eventsSinceErasure == NONE) {
      return;
    }
    long number = number() - eventsSinceErasure;
    long newest = number();
    context()
        .pipeToSelf(
            surroundings
                .journal()
                .erase(owner(), number, newest, user().deadline(surroundings.limits())),
            (done, failure) -> new Message.ErasureEnded(number, newest, Boolean.TRUE.equals(done)));
  }

  private void onErasureEnded(long number, long newest, boolean done) {
    if (!done) {
      LOG.warn("the history of the erased user {} is not deleted yet", owner);
      later(
          ERASURE_PATIENCE.multipliedBy(1L << Math.min(erasuresFailed++, MOST_DOUBLINGS)),
          new Message.EraseAgain());
    } else if (eventsSinceErasure != NONE && number == number() - eventsSinceErasure) {
      if (newest != number() || inHand != null) {
        deleteHistory(); // for the deadline of what was written meanwhile
        return;
      }
      eventsSinceErasure = NONE;
      erasuresFailed = 0;
      offerSnapshot(Runnable::run); // with it no recovery has to do this again
      awaitingErasure.forEach(erased -> erased.replyTo.tell(answered(erased.reply)));
      awaitingErasure = List.of();
    }
  }

  /** Whoever waits for the end of an erasure is told that it is not known. */
  private void letGoOfErasure() {
    awaitingErasure.forEach(erased -> erased.replyTo.tell(new Answer.Unknown()));
    awaitingErasure = List.of();
  }

  private void askForAdmission() {
    LogIn logIn = user().logIn();
    if (logIn == null) {
      return;
    }
    if (admissions == null) {
      admissions = context().messageAdapter(Answer.class, Message.AdmissionCame::new);
    }
    for (Session session : user().sessions()) {
      if (session.id().equals(logIn.session())) {
        surroundings
            .mail()
            .send(
                surroundings.owners().ofUser(logIn.userId()),
                new Message.Ask(
                    new Command.Admit(logIn, session, user().cart(), user().revision()),
                    new Asker.ByMessage(admissions),
                    false,
                    Traces.current()));
      }
    }
    askForAdmissionLater(ADMISSION_PATIENCE);
  }

  private void askForAdmissionLater(Duration patience) {
    if (admissionLate != null) {
      admissionLate.cancel();
    }
    admissionLate = later(patience, new Message.AdmissionLate());
  }

  private Cancellable later(Duration delay, Message message) {
    return context().scheduleOnce(delay, context().getSelf(), message);
  }

  // ---------------------------------------------------------------------------------------------
  // Users who are not here

  /**
   * Refuses whoever asks, and now and then has the user read again: often while the store does not
   * answer, seldom where it is the log that cannot be read. Nothing happens unless somebody asks.
   */
  private void onMessageUnread(Unread why, Message message) {
    switch (message) {
      case Message.Ask ask -> {
        if (isWorthReading(why, ask)) {
          reload(message);
        } else {
          refuseUnread(why, ask);
        }
      }
      case Message.Listen _ -> {} // said again
      case Message.AdmissionCame _ -> {} // asked for again once the user is here
      case Message.AdmissionLate _ -> {}
      case Message.Rest _ -> {}
      case Message.ErasureEnded _ -> {} // begun again once the user is here
      case Message.EraseAgain _ -> {}
      case Message.Stop _ -> {
        stay();
        end();
      }
      case Message.End _ -> {}
      case Message.PurgeEnded _ -> {
        stay();
        stop();
      }
    }
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
        if (mayHaveHappened(ask) && mayLookAgain()) {
          // Soon the journal may say what became of it.
          var _ = later(LOOK_AGAIN, ask);
        } else {
          refuse(
              ask,
              why.reason() == NotReplayed.Reason.OVERLOADED
                  ? Answer.Cause.OVERLOADED
                  : Answer.Cause.JOURNAL);
        }
      }
      case DAMAGED ->
          ask.replyTo().tell(mayHaveHappened(ask) ? new Answer.Unknown() : new Answer.Unreadable());
    }
  }

  private boolean mayLookAgain() {
    long now = System.nanoTime();
    if (!looking) {
      looking = true;
      lookingSince = now;
    }
    return now - lookingSince < LOOK_NANOS;
  }

  // ---------------------------------------------------------------------------------------------
  // Recovery

  @Override
  protected void reset() {
    if (local != null) {
      local.hide();
    }
    history = surroundings.journal().historyNumber();
    held.set(User.nobody());
    unread = null;
    countFrom(0);
    eventsSinceErasure = NONE;
  }

  @Override
  protected void restore(SnapshotWrite stored) {
    JournalSnapshot snapshot = stored.snapshot();
    countFrom(snapshot.payload().length);
    try {
      held.set(UserCodec.decode(snapshot));
    } catch (UserCodec.Undecodable e) {
      unread(damaged(String.valueOf(e.getMessage())), 0, snapshot.name());
    } catch (RuntimeException | StackOverflowError fault) {
      unread(damaged("it cannot be decoded: " + place(fault)), 0, snapshot.name());
    }
  }

  @Override
  protected void replay(StoredEvent stored) {
    if (unread != null) {
      return; // its end is lost already
    }
    long number = stored.number();
    String name = stored.event().name();
    Entry entry;
    try {
      entry = UserCodec.decode(stored.event());
    } catch (UserCodec.Undecodable e) {
      unread(damaged(String.valueOf(e.getMessage())), number, name);
      return;
    } catch (RuntimeException | StackOverflowError fault) {
      unread(damaged("it cannot be decoded: " + place(fault)), number, name);
      return;
    }
    // A log begins with its first event, or with the one before which all was erased.
    if (number() == 0 && number != 1 && !(entry.event() instanceof Event.UserErased)) {
      unread(damaged("the log begins with event " + number), number, name);
      return;
    }
    try {
      held.set(user().apply(entry));
    } catch (RuntimeException | StackOverflowError fault) {
      unread(damaged("it cannot be applied: " + place(fault)), number, name);
      return;
    }
    count(entry.event(), stored.event());
  }

  @Override
  protected void recovered(@Nullable NotReplayed why) {
    if (why != null) {
      unread(why, number() == 0 ? 0 : number() + 1, "");
    }
    if (unread != null) {
      letGoOfLogIn();
      letGoOfErasure();
      waiting = 0;
      unsetAside(); // those who wait for the end of a log-in
      return;
    }
    surroundings.population().unreadable().read(owner);
    countIn();
    looking = false;
    if (listeners != null) {
      tell(number(), user().revision(), List.of());
    }
    presence.retain(user().sessions());
    show();
    if (eventsSinceErasure == NONE) {
      letGoOfErasure();
    }
    deleteHistory();
    if (user().frozen()) {
      askForAdmission();
    } else {
      // Where somebody waits, the write that ended the log-in was in doubt and is there.
      thaw();
      unsetAside();
    }
  }

  private void count(Event event, JournalEvent written) {
    eventsSinceSnapshot++;
    bytesSinceSnapshot =
        (int) Math.min(Integer.MAX_VALUE, (long) bytesSinceSnapshot + written.payload().length);
    if (event instanceof Event.UserErased) {
      eventsSinceErasure = 0;
    } else if (eventsSinceErasure != NONE) {
      eventsSinceErasure++;
    }
  }

  private static NotReplayed damaged(String detail) {
    return new NotReplayed(NotReplayed.Reason.DAMAGED, detail);
  }

  /** Notes why the user cannot be read; the first reason stands. */
  private void unread(NotReplayed why, long number, String name) {
    if (unread != null) {
      return;
    }
    unread = new Unread(why.reason(), System.nanoTime());
    switch (why.reason()) {
      case STORE, OVERLOADED -> LOG.debug("user {} cannot be read now: {}", owner, why.detail());
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
  // Refusals

  @Override
  protected boolean mayHold(Message message) {
    if (message instanceof Message.Ask ask && heldMessages() >= MAX_HELD) {
      refuse(ask, Answer.Cause.OVERLOADED);
      return false;
    }
    return true;
  }

  /**
   * What was not decided on here may be decided on by the user's next owner. Where the same change
   * was written here, or perhaps was, silence has it asked of the next owner too, who knows.
   */
  @Override
  protected void abandoned(Message message) {
    if (message instanceof Message.Ask ask && !mayHaveHappened(ask)) {
      refuse(ask, Answer.Cause.NO_OWNER);
    }
  }

  /** Who waits for the end of a log-in or an erasure asks again, at the next owner. */
  @Override
  protected void stopped() {
    retreat();
    if (noted != null) {
      noted.takeBack();
    }
    if (listeners != null) {
      listeners.leave();
    }
    if (counted) {
      surroundings.population().left();
    }
  }

  /** Somebody of whom nothing is journaled is no user: others only ask where they would be. */
  private void countIn() {
    if (!counted && number() > 0) {
      counted = true;
      surroundings.population().arrived();
    }
  }

  /** Says that nothing happened, unless the same change was written before, or perhaps was. */
  private void refuse(Message.Ask ask, Answer.Cause cause) {
    ask.replyTo()
        .tell(
            mayHaveHappened(ask)
                ? new Answer.Unknown()
                : new Answer.Unavailable(cause, RETRY_AFTER_MILLIS));
  }

  private void doubt(Message.Ask ask) {
    Object change = change(ask.command());
    if (!inDoubt.isEmpty()) {
      inDoubt.remove(change);
    }
    inDoubt = with(inDoubt, change);
    if (inDoubt.size() > MAX_IN_DOUBT) {
      inDoubt.removeFirst();
    }
  }

  /**
   * Whether the change is on its way to the journal, or in doubt, or is a log-in that has begun:
   * for this ask, or for an earlier one whose asker has asked again.
   */
  private boolean mayHaveHappened(Message.Ask ask) {
    LogIn logIn = user().logIn();
    if (inDoubt.isEmpty() && inHand == null && logIn == null) {
      return false;
    }
    Object change = change(ask.command());
    return inDoubt.contains(change)
        || (inHand != null
            && inHand.message instanceof Message.Ask other
            && change(other.command()).equals(change))
        || (logIn != null && logIn.request().id().equals(change));
  }

  /** What all repeats of a command have in common. */
  private static Object change(Command command) {
    Request request = request(command);
    if (request != null) {
      return request.id();
    }
    return command instanceof Command.Admit admit ? admit.logIn().id() : command;
  }

  /** {@return the request of a caller that the command carries out; null if there is none} */
  private static @Nullable Request request(Command command) {
    return switch (command) {
      case Command.Open open -> open.request();
      case Command.Act act -> act.request();
      case Command.Erase erase -> erase.request();
      case Command.EndAll end -> end.request();
      case Command.EndOne end -> end.request();
      case Command.Admit _,
          Command.Look _,
          Command.ListSessions _,
          Command.AskEpoch _,
          Command.LookUnused _,
          Command.Watch _,
          Command.Inspect _,
          Command.Settle _,
          Command.Wake _ ->
          null;
    };
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

  private Decision decide(Command command, boolean journalUp) {
    return user()
        .decide(command, surroundings.context(surroundings.clock().read(), journalUp, presence));
  }

  /** On a thread of its own: neither the answer just told nor the next command waits for it. */
  private void snapshotIfDue() {
    noteOffered();
    if (encoding == null
        && eventsSinceSnapshot >= eventsToNextSnapshot
        && (eventsSinceSnapshot >= MOST_EVENTS_PER_SNAPSHOT
            || bytesSinceSnapshot / WEIGHT_OF_EVENTS_PER_SNAPSHOT >= snapshotBytes)) {
      offerSnapshot(Thread::startVirtualThread);
    }
  }

  private void notePresence(Decision decision) {
    presence.note(decision, surroundings.clock().read().millis());
  }

  /**
   * Has a snapshot of the present state encoded and offered.
   *
   * @param by whom; what became of it is noted here if it is over then, else by {@link
   *     #noteOffered}
   */
  private void offerSnapshot(Executor by) {
    if (eventsSinceErasure != NONE) {
      return; // a recovery must find the erasure's event until its history is deleted
    }
    User state = user();
    long number = number();
    long of = history;
    encoding =
        new Encoding(
            CompletableFuture.supplyAsync(() -> offer(state, number, of), by),
            eventsSinceSnapshot,
            bytesSinceSnapshot);
    noteOffered();
  }

  /** Counts anew once it is known what became of the snapshot on its way. */
  private void noteOffered() {
    Encoding done = encoding;
    if (done == null || !done.size.isDone()) {
      return;
    }
    encoding = null;
    if (done.size.isCompletedExceptionally()) {
      LOG.error("no snapshot of user {}", owner, done.size.exceptionNow());
      countFrom(snapshotBytes);
      return;
    }
    int size = done.size.join();
    switch (size) {
      case NO_ROOM -> eventsToNextSnapshot = eventsSinceSnapshot + EVENTS_TO_ANOTHER_OFFER;
      case TOO_LARGE -> {
        // The user comes back from the events instead. Tried again after as many more.
        LOG.warn("user {} is too large for a snapshot", owner);
        countFrom(snapshotBytes);
      }
      default -> {
        int events = eventsSinceSnapshot - done.events;
        int bytes = bytesSinceSnapshot - done.bytes;
        countFrom(size);
        eventsSinceSnapshot = events;
        bytesSinceSnapshot = bytes;
      }
    }
  }

  /**
   * Offers a snapshot of a state, by any thread.
   *
   * @return its size, {@link #NO_ROOM} or {@link #TOO_LARGE}
   */
  private int offer(User state, long number, long of) {
    JournalSnapshot snapshot = UserCodec.encodeIfItFits(state);
    if (snapshot == null) {
      return TOO_LARGE;
    }
    boolean taken =
        surroundings
            .journal()
            .offerSnapshot(new SnapshotWrite(owner(), number, state.lastEntryAt(), snapshot), of);
    return taken ? snapshot.payload().length : NO_ROOM;
  }

  /** The events are counted from here on, against a snapshot of that size. */
  private void countFrom(int bytes) {
    encoding = null;
    snapshotBytes = bytes;
    eventsSinceSnapshot = 0;
    bytesSinceSnapshot = 0;
    eventsToNextSnapshot = EVENTS_PER_SNAPSHOT;
  }
}
