package dev.holdfast.cart;

/** Whose quantity counts at log-in for a SKU that is in both carts. */
public enum MergePolicy {
  /** Both together. */
  SUM,
  /** The greater of the two. */
  MAX,
  /** The known user's. */
  USER,
  /** The visitor's. */
  VISITOR
}
