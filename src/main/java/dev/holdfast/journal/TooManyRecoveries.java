package dev.holdfast.journal;

/** More owners wait to be read than there is room for. */
final class TooManyRecoveries extends RuntimeException {

  TooManyRecoveries(int waiting) {
    super(waiting + " recoveries wait for the journal", null, false, false);
  }
}
