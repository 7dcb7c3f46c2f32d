package dev.holdfast.peer;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * What is to be written to a connection, by many threads. Frames that are added while one of them
 * writes go together with the next write.
 */
final class Outlet {

  private static final int USUAL_BYTES = 16 << 10;
  private static final int MOST_WAITING_BYTES = 64 << 20;
  private static final byte[] NOTHING = {};

  private final OutputStream out;
  private byte[] filling = new byte[USUAL_BYTES];
  private byte[] spare = new byte[USUAL_BYTES];
  private int filled;

  private final AtomicLong added = new AtomicLong();

  private boolean writing;

  Outlet(OutputStream out) {
    this.out = out;
  }

  /**
   * Adds a question, which {@link #flush} writes.
   *
   * @param numbered told of its number before anybody can answer it
   */
  synchronized void addQuestion(byte[] body, LongConsumer numbered) throws IOException {
    long number = added.get() + Frames.HEAD_BYTES + body.length;
    numbered.accept(number);
    add(number, NOTHING, body);
  }

  /**
   * Adds an answer, which {@link #flush} writes.
   *
   * @return whether somebody must flush; else one who writes now will
   * @throws IOException if too much waits already, since the other side does not read
   */
  synchronized boolean addAnswer(long number, byte kind, byte[] body) throws IOException {
    add(number, new byte[] {kind}, body);
    return !writing;
  }

  private void add(long number, byte[] kind, byte[] body) throws IOException {
    int length = Long.BYTES + kind.length + body.length;
    int more = Integer.BYTES + length;
    if (filled > MOST_WAITING_BYTES - more) {
      throw new IOException("the other node does not read");
    }
    if (filling.length - filled < more) {
      filling = Arrays.copyOf(filling, Math.max(2 * filling.length, filled + more));
    }
    for (int shift = Integer.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      filling[filled++] = (byte) (length >>> shift);
    }
    for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      filling[filled++] = (byte) (number >>> shift);
    }
    System.arraycopy(kind, 0, filling, filled, kind.length);
    filled += kind.length;
    System.arraycopy(body, 0, filling, filled, body.length);
    filled += body.length;
    added.addAndGet(more);
  }

  /** {@return how many bytes were added so far} */
  long added() {
    return added.get();
  }

  /** Writes what there is, unless another thread is about it, which then also writes that. */
  void flush() throws IOException {
    byte[] taken = null;
    while (true) {
      int length;
      synchronized (this) {
        if (taken == null) {
          if (writing) {
            return;
          }
          writing = true;
        } else {
          // One that a burst has made large is not kept.
          spare = taken.length > Frames.MOST_BYTES ? new byte[USUAL_BYTES] : taken;
        }
        if (filled == 0) {
          writing = false;
          return;
        }
        taken = filling;
        length = filled;
        filling = spare;
        filled = 0;
      }
      // If it fails, the one who writes stays: nothing more goes out on this connection.
      out.write(taken, 0, length);
    }
  }
}
