package dev.holdfast.local;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A server behind the front that says whether it is ready, and else does what a test tells it. */
final class StubNode implements AutoCloseable {

  /**
   * A request as it came.
   *
   * @param head all of it, as text
   * @param body decoded, each byte a character; empty if the handler was to read it
   */
  record Request(String head, String body, InputStream in, OutputStream out, Socket socket) {

    String line() {
      return head.substring(0, head.indexOf("\r\n"));
    }

    @Nullable String header(String name) {
      return head.lines()
          .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
          .map(line -> line.substring(name.length() + 1).strip())
          .findFirst()
          .orElse(null);
    }

    /** A bar stands for CRLF. */
    void answer(String text) throws IOException {
      out.write(text.replace("|", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }

    void answerOk(String body) throws IOException {
      answer("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
    }
  }

  /** What is done with a request. */
  @FunctionalInterface
  interface Handler {
    void handle(Request request) throws IOException;
  }

  private final ServerSocket server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<Request> received = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile boolean ready = true;
  private volatile boolean readsBodies = true;
  private final Thread acceptor;
  private volatile Handler handler;

  private StubNode(ServerSocket server, Handler handler) {
    this.server = server;
    this.handler = handler;
    this.acceptor = Thread.ofVirtual().start(this::accept);
  }

  /** One that answers every request with its own name. */
  static StubNode named(String name) {
    return doing(request -> request.answerOk(name));
  }

  static StubNode doing(Handler handler) {
    try {
      return new StubNode(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), handler);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), server.getLocalPort());
  }

  void ready(boolean now) {
    ready = now;
  }

  void handler(Handler other) {
    handler = other;
  }

  void leaveBodies() {
    readsBodies = false;
  }

  /** {@return the requests but those for its readiness} */
  List<Request> received() {
    return received;
  }

  /** {@return how many connections were made on which a request but for readiness came} */
  int connections() {
    return connections.get();
  }

  /** Closes the connections that are open, as a server does with idle ones. */
  void closeConnections() {
    open.forEach(StubNode::close);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        open.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    boolean counted = false;
    try (socket) {
      socket.setTcpNoDelay(true);
      var in = new BufferedInputStream(socket.getInputStream());
      var out = socket.getOutputStream();
      for (String head = head(in); head != null; head = head(in)) {
        if (head.startsWith("GET /health/ready ")) {
          String answer = ready ? "200 OK" : "503 Service Unavailable";
          out.write(
              ("HTTP/1.1 " + answer + "\r\nContent-Length: 2\r\n\r\n{}")
                  .getBytes(StandardCharsets.US_ASCII));
          out.flush();
          continue;
        }
        if (!counted) {
          counted = true;
          connections.incrementAndGet();
        }
        var request = new Request(head, readsBodies ? body(head, in) : "", in, out, socket);
        received.add(request);
        handler.handle(request);
      }
    } catch (IOException gone) {
      // The test is done with it.
    } finally {
      open.remove(socket);
    }
  }

  private static @Nullable String head(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0) {
        return null;
      }
      head.append((char) c);
    }
    return head.toString();
  }

  private static String body(String head, InputStream in) throws IOException {
    var request = new Request(head, "", in, OutputStream.nullOutputStream(), new Socket());
    String length = request.header("Content-Length");
    if (length != null) {
      return new String(in.readNBytes(Integer.parseInt(length)), StandardCharsets.ISO_8859_1);
    }
    var body = new java.io.ByteArrayOutputStream();
    if (request.header("Transfer-Encoding") != null) {
      int size = size(in);
      while (size > 0) {
        body.write(in.readNBytes(size));
        in.readNBytes(2);
        size = size(in);
      }
      in.readNBytes(2);
    }
    return body.toString(StandardCharsets.ISO_8859_1);
  }

  private static int size(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      line.append((char) c);
    }
    return Integer.parseInt(line.toString().replaceFirst(";.*", "").strip(), 16);
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As if the process were killed: nobody listens, and all connections break. */
  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      // A virtual thread that waits in accept lets go of the socket only when it has woken up;
      // until then the kernel goes on taking connections in.
      acceptor.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeConnections();
  }
}
