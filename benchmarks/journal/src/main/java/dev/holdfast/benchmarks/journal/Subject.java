package dev.holdfast.benchmarks.journal;

import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;

/**
 * The persistent actor that is measured: it does the same on every journal, and is made of what the
 * library of that journal has for it.
 */
@FunctionalInterface
interface Subject {

  /**
   * Makes the actor of an owner.
   *
   * @param failed told of whatever its journal fails with
   */
  Behavior<Command> of(String id, Consumer<Throwable> failed);

  /** What it is told. */
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

    /** After one more event. */
    State next() {
      return new State(snapshot, events + 1);
    }
  }
}
