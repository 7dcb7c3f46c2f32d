package dev.holdfast.benchmarks.journal;

import dev.holdfast.benchmarks.journal.Subject.Command;
import dev.holdfast.benchmarks.journal.Subject.Event;
import dev.holdfast.benchmarks.journal.Subject.State;
import dev.holdfast.entity.JournaledActor;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.NotReplayed;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/** The subject on the actor that Holdfast's users are. */
final class HoldfastSubject extends JournaledActor<Command> {

  private final Consumer<Throwable> failed;
  private State state = State.EMPTY;
  private @Nullable Runnable acknowledged;

  /** Of each event the same object: neither journal may gain by what it remembers of it. */
  private final Event event = new Event(Payloads.EVENT);

  static Behavior<Command> create(String id, Journal journal, Consumer<Throwable> failed) {
    return Behaviors.setup(
        context -> new HoldfastSubject(context, journal, Owner.parse(id), failed).start());
  }

  private HoldfastSubject(
      ActorContext<Command> context, Journal journal, Owner owner, Consumer<Throwable> failed) {
    super(context, journal, owner);
    this.failed = failed;
  }

  @Override
  protected void reset() {
    state = State.EMPTY;
  }

  @Override
  protected void restore(SnapshotWrite snapshot) {
    state = new State(snapshot.snapshot().payload(), 0);
  }

  @Override
  protected void replay(StoredEvent stored) {
    state = state.next();
  }

  @Override
  protected void recovered(@Nullable NotReplayed why) {
    if (why != null) {
      failed.accept(new IllegalStateException(why.detail()));
    }
  }

  @Override
  protected void onMessage(Command command) {
    switch (command) {
      case Command.Persist persist -> {
        acknowledged = persist.acknowledged();
        long now = System.currentTimeMillis();
        write(
            List.of(
                new JournalEvent(
                    Payloads.EVENT_NAME, event.payload(), now, now + Payloads.DEADLINE_MILLIS)),
            null);
      }
      case Command.Tell tell -> tell.answer().accept(state);
    }
  }

  @Override
  protected void written() {
    state = state.next();
    Runnable told = acknowledged;
    acknowledged = null;
    if (told != null) {
      told.run();
    }
  }

  @Override
  protected void notWritten(Throwable failure) {
    failed.accept(failure);
  }

  @Override
  protected boolean mayHold(Command command) {
    return true;
  }

  @Override
  protected void abandoned(Command command) {
    failed.accept(new IllegalStateException("stopped before it was done"));
  }

  @Override
  protected void stopped() {}
}
