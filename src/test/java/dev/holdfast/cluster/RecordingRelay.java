package dev.holdfast.cluster;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Stands in the way to a server on another address, and remembers what goes there. */
final class RecordingRelay implements AutoCloseable {

  private final ServerSocket front;
  private final InetSocketAddress behind;
  private final List<ByteArrayOutputStream> connections = new CopyOnWriteArrayList<>();
  private final List<Socket> open = new CopyOnWriteArrayList<>();

  /** Listens at 127.0.0.1. */
  RecordingRelay(int port, InetSocketAddress behind) throws IOException {
    this.front = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    this.behind = behind;
    Thread.ofVirtual().start(this::accept);
  }

  private void accept() {
    try {
      while (true) {
        Socket from = front.accept();
        open.add(from);
        Thread.ofVirtual().start(() -> serve(from));
      }
    } catch (IOException closed) {
      // The end.
    }
  }

  private void serve(Socket from) {
    try {
      var to = new Socket();
      open.add(to);
      to.connect(behind, 5_000);
      from.setTcpNoDelay(true);
      to.setTcpNoDelay(true);
      var record = new ByteArrayOutputStream();
      connections.add(record);
      Thread.ofVirtual().start(() -> pass(to, from, OutputStream.nullOutputStream()));
      pass(from, to, record);
    } catch (IOException nobody) {
      close(from);
    }
  }

  private static void pass(Socket from, Socket to, OutputStream record) {
    try {
      InputStream in = from.getInputStream();
      byte[] buffer = new byte[64 * 1024];
      int read = in.read(buffer);
      while (read >= 0) {
        record.write(buffer, 0, read);
        to.getOutputStream().write(buffer, 0, read);
        read = in.read(buffer);
      }
    } catch (IOException broken) {
      // As an end.
    } finally {
      close(from);
      close(to);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** {@return what went there so far, of each connection} */
  List<byte[]> recorded() {
    return connections.stream().map(ByteArrayOutputStream::toByteArray).toList();
  }

  @Override
  public void close() throws IOException {
    front.close();
    open.forEach(RecordingRelay::close);
  }
}
