package dev.holdfast.user;

import java.util.concurrent.atomic.AtomicLong;

/** Requests and new ids. Each call gives another one, the same ones in each run of a test. */
final class Requests {

  private static final AtomicLong NEXT = new AtomicLong(1);

  private Requests() {}

  /** {@return a request without a key: the server made its id} */
  static Request fresh() {
    return new Request(new RequestId(1, NEXT.getAndIncrement()), 0, false);
  }

  /** {@return a request under a key of the caller's} */
  static Request keyed(String key, Object content) {
    return new Request(new RequestId(2, key.hashCode()), content.toString().hashCode(), true);
  }

  static SessionId newSession() {
    return new SessionId(3, NEXT.getAndIncrement());
  }
}
