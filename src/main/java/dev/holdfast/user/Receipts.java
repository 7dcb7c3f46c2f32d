package dev.holdfast.user;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Receipts, oldest first. They never change: what follows from some shares with them all chunks but
 * one or two, since a user who is changed ten times a second has hundreds.
 */
public final class Receipts extends AbstractList<Receipt> {

  /** Receipts in a chunk: about as many chunks as receipts in one, where there are thousands. */
  private static final int CHUNK = 64;

  private static final Receipts NONE = new Receipts(new Chunk[0]);

  /** None of them is empty. */
  private final Chunk[] chunks;

  private final int size;

  /** Some receipts after one another. */
  private static final class Chunk {
    final Receipt[] receipts;

    /**
     * Of their ids, side by side: most ids that are looked for are not there, and this is found out
     * without a look at any receipt.
     */
    final int[] marks;

    /** The first moment at which one of them may be forgotten. */
    final long earliest;

    private Chunk(Receipt[] receipts, int[] marks, long earliest) {
      this.receipts = receipts;
      this.marks = marks;
      this.earliest = earliest;
    }

    static Chunk of(Receipt[] receipts) {
      int[] marks = new int[receipts.length];
      long earliest = Long.MAX_VALUE;
      for (int i = 0; i < receipts.length; i++) {
        marks[i] = mark(receipts[i].id());
        earliest = Math.min(earliest, receipts[i].forgottenAt());
      }
      return new Chunk(receipts, marks, earliest);
    }

    Chunk with(Receipt receipt) {
      int length = receipts.length;
      Receipt[] more = Arrays.copyOf(receipts, length + 1);
      int[] moreMarks = Arrays.copyOf(marks, length + 1);
      more[length] = receipt;
      moreMarks[length] = mark(receipt.id());
      return new Chunk(more, moreMarks, Math.min(earliest, receipt.forgottenAt()));
    }

    Chunk with(Chunk next) {
      int length = receipts.length;
      Receipt[] both = Arrays.copyOf(receipts, length + next.receipts.length);
      System.arraycopy(next.receipts, 0, both, length, next.receipts.length);
      return of(both);
    }

    /** Ids are random or hashes, so any bits of one will do. */
    static int mark(RequestId id) {
      return (int) id.low();
    }
  }

  private Receipts(Chunk[] chunks) {
    this.chunks = chunks;
    int all = 0;
    for (Chunk chunk : chunks) {
      all += chunk.receipts.length;
    }
    this.size = all;
  }

  /** {@return none} */
  public static Receipts none() {
    return NONE;
  }

  /** {@return these, in their order} */
  public static Receipts of(List<Receipt> receipts) {
    if (receipts instanceof Receipts same) {
      return same;
    }
    var chunks = new Chunk[Math.ceilDiv(receipts.size(), CHUNK)];
    for (int i = 0; i < chunks.length; i++) {
      int from = i * CHUNK;
      int to = Math.min(from + CHUNK, receipts.size());
      chunks[i] = Chunk.of(receipts.subList(from, to).toArray(new Receipt[0]));
    }
    return chunks.length == 0 ? NONE : new Receipts(chunks);
  }

  /** {@return these and another one} */
  Receipts with(Receipt receipt) {
    int last = chunks.length - 1;
    if (last >= 0 && chunks[last].receipts.length < CHUNK) {
      Chunk[] others = chunks.clone();
      others[last] = chunks[last].with(receipt);
      return new Receipts(others);
    }
    Chunk[] more = Arrays.copyOf(chunks, chunks.length + 1);
    more[last + 1] = Chunk.of(new Receipt[] {receipt});
    return new Receipts(more);
  }

  /**
   * {@return those of them that are kept}
   *
   * @param now before which none is forgotten: those that are live are not asked about
   */
  Receipts kept(long now, Predicate<Receipt> kept) {
    boolean all = true;
    for (Chunk chunk : chunks) {
      all &= chunk.earliest > now;
    }
    if (all) {
      return this;
    }
    var left = new ArrayList<Chunk>(chunks.length);
    for (Chunk chunk : chunks) {
      Chunk rest = chunk.earliest > now ? chunk : keptOf(chunk, kept);
      int before = left.size() - 1;
      // What is left of many chunks becomes one.
      if (before >= 0 && left.get(before).receipts.length + rest.receipts.length <= CHUNK / 2) {
        left.set(before, left.get(before).with(rest));
      } else if (rest.receipts.length > 0) {
        left.add(rest);
      }
    }
    return left.isEmpty() ? NONE : new Receipts(left.toArray(new Chunk[0]));
  }

  private static Chunk keptOf(Chunk chunk, Predicate<Receipt> kept) {
    Receipt[] rest = Arrays.stream(chunk.receipts).filter(kept).toArray(Receipt[]::new);
    return rest.length == chunk.receipts.length ? chunk : Chunk.of(rest);
  }

  /** {@return the first one of that id that is kept, or null} */
  @Nullable Receipt find(RequestId id, Predicate<Receipt> kept) {
    int mark = Chunk.mark(id);
    for (Chunk chunk : chunks) {
      int[] marks = chunk.marks;
      for (int i = 0; i < marks.length; i++) {
        if (marks[i] == mark) {
          Receipt receipt = chunk.receipts[i];
          if (receipt.id().equals(id) && kept.test(receipt)) {
            return receipt;
          }
        }
      }
    }
    return null;
  }

  @Override
  public Receipt get(int index) {
    int left = index;
    for (Chunk chunk : chunks) {
      if (left >= 0 && left < chunk.receipts.length) {
        return chunk.receipts[left];
      }
      left -= chunk.receipts.length;
    }
    throw new IndexOutOfBoundsException(index);
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public Iterator<Receipt> iterator() {
    return new Iterator<>() {
      private int chunk;
      private int place;

      @Override
      public boolean hasNext() {
        return chunk < chunks.length;
      }

      @Override
      public Receipt next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        Receipt next = chunks[chunk].receipts[place++];
        if (place == chunks[chunk].receipts.length) {
          chunk++;
          place = 0;
        }
        return next;
      }
    };
  }
}
