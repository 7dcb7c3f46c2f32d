package dev.holdfast.peer;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** What comes on a connection, as frames. For one thread. */
final class Inlet {

  /** What is made of a frame: the bytes after its number. */
  interface Reader {
    void read(long number, byte[] bytes, int from, int length) throws IOException;
  }

  private final InputStream in;
  private final byte[] bytes = new byte[Frames.MOST_BYTES];
  private final ByteBuffer view = ByteBuffer.wrap(bytes);
  private int from;
  private int end;

  Inlet(InputStream in) {
    this.in = in;
  }

  /**
   * Waits for something, and reads all that has come as a whole.
   *
   * @throws EOFException if the connection has ended
   * @throws IOException if it breaks, or what comes is no frame
   */
  void read(Reader reader) throws IOException {
    int read = in.read(bytes, end, bytes.length - end);
    if (read < 0) {
      throw new EOFException("the connection has ended");
    }
    end += read;
    while (end - from >= Integer.BYTES) {
      int length = view.getInt(from);
      if (length < Long.BYTES || length > Frames.MOST_BYTES - Integer.BYTES) {
        throw new IOException("a frame says that it has " + length + " bytes");
      }
      if (end - from < Integer.BYTES + length) {
        break;
      }
      long number = view.getLong(from + Integer.BYTES);
      int body = from + Frames.HEAD_BYTES;
      from += Integer.BYTES + length;
      reader.read(number, bytes, body, length - Long.BYTES);
    }
    System.arraycopy(bytes, from, bytes, 0, end - from);
    end -= from;
    from = 0;
  }
}
