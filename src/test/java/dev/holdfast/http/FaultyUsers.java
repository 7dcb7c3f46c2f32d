package dev.holdfast.http;

import dev.holdfast.cluster.Users;
import dev.holdfast.entity.Answer;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The users of a running node, with a fault in the way to them where a test wants one. */
final class FaultyUsers implements Users {

  private final Users users;
  private final AtomicLong asked = new AtomicLong();
  private volatile Function<Command, @Nullable Answer> fault = _ -> null;

  FaultyUsers(Users users) {
    this.users = users;
  }

  @Override
  public Answer ask(OwnerKey owner, Command command, long timeoutMillis) {
    asked.incrementAndGet();
    Answer faulty = fault.apply(command);
    return faulty == null ? users.ask(owner, command, timeoutMillis) : faulty;
  }

  /** {@return how often any user was asked} */
  long asked() {
    return asked.get();
  }

  /** Does something while commands meet a fault: what it gives is the answer, null is no fault. */
  <T> T with(Function<Command, @Nullable Answer> faulty, Supplier<T> action) {
    fault = faulty;
    try {
      return action.get();
    } finally {
      fault = _ -> null;
    }
  }
}
