package dev.holdfast.journal;

/**
 * The owners from {@code first} to {@code last}, both included. A shard is one such range.
 *
 * @param first the lowest owner in the range
 * @param last the highest owner in the range, not below {@code first}
 */
public record OwnerRange(Owner first, Owner last) {

  /** Every owner there can be. */
  public static final OwnerRange ALL = new OwnerRange(Owner.FIRST, Owner.LAST);

  public OwnerRange {
    if (first.compareTo(last) > 0) {
      throw new IllegalArgumentException("range of owners from " + first + " down to " + last);
    }
  }

  /** Whether {@code owner} lies in this range. */
  public boolean contains(Owner owner) {
    return first.compareTo(owner) <= 0 && owner.compareTo(last) <= 0;
  }
}
