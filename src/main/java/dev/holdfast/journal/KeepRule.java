package dev.holdfast.journal;

/**
 * Which of an owner's events that its stored snapshot includes are kept all the same: those since a
 * moment, as long as they are not too many. The newest one is kept whatever this says.
 *
 * @param since milliseconds since the epoch; events before it need not be kept
 * @param atMost most events to keep of one owner, at least 1
 */
public record KeepRule(long since, long atMost) {

  public KeepRule {
    if (atMost < 1) {
      throw new IllegalArgumentException("an owner keeps at least one event, not " + atMost);
    }
  }
}
