package dev.holdfast.local;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection, read through a buffer and held to time limits. For one thread at a time, but
 * for {@link #close} and {@link #closeIfOverdue}.
 *
 * <p>A channel, not a socket with streams: only a channel can be asked, without waiting, whether
 * the peer has closed its end.
 */
final class Wire implements AutoCloseable {

  private static final int SIZE = 8 * 1024;

  /** The connection failed; {@link #wire} says which of the two that a request passes. */
  static final class Broken extends IOException {
    private static final long serialVersionUID = 1;
    private final transient Wire wire;

    private Broken(Wire wire, String message, @Nullable Throwable cause) {
      super(message, cause);
      this.wire = wire;
    }

    Wire wire() {
      return wire;
    }
  }

  private final SocketChannel channel;
  private final Watch watch;
  private byte[] buffer = new byte[SIZE];
  private ByteBuffer view = ByteBuffer.wrap(buffer);
  private int from;
  private int to;

  private static final long NEVER = 0;
  private static final long OVER = -1;

  /** By {@link System#nanoTime}, or one of the two above. */
  private final AtomicLong due = new AtomicLong(NEVER);

  private Wire(SocketChannel channel, Watch watch) {
    this.channel = channel;
    this.watch = watch;
  }

  /** A connection that a peer has made. */
  static Wire accepted(SocketChannel channel, Watch watch) throws IOException {
    var wire = new Wire(channel, watch);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    watch.add(wire);
    return wire;
  }

  /**
   * Makes a connection.
   *
   * @throws IOException if that is refused, or takes longer than the limit
   */
  static Wire connect(SocketAddress address, Watch watch, Duration limit) throws IOException {
    var wire = new Wire(SocketChannel.open(), watch);
    watch.add(wire);
    try {
      wire.limit(limit);
      wire.channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      wire.channel.connect(address);
      return wire;
    } catch (IOException | RuntimeException e) {
      wire.close();
      throw e;
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Time

  /** From now on, what has not happened within this time fails. */
  void limit(Duration time) {
    // The lowest bit keeps it apart from both marks: OVER has it too, but no clock is there.
    due.set((System.nanoTime() + time.toNanos()) | 1);
  }

  void noLimit() {
    due.set(NEVER);
  }

  /** Ends the limit, unless its time is over: then the connection is closed, or is about to be. */
  boolean endLimit() {
    long end = due.get();
    return end != OVER && due.compareAndSet(end, NEVER);
  }

  void closeIfOverdue(long now) {
    long end = due.get();
    if (end != NEVER && end != OVER && now - end > 0 && due.compareAndSet(end, OVER)) {
      close();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Reading

  /** {@return how many bytes are read and not yet taken} */
  int available() {
    return to - from;
  }

  /** {@return the bytes that are read; those not taken stand at {@link #position} and after} */
  byte[] buffer() {
    return buffer;
  }

  int position() {
    return from;
  }

  void take(int bytes) {
    from += bytes;
  }

  /**
   * Waits for more bytes behind those that are available.
   *
   * @return whether there are more; false if the peer has closed its end
   */
  boolean fill() throws Broken {
    makeRoom();
    try {
      int read = channel.read(view.limit(buffer.length).position(to));
      to += Math.max(read, 0);
      return read >= 0;
    } catch (IOException e) {
      throw new Broken(this, "reading failed", e);
    }
  }

  /**
   * Takes in what is there, without waiting.
   *
   * @return whether there is something, were it only the end
   */
  boolean hasNews() {
    if (available() > 0) {
      return true;
    }
    makeRoom();
    try {
      channel.configureBlocking(false);
      int read = channel.read(view.limit(buffer.length).position(to));
      channel.configureBlocking(true);
      to += Math.max(read, 0);
      return read != 0;
    } catch (IOException gone) {
      return true;
    }
  }

  private void makeRoom() {
    if (from == to) {
      from = 0;
      to = 0;
    } else if (to == buffer.length && from > 0) {
      System.arraycopy(buffer, from, buffer, 0, to - from);
      to -= from;
      from = 0;
    } else if (to == buffer.length) {
      buffer = Arrays.copyOf(buffer, 2 * buffer.length);
      view = ByteBuffer.wrap(buffer);
    }
  }

  /**
   * Reads and takes the head of a message.
   *
   * @param firstLine most bytes of the first line
   * @param most bytes of the whole
   * @throws Head.Malformed if it is none by the rules of HTTP, or too large
   */
  Head head(int firstLine, int most) throws Broken, Head.Malformed {
    int line = 0; // where the current line begins, counted from the first byte of the head
    int next = 0; // the byte to look at next, likewise
    while (true) {
      for (; next < available(); next++) {
        if (buffer[from + next] != '\n') {
          continue;
        }
        if (next == line || buffer[from + next - 1] != '\r') {
          throw new Head.Malformed("a line does not end in CRLF");
        }
        if (next - line == 1) {
          Head head = Head.parse(buffer, from, from + next + 1);
          take(next + 1);
          return head;
        }
        line = next + 1;
      }
      if (line == 0 && next > firstLine) {
        throw new Head.TooLarge(true);
      }
      if (next >= most) {
        throw new Head.TooLarge(false);
      }
      if (!fill()) {
        throw new Broken(this, "the connection ended within a head", null);
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Writing

  void write(byte[] bytes) throws Broken {
    write(ByteBuffer.wrap(bytes));
  }

  /** Writes available bytes of another connection, and takes them there. */
  void write(Wire other, int bytes) throws Broken {
    write(ByteBuffer.wrap(other.buffer, other.from, bytes));
    other.take(bytes);
  }

  /** The same behind a head, so that both travel together. */
  void write(byte[] head, Wire other, int bytes) throws Broken {
    if (bytes == 0) {
      write(head);
      return;
    }
    byte[] both = Arrays.copyOf(head, head.length + bytes);
    System.arraycopy(other.buffer, other.from, both, head.length, bytes);
    other.take(bytes);
    write(both);
  }

  private void write(ByteBuffer bytes) throws Broken {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new Broken(this, "writing failed", e);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // The end

  /**
   * Says that nothing more will be written, and throws away what the peer still sends, within
   * bounds: closed with bytes unread the connection would be reset, and the peer could lose what
   * was written last.
   */
  void linger(Duration time, int bytes) {
    limit(time);
    try {
      channel.shutdownOutput();
      int left = bytes;
      while (left > 0) {
        left -= available();
        take(available());
        if (!fill()) {
          break;
        }
      }
    } catch (IOException gone) {
      // Nobody waits for what was written.
    }
  }

  @Override
  public void close() {
    watch.remove(this);
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }
}
