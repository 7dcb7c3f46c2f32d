package dev.holdfast.http;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The texts of immutable values that were written lately, so that what did not change since is not
 * written anew for each answer. A value is known by its identity and kept alive by nobody here.
 *
 * <p>A table in which each value has one place, by a key that it shares with the values before and
 * after it, as all carts of one user do; one that comes to a place takes it. So it needs no lock,
 * never holds more than its places times {@code mostBytes}, and what a change has replaced is
 * garbage at once, before a collection has copied it. When a value is gone without one in its
 * place, as that of a user who is packed, its text goes too.
 *
 * @param <T> values; nothing that may change
 */
final class Renditions<T> {

  /** Writes the text of a value, which was asked for by that key. */
  @FunctionalInterface
  interface Writer<T> {
    byte[] write(int key, T value);
  }

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
  private final Writer<T> writer;

  /**
   * An empty table.
   *
   * @param places about; well above the number of values that are in use at a time
   * @param mostBytes of one text; longer ones are not kept
   */
  Renditions(long places, int mostBytes, Writer<T> writer) {
    int size = Math.clamp(Long.highestOneBit(places), 1, 1 << 20);
    this.places = new AtomicReferenceArray<>(size);
    this.mask = size - 1;
    this.mostBytes = mostBytes;
    this.writer = writer;
  }

  /**
   * {@return the text of the value, never to be changed}
   *
   * @param key the same for each value that takes the place of another one; keys must be evenly
   *     spread, as those are that begin with an {@link dev.holdfast.user.OwnerKey}
   */
  byte[] of(int key, T value) {
    int place = key & mask;
    Rendition<T> there = places.getPlain(place);
    if (there != null && there.refersTo(value)) {
      return there.text;
    }
    byte[] text = writer.write(key, value);
    if (text.length <= mostBytes) {
      places.setRelease(place, new Rendition<>(value, text, this, place));
    }
    return text;
  }
}
