package dev.holdfast.entity;

import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.NotReplayed;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerWrite;
import dev.holdfast.journal.Recovered;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ExtensibleBehavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * An actor whose state is what the journal holds of one owner. It reads that before its first
 * message, and takes no message while something that it has given to the journal is on its way: so
 * each message is decided on what is journaled, and on nothing else.
 *
 * <p>At any time it does one of three things: it reads its owner's log, it is ready for a message,
 * or it waits for a write. What comes while it is not ready is held, in order. Nothing that the
 * journal answers ends the actor: what a failed write or reading means is for the one who extends
 * this to say, by {@link #notWritten} and {@link #recovered}.
 *
 * <p>All methods are for the actor's own thread.
 *
 * @param <M> messages; what the journal answers comes as messages of this class's own beside them
 */
public abstract class JournaledActor<M> extends ExtensibleBehavior<M> {

  private final ActorContext<M> context;
  private final Journal journal;
  private final Owner owner;

  private Phase phase = Phase.READING;
  private long number;

  /** The event before which something was missing when the log was read last, 0 for none. */
  private long missingBefore;

  private boolean stopping;

  /** Held until the actor is ready; null while there was none for long. */
  private @Nullable ArrayDeque<M> held;

  /** Set aside by the one who extends this. */
  private @Nullable ArrayDeque<M> aside;

  private enum Phase {
    READING,
    READY,
    WRITING
  }

  /** What the journal answers. */
  private sealed interface Answered {}

  private record Read(Recovered recovered) implements Answered {}

  private record ReadMore(List<StoredEvent> events, long highest) implements Answered {}

  private record NotRead(Throwable failure) implements Answered {}

  private record Written(int events) implements Answered {}

  private record WriteFailed(Throwable failure) implements Answered {}

  /** One who is to be {@link #start}ed. */
  protected JournaledActor(ActorContext<M> context, Journal journal, Owner owner) {
    this.context = context;
    this.journal = journal;
    this.owner = owner;
  }

  // ---------------------------------------------------------------------------------------------
  // For the one who extends this

  /** The state becomes that of an owner without a log: a recovery begins. */
  protected abstract void reset();

  /** The state becomes that of the snapshot, which is of event {@link #number}. */
  protected abstract void restore(SnapshotWrite snapshot);

  /** Applies the next event; {@link #number} is still that of the one before it. */
  protected abstract void replay(StoredEvent event);

  /**
   * A recovery is over.
   *
   * @param why null if all was replayed; else what was replayed so far is worth nothing
   */
  protected abstract void recovered(@Nullable NotReplayed why);

  /**
   * Decides on a message, with at most one call of {@link #write} or {@link #reload} at its end.
   */
  protected abstract void onMessage(M message);

  /**
   * What was given to {@link #write} is in the journal; {@link #number} is that of its last event.
   */
  protected abstract void written();

  /**
   * What was given to {@link #write} is not in the journal, or perhaps it is.
   *
   * @param failure {@link dev.holdfast.journal.NotWritten} if nothing of it is there for certain
   */
  protected abstract void notWritten(Throwable failure);

  /** A message that was held or set aside will not be decided on: the actor stops. */
  protected abstract void abandoned(M message);

  /**
   * The actor has stopped, after all that it held was {@link #abandoned}. What became of a write
   * that was on its way is not known here any more.
   */
  protected abstract void stopped();

  /** Begins with the first recovery. */
  protected final Behavior<M> start() {
    read();
    return this;
  }

  /** The number of the newest event, 0 if there is none. */
  protected final long number() {
    return number;
  }

  /** Whose log this is. */
  protected final Owner owner() {
    return owner;
  }

  protected final ActorContext<M> context() {
    return context;
  }

  /**
   * Has events written; then {@link #written} or {@link #notWritten} is called, before all else.
   *
   * @param waiting takes the turn in which that happens; null for a thread of its own
   */
  protected final void write(List<JournalEvent> events, @Nullable LentThread waiting) {
    if (phase != Phase.READY) {
      throw new IllegalStateException("not ready to write: " + phase);
    }
    phase = Phase.WRITING;
    ActorRef<Object> self = self();
    int count = events.size();
    var _ =
        journal
            .write(new OwnerWrite(owner, number + 1, events))
            .whenComplete((_, failure) ->
                LentThread.send(
                    self,
                    failure == null ? new Written(count) : new WriteFailed(unwrapped(failure)),
                    waiting));
  }

  /**
   * Begins a recovery anew; {@code message} is the first to be decided on after it, save for what
   * {@link #recovered} itself {@link #unsetAside}s.
   */
  protected final void reload(M message) {
    if (phase != Phase.READY) {
      throw new IllegalStateException("not ready to read: " + phase);
    }
    held().addFirst(message);
    read();
  }

  /** Decides on a message later: see {@link #unsetAside}. */
  protected final void setAside(M message) {
    if (aside == null) {
      aside = new ArrayDeque<>();
    }
    aside.add(message);
  }

  /** What was set aside comes next, in its order, before what came after it. */
  protected final void unsetAside() {
    if (aside != null) {
      while (!aside.isEmpty()) {
        held().addFirst(aside.removeLast());
      }
      aside = null;
    }
  }

  /** Ends the actor after the message in hand. */
  protected final void stop() {
    stopping = true;
  }

  /** How many messages are held or set aside. */
  protected final int heldMessages() {
    return (held == null ? 0 : held.size()) + (aside == null ? 0 : aside.size());
  }

  /**
   * Whether a message may be held. One that may not is never decided on, and whoever extends this
   * has told its sender so.
   */
  protected abstract boolean mayHold(M message);

  // ---------------------------------------------------------------------------------------------

  @Override
  public final Behavior<M> receive(TypedActorContext<M> received, M message) {
    Object any = message; // what the journal answers is no M
    if (any instanceof Answered answered) {
      onAnswered(answered);
    } else if (phase == Phase.READY && held == null) {
      onMessage(message);
    } else if (mayHold(message)) {
      held().add(message);
    }
    decideOnHeld();
    return stopping ? Behaviors.stopped() : this;
  }

  private void decideOnHeld() {
    while (held != null && phase == Phase.READY && !stopping) {
      M next = held.poll();
      if (next == null) {
        held = null;
      } else {
        onMessage(next);
      }
    }
  }

  @Override
  public final Behavior<M> receiveSignal(TypedActorContext<M> received, Signal signal) {
    // After a fault this one ends too where the actor is restarted: another begins in its place.
    if (!(signal instanceof PostStop || signal instanceof PreRestart)) {
      return Behaviors.unhandled();
    }
    if (phase == Phase.READING) {
      journal.replayed(owner); // nobody will replay it
    }
    unsetAside();
    if (held != null) {
      held.forEach(this::abandoned);
    }
    stopped();
    return this;
  }

  private void onAnswered(Answered answered) {
    switch (answered) {
      case Read(Recovered recovered) -> {
        SnapshotWrite snapshot = recovered.snapshot();
        if (snapshot != null) {
          number = snapshot.number();
          restore(snapshot);
        }
        replayAll(recovered.events(), recovered.highest());
      }
      case ReadMore(List<StoredEvent> events, long highest) -> {
        if (events.isEmpty()) {
          // It was there when the reading began: what was read is of several moments.
          endReading(
              new NotReplayed(NotReplayed.Reason.STORE, "the log has lost its end meanwhile"));
        } else {
          replayAll(events, highest);
        }
      }
      case NotRead(Throwable failure) -> endReading(NotReplayed.because(failure));
      case Written(int events) -> {
        number += events;
        phase = Phase.READY;
        written();
      }
      case WriteFailed(Throwable failure) -> {
        phase = Phase.READY;
        notWritten(failure);
      }
    }
  }

  private void read() {
    phase = Phase.READING;
    number = 0;
    reset();
    ActorRef<Object> self = self();
    var _ =
        journal
            .recover(owner)
            .whenComplete((recovered, failure) ->
                self.tell(failure == null ? new Read(recovered) : new NotRead(failure)));
  }

  private void replayAll(List<StoredEvent> events, long highest) {
    for (StoredEvent event : events) {
      if (number > 0 && event.number() != number + 1) {
        // Between two parts of a log an erasure may have deleted what was not read yet; what is
        // missing is missing the next time as well.
        boolean between = event.equals(events.getFirst()) && event.number() != missingBefore;
        missingBefore = event.number();
        endReading(
            new NotReplayed(
                // Lower ones were read twice.
                event.number() > number && !between
                    ? NotReplayed.Reason.DAMAGED
                    : NotReplayed.Reason.STORE,
                "event " + event.number() + " follows event " + number));
        return;
      }
      replay(event);
      number = event.number();
    }
    if (number >= highest) {
      endReading(null);
      return;
    }
    ActorRef<Object> self = self();
    var _ =
        journal
            .recoverMore(owner, number + 1, highest)
            .whenComplete((more, failure) ->
                self.tell(failure == null ? new ReadMore(more, highest) : new NotRead(failure)));
  }

  private void endReading(@Nullable NotReplayed why) {
    journal.replayed(owner);
    phase = Phase.READY;
    recovered(why);
  }

  private ArrayDeque<M> held() {
    if (held == null) {
      held = new ArrayDeque<>();
    }
    return held;
  }

  private ActorRef<Object> self() {
    return context.getSelf().unsafeUpcast();
  }

  private static Throwable unwrapped(Throwable failure) {
    return failure instanceof CompletionException wrapper
            && wrapper.getCause() instanceof JournalFailure cause
        ? cause
        : failure;
  }
}
