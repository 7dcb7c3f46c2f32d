package dev.holdfast.http;

import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The texts of immutable values that were written lately, so that what did not change since is not
 * written anew for each answer. A value is known by its identity and kept alive by nobody here.
 *
 * <p>A table in which each value has one place, by its identity's hash; one that comes to a place
 * takes it. So it needs no lock and never holds more than its places times {@code mostBytes}.
 *
 * @param <T> values; nothing that may change
 */
final class Renditions<T> {

  /** Refers to the value that it is of. */
  private static final class Rendition<T> extends WeakReference<T> {
    private final byte[] text;

    Rendition(T of, byte[] text) {
      super(of);
      this.text = text;
    }
  }

  private final AtomicReferenceArray<@Nullable Rendition<T>> places;
  private final int mask;
  private final int mostBytes;

  /**
   * An empty table.
   *
   * @param places about; well above the number of values that are in use at a time
   * @param mostBytes of one text; longer ones are not kept
   */
  Renditions(long places, int mostBytes) {
    int size = Math.clamp(Long.highestOneBit(places), 1, 1 << 20);
    this.places = new AtomicReferenceArray<>(size);
    this.mask = size - 1;
    this.mostBytes = mostBytes;
  }

  /** {@return the text of the value, never to be changed; null if it is not kept} */
  byte @Nullable [] get(T value) {
    Rendition<T> there = places.getPlain(place(value));
    return there != null && there.refersTo(value) ? there.text : null;
  }

  void put(T value, byte[] text) {
    if (text.length <= mostBytes) {
      places.setRelease(place(value), new Rendition<>(value, text));
    }
  }

  private int place(T value) {
    int hash = System.identityHashCode(value);
    return (hash ^ hash >>> 15) & mask;
  }
}
