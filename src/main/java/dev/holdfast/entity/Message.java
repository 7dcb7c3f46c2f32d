package dev.holdfast.entity;

import dev.holdfast.user.Command;
import org.apache.pekko.actor.typed.ActorRef;

/** What a user's actor receives. */
public sealed interface Message {

  /** A command, and who wants the answer. The answer may come late, more than once, or never. */
  record Ask(Command command, ActorRef<Answer> replyTo) implements Message {}

  /** What came of asking the known user's actor to admit a visitor's log-in. */
  record AdmissionCame(Answer answer) implements Message {}

  /** The known user's actor has not admitted the log-in yet: ask again. */
  record AdmissionLate() implements Message {}

  /** The actor is to leave memory. */
  record Stop() implements Message {}
}
