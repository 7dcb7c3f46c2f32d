package dev.holdfast.entity;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * Who wants an answer. It may be told late, more than once, or never; by any thread, which it does
 * not hold up.
 */
public interface Asker {

  void tell(Answer answer);

  /** One that messages reach, from any node. */
  record ByMessage(ActorRef<Answer> ref) implements Asker {
    @Override
    public void tell(Answer answer) {
      ref.tell(answer);
    }
  }
}
