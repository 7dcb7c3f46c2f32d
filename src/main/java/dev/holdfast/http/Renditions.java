package dev.holdfast.http;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The texts of immutable values that were written lately, so that what did not change since is not
 * written anew for each answer. A value is known by its identity and kept alive by nobody here.
 *
 * <p>A table in which each value has one place, by its identity's hash; one that comes to a place
 * takes it. So it needs no lock and never holds more than its places times {@code mostBytes}. When
 * a value is gone, as that of a user who is packed, its text goes too.
 *
 * @param <T> values; nothing that may change
 */
final class Renditions<T> {

  /** Those whose values are gone. */
  private static final ReferenceQueue<Object> GONE = new ReferenceQueue<>();

  static {
    Thread.ofPlatform().daemon().name("holdfast-renditions").start(Renditions::clear);
  }

  /** Refers to the value that it is of. */
  private static final class Rendition<T> extends WeakReference<T> {
    private final byte[] text;
    private final Renditions<T> table;
    private final int place;

    Rendition(T of, byte[] text, Renditions<T> table, int place) {
      super(of, GONE);
      this.text = text;
      this.table = table;
      this.place = place;
    }

    void leave() {
      table.places.compareAndSet(place, this, null);
    }
  }

  private static void clear() {
    try {
      while (true) {
        if (GONE.remove() instanceof Rendition<?> gone) {
          gone.leave();
        }
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  private final AtomicReferenceArray<@Nullable Rendition<T>> places;
  private final int mask;
  private final int mostBytes;
  private final Function<T, byte[]> writer;

  /**
   * An empty table.
   *
   * @param places about; well above the number of values that are in use at a time
   * @param mostBytes of one text; longer ones are not kept
   * @param writer writes the text of a value
   */
  Renditions(long places, int mostBytes, Function<T, byte[]> writer) {
    int size = Math.clamp(Long.highestOneBit(places), 1, 1 << 20);
    this.places = new AtomicReferenceArray<>(size);
    this.mask = size - 1;
    this.mostBytes = mostBytes;
    this.writer = writer;
  }

  /** {@return the text of the value, never to be changed} */
  byte[] of(T value) {
    int hash = System.identityHashCode(value);
    int place = (hash ^ hash >>> 15) & mask;
    Rendition<T> there = places.getPlain(place);
    if (there != null && there.refersTo(value)) {
      return there.text;
    }
    byte[] text = writer.apply(value);
    if (text.length <= mostBytes) {
      places.setRelease(place, new Rendition<>(value, text, this, place));
    }
    return text;
  }
}
