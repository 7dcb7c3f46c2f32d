package dev.holdfast.journal;

/**
 * What an actor is handed in the place of events that cannot be given to it, as the payload of an
 * event of its own.
 *
 * <p>A recovery that fails would be begun again by Pekko without end, and everybody who asked the
 * actor would wait. So a recovery is always completed, and the actor told what it lacks: it must
 * not decide anything on what was replayed to it, nor persist, but refuse whoever asks.
 *
 * @param reason why
 * @param detail one sentence for the operator; holds no payload
 */
public record NotReplayed(Reason reason, String detail) {

  /** Why there are no events. */
  public enum Reason {
    /** The store did not answer. Heals by itself. */
    STORE,
    /** More recoveries wait than there is room for. Heals by itself. */
    OVERLOADED,
    /** The store answers, but what it holds of this owner cannot be read. */
    DAMAGED
  }

  /** What a failure to read an owner means for the owner's actor. */
  static NotReplayed because(Throwable failure) {
    return switch (failure) {
      case StoreUnreadable silent -> new NotReplayed(Reason.STORE, message(silent));
      case TooManyRecoveries many -> new NotReplayed(Reason.OVERLOADED, message(many));
      default -> new NotReplayed(Reason.DAMAGED, message(failure));
    };
  }

  private static String message(Throwable failure) {
    return failure.getMessage() == null ? failure.getClass().getName() : failure.getMessage();
  }
}
