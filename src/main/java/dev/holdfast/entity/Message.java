package dev.holdfast.entity;

import dev.holdfast.user.Command;
import dev.holdfast.user.Reply;
import org.apache.pekko.actor.typed.ActorRef;

/** What a user's actor receives. */
public sealed interface Message {

  /** A command, and who wants the answer. The answer may come late, more than once, or never. */
  record Ask(Command command, ActorRef<Answer> replyTo) implements Message {}

  /** The answer of a known user's actor to a visitor's log-in. */
  record AdmissionCame(Reply.Admission admission) implements Message {}

  /** The known user's actor has not answered the log-in yet: ask again. */
  record AdmissionLate() implements Message {}

  /** The actor is to leave memory. */
  record Stop() implements Message {}
}
