package dev.holdfast.journal;

import java.util.concurrent.CompletionException;

/**
 * Why an owner's actor was not given its log, or not all of it: it must not decide anything on what
 * it has, nor write, but refuse whoever asks.
 *
 * @param reason what that means for those who ask
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

  /** What a failure of {@link Journal#recover} means for the owner's actor. */
  public static NotReplayed because(Throwable failure) {
    return switch (failure) {
      case CompletionException wrapper when wrapper.getCause() != null ->
          because(wrapper.getCause());
      case StoreUnreadable silent -> new NotReplayed(Reason.STORE, message(silent));
      case TooManyRecoveries many -> new NotReplayed(Reason.OVERLOADED, message(many));
      default -> new NotReplayed(Reason.DAMAGED, message(failure));
    };
  }

  private static String message(Throwable failure) {
    return failure.getMessage() == null ? failure.getClass().getName() : failure.getMessage();
  }
}
