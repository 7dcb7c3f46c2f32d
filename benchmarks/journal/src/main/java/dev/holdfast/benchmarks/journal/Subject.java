package dev.holdfast.benchmarks.journal;

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

/** The persistent actor that is measured: the same on every journal but for what maps its bytes. */
final class Subject extends EventSourcedBehavior<Subject.Command, Subject.Event, Subject.State> {

  sealed interface Command {

    /** Persists one event. */
    record Persist(Runnable acknowledged) implements Command {}

    /** Tells what was recovered. */
    record Tell(Consumer<State> answer) implements Command {}
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Event(byte[] payload) {}

  /**
   * What recovery leaves.
   *
   * @param snapshot the bytes of the snapshot, empty if there is none
   * @param events applied since
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record State(byte[] snapshot, int events) {
    static final State EMPTY = new State(new byte[0], 0);
  }

  /** What a journal takes in the place of events and snapshots. */
  record Mapping(EventAdapter<Event, ?> events, SnapshotAdapter<State> snapshots) {}

  private final Mapping mapping;
  private final Consumer<Throwable> failed;

  /** Of each event the same object: neither journal may gain by what it remembers of it. */
  private final Event event = new Event(Payloads.EVENT);

  static Behavior<Command> create(String id, Mapping mapping, Consumer<Throwable> failed) {
    return new Subject(id, mapping, failed);
  }

  private Subject(String id, Mapping mapping, Consumer<Throwable> failed) {
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
    return (state, _) -> new State(state.snapshot(), state.events() + 1);
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
