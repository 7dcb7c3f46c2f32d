package dev.holdfast.peer;

import dev.holdfast.entity.Answer;
import dev.holdfast.entity.Question;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The other side of a connection, which does what a test says. */
public final class ScriptedPeer implements AutoCloseable {

  private static final int PATIENCE_MILLIS = 10_000;

  private final ServerSocket server;
  private final String id;
  private final @Nullable PeerTls tls;
  private final BlockingQueue<Visit> visits = new LinkedBlockingQueue<>();

  /** Held to its end, since a socket that nobody holds is closed by the garbage collector. */
  private final Queue<Visit> begun = new ConcurrentLinkedQueue<>();

  /** A question as it came. */
  public record Asked(long number, Question question) {}

  /** A connection after the greetings. */
  public static final class Visit {
    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    private Visit(Socket socket) throws IOException {
      this.socket = socket;
      this.in = new DataInputStream(socket.getInputStream());
      this.out = new DataOutputStream(socket.getOutputStream());
    }

    public Asked question() throws IOException {
      socket.setSoTimeout(PATIENCE_MILLIS);
      int length = in.readInt();
      long number = in.readLong();
      return new Asked(number, Question.of(in.readNBytes(length - Long.BYTES)));
    }

    public void answer(long number, Answer answer) throws IOException {
      say(number, Frames.ANSWER, Question.toBytes(answer));
    }

    /** Says that nothing was done. */
    public void sendElsewhere(long number) throws IOException {
      say(number, Frames.ELSEWHERE, new byte[0]);
    }

    void say(long number, byte kind, byte[] body) throws IOException {
      out.writeInt(Long.BYTES + 1 + body.length);
      out.writeLong(number);
      out.writeByte(kind);
      out.write(body);
      out.flush();
    }

    void raw(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }

    /** {@return whether the other side has ended the connection} */
    boolean isEnded() throws IOException {
      socket.setSoTimeout(PATIENCE_MILLIS);
      return in.read() < 0;
    }

    public void end() throws IOException {
      socket.close();
    }
  }

  public ScriptedPeer(String id, @Nullable PeerTls tls) throws IOException {
    this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.id = id;
    this.tls = tls;
    Thread.ofVirtual().start(this::accept);
  }

  public InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket plain = server.accept();
        plain.getOutputStream().write(Greeting.of(id));
        if (plain.getInputStream().readNBytes(Frames.HELLO.length).length < Frames.HELLO.length) {
          plain.close();
          continue;
        }
        plain.getOutputStream().write(Frames.HELLO);
        Socket socket = plain;
        if (tls != null) {
          socket = tls.answer(plain);
          socket.getOutputStream().write(Frames.HELLO);
        }
        var visit = new Visit(socket);
        begun.add(visit);
        visits.add(visit);
      } catch (IOException next) {
        // Whoever came has gone again, or was refused.
      }
    }
  }

  /** Waits for the next connection. */
  public Visit visit() throws InterruptedException {
    Visit visit = visits.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    if (visit == null) {
      throw new AssertionError("nobody has come");
    }
    return visit;
  }

  boolean isUnvisited() {
    return visits.isEmpty();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Visit visit : begun) {
      visit.end();
    }
  }
}
