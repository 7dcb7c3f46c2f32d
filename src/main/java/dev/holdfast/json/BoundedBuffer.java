package dev.holdfast.json;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/** Bytes that are written one after the other, up to a bound; used again for the next text. */
final class BoundedBuffer extends OutputStream {

  private static final int USUAL_BYTES = 4 << 10;

  /** One that has grown beyond this is not used again. */
  private static final int MOST_KEPT_BYTES = 64 << 10;

  private byte[] bytes = new byte[USUAL_BYTES];
  private int size;
  private int most;

  /** That more was written than is allowed. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;
  }

  /** Begins anew. */
  void begin(int mostBytes) {
    size = 0;
    most = mostBytes;
  }

  @Override
  public void write(byte[] more, int from, int length) throws IOException {
    ensure(length);
    System.arraycopy(more, from, bytes, size, length);
    size += length;
  }

  @Override
  public void write(int one) throws IOException {
    ensure(1);
    bytes[size++] = (byte) one;
  }

  private void ensure(int more) throws IOException {
    if (more > most - size) {
      throw new TooLong();
    }
    if (more > bytes.length - size) {
      int doubled = (int) Math.min(2L * bytes.length, most);
      bytes = Arrays.copyOf(bytes, Math.max(doubled, size + more));
    }
  }

  /** {@return a copy of what was written} */
  byte[] toByteArray() {
    return Arrays.copyOf(bytes, size);
  }

  boolean isWorthKeeping() {
    return bytes.length <= MOST_KEPT_BYTES;
  }
}
