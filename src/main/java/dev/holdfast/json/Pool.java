package dev.holdfast.json;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Things that are dear to make and in use for a moment, kept for whoever needs one next. Each
 * thread looks at a few places first chosen by its id, so threads seldom meet, nobody waits, and
 * virtual threads, which come and go, share what there is.
 *
 * @param <T> of no use to two threads at a time
 */
final class Pool<T> {

  /** Well above the number of things that are in use at a moment: one or two for each processor. */
  private static final int PLACES = 64;

  /** So far apart that processors do not wait for each other's cache lines. */
  private static final int STRIDE = 16;

  private static final int LOOKS = 4;

  private final AtomicReferenceArray<@Nullable T> places =
      new AtomicReferenceArray<>(PLACES * STRIDE);

  /** {@return one that is nobody else's until it is given back, or null if there is none} */
  @Nullable T take() {
    int first = first();
    for (int look = 0; look < LOOKS; look++) {
      int place = place(first + look);
      T there = places.getPlain(place);
      if (there != null && places.compareAndSet(place, there, null)) {
        return there;
      }
    }
    return null;
  }

  /** Keeps one that is not used any more, if there is room. */
  void give(T thing) {
    int first = first();
    for (int look = 0; look < LOOKS; look++) {
      int place = place(first + look);
      if (places.getPlain(place) == null && places.compareAndSet(place, null, thing)) {
        return;
      }
    }
  }

  private static int first() {
    return (int) ((Thread.currentThread().threadId() * 0x9E3779B97F4A7C15L) >>> 32);
  }

  private static int place(int number) {
    return (number & PLACES - 1) * STRIDE;
  }
}
