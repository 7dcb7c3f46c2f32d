package dev.holdfast.user;

/**
 * How large things may grow. Limits that depend on the request alone are checked where it enters;
 * those that depend on the state, in {@link User#decide}.
 *
 * @param attributesBytes of one session's attributes, as compact JSON in UTF-8
 * @param lineAttributesBytes of one line's attributes, likewise
 * @param cartLines lines of a cart
 * @param quantity pieces of a line
 * @param sessions sessions of a user; the longest idle ends for the next
 * @param callerKeys live idempotency keys of a user
 * @param serverRequests changes of a user within a minute
 * @param cartRetentionMillis how long a known user's cart is kept after their last activity
 * @param abandonedCartMillis after how much time without activity a cart with something in it
 *     counts as abandoned; {@link User#NEVER} if it never does
 * @param historyMillis how long a user's history is kept after the last entry once nothing is left
 *     of the user
 */
public record Limits(
    int attributesBytes,
    int lineAttributesBytes,
    int cartLines,
    int quantity,
    int sessions,
    int callerKeys,
    int serverRequests,
    long cartRetentionMillis,
    long abandonedCartMillis,
    long historyMillis) {

  private static final long DAY_MILLIS = 24 * 3_600_000L;

  /** The documented defaults. */
  public static Limits defaults() {
    return new Limits(
        64 * 1024,
        4 * 1024,
        200,
        9_999,
        20,
        1_000,
        20_000,
        90 * DAY_MILLIS,
        3_600_000L,
        7 * DAY_MILLIS);
  }
}
