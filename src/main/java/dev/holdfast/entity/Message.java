package dev.holdfast.entity;

import dev.holdfast.user.Command;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What a user's actor receives. */
public sealed interface Message {

  /**
   * A command, and who wants the answer. The answer may come late, more than once, or never.
   *
   * @param repeated whether it was sent before, with no answer so far: the earlier one may still be
   *     on its way
   * @param trace that it is part of, as {@link dev.holdfast.telemetry.Traces} has it; null for none
   */
  record Ask(Command command, Asker replyTo, boolean repeated, @Nullable String trace)
      implements Message {

    /** Sent for the first time. */
    public Ask(Command command, ActorRef<Answer> replyTo) {
      this(command, new Asker.ByMessage(replyTo), false, null);
    }
  }

  /**
   * Somebody wants to be told of what happens to the user, and where the user stands now. To be
   * said again every few seconds: the actor forgets, and is not always the same.
   */
  record Listen(ActorRef<Told> listener) implements Message {}

  /** What came of asking the known user's actor to admit a visitor's log-in. */
  record AdmissionCame(Answer answer) implements Message {}

  /** The known user's actor has not admitted the log-in yet: ask again. */
  record AdmissionLate() implements Message {}

  /**
   * What became of the purge of a user of whom nothing is left.
   *
   * @param gone whether the journal holds nothing of the user any more
   */
  record PurgeEnded(boolean gone) implements Message {}

  /**
   * What became of deleting what the journal holds from before an erasure.
   *
   * @param number of the event that says the user is erased
   * @param newest the number of the newest event when it was begun, whose deadline it has set
   */
  record ErasureEnded(long number, long newest, boolean done) implements Message {}

  /** What the journal holds from before an erasure is to be deleted, since it was not yet. */
  record EraseAgain() implements Message {}

  /** Nobody has asked for the user for some seconds: it may be packed, see {@link HeldUser}. */
  record Rest() implements Message {}

  /** The actor is to leave memory: its shard sends it nothing after this. */
  record Stop() implements Message {}

  /** Nor do requests that came straight to it: it ends. */
  record End() implements Message {}
}
