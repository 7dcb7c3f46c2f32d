package dev.holdfast.benchmarks.journal;

import dev.holdfast.benchmarks.journal.Subject.Command;
import dev.holdfast.benchmarks.journal.Subject.Event;
import dev.holdfast.benchmarks.journal.Subject.State;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.JournalPersistFailed;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryFailed;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/** The subject on the actor that pekko-persistence-typed has for it. */
final class PekkoSubject extends EventSourcedBehavior<Command, Event, State> {

  /** What a journal takes in the place of events and snapshots. */
  record Mapping(EventAdapter<Event, ?> events, SnapshotAdapter<State> snapshots) {}

  private final Mapping mapping;
  private final Consumer<Throwable> failed;

  /** Of each event the same object: neither journal may gain by what it remembers of it. */
  private final Event event = new Event(Payloads.EVENT);

  static Behavior<Command> create(String id, Mapping mapping, Consumer<Throwable> failed) {
    return new PekkoSubject(id, mapping, failed);
  }

  private PekkoSubject(String id, Mapping mapping, Consumer<Throwable> failed) {
    super(PersistenceId.ofUniqueId(id));
    this.mapping = mapping;
    this.failed = failed;
  }

  @Override
  public State emptyState() {
    return State.EMPTY;
  }

  @Override
  public CommandHandler<Command, Event, State> commandHandler() {
    return (state, command) ->
        switch (command) {
          case Command.Persist persist ->
              Effect().persist(event).thenRun(persist.acknowledged()::run);
          case Command.Tell tell -> {
            tell.answer().accept(state);
            yield Effect().none();
          }
        };
  }

  @Override
  public EventHandler<State, Event> eventHandler() {
    return (state, _) -> state.next();
  }

  @Override
  public SignalHandler<State> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(JournalPersistFailed.class, (_, signal) -> failed.accept(signal.getFailure()))
        .onSignal(RecoveryFailed.class, (_, signal) -> failed.accept(signal.getFailure()))
        .build();
  }

  @Override
  public EventAdapter<Event, ?> eventAdapter() {
    return mapping.events();
  }

  @Override
  public SnapshotAdapter<State> snapshotAdapter() {
    return mapping.snapshots();
  }
}
