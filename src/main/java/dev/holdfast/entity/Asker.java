package dev.holdfast.entity;

import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Who wants an answer. It may be told late, more than once, or never; by any thread, which it does
 * not hold up.
 */
public interface Asker {

  void tell(Answer answer);

  /** {@return the thread that waits for the answer and takes turns meanwhile; null for none} */
  default @Nullable LentThread lent() {
    return null;
  }

  /** One that messages reach, from any node. */
  record ByMessage(ActorRef<Answer> ref) implements Asker {
    @Override
    public void tell(Answer answer) {
      ref.tell(answer);
    }
  }
}
