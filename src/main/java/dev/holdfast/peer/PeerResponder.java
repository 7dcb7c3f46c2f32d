package dev.holdfast.peer;

import dev.holdfast.entity.Answer;
import dev.holdfast.entity.LocalUser;
import dev.holdfast.entity.LocalUsers;
import dev.holdfast.entity.Message;
import dev.holdfast.entity.Question;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers other nodes that ask for users of this one, on the connections that they make. A look is
 * decided by the thread that reads the question, as by that of a request which enters here;
 * whatever is more goes to the user's actor. Who is not in use here is for the shard region to
 * find.
 */
public final class PeerResponder implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PeerResponder.class);

  private static final int MOST_CONNECTIONS = 512;

  /** From the hello in the clear to the one in TLS, however the bytes between them come. */
  private static final Duration GREETING = Duration.ofSeconds(5);

  /** Whoever tries again and again fills no log. */
  private static final long BETWEEN_WARNINGS_NANOS = Duration.ofMinutes(1).toNanos();

  private static final byte[] NOTHING = {};

  private final LocalUsers users;
  private final @Nullable PeerTls tls;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final AtomicLong warned = new AtomicLong(System.nanoTime() - BETWEEN_WARNINGS_NANOS);
  private volatile boolean closed;

  /**
   * One that has no connections yet.
   *
   * @param tls null to go without
   */
  public PeerResponder(LocalUsers users, @Nullable PeerTls tls) {
    this.users = users;
    this.tls = tls;
  }

  /** {@return whether these bytes ask to be answered here} */
  public static boolean isHello(ByteBuffer said) {
    return said.equals(ByteBuffer.wrap(Frames.HELLO));
  }

  /**
   * Takes a connection that is {@linkplain Sockets#prepare prepared}, on which {@linkplain #isHello
   * hello} was said, and nothing since.
   */
  public void take(SocketChannel channel) throws IOException {
    channel.configureBlocking(true);
    Socket socket = channel.socket();
    if (closed || connections.size() >= MOST_CONNECTIONS) {
      socket.close();
      return;
    }
    connections.add(socket);
    Thread.ofPlatform().daemon().name("holdfast-peer-answers").start(() -> answer(socket));
    if (closed) {
      socket.close();
    }
  }

  private void answer(Socket plain) {
    try (plain;
        Socket socket = greet(plain)) {
      var connection = new Connection(socket);
      Thread writer =
          Thread.ofVirtual().name("holdfast-peer-writes").start(connection::writeAnswers);
      connection.writer = writer;
      try {
        var in = new Inlet(socket.getInputStream());
        while (true) {
          in.read(connection::answer);
          connection.out.flush();
        }
      } finally {
        connection.ended = true;
        LockSupport.unpark(writer);
      }
    } catch (SocketException | EOFException end) {
      LOG.debug("a connection of another node has ended", end);
    } catch (IOException e) {
      if (!closed) {
        refused(e);
      }
    } finally {
      connections.remove(plain);
    }
  }

  private void refused(IOException why) {
    long now = System.nanoTime();
    long last = warned.get();
    if (now - last >= BETWEEN_WARNINGS_NANOS && warned.compareAndSet(last, now)) {
      LOG.warn("a connection that asks for users is refused: {}", why.getMessage());
    } else {
      LOG.debug("a connection that asks for users is refused", why);
    }
  }

  private Socket greet(Socket plain) throws IOException {
    var greeted = new CountDownLatch(1);
    // Not by a limit for each read: a byte now and then would hold the connection for hours.
    Thread.startVirtualThread(() -> closeUnless(greeted, plain));
    try {
      return secured(plain);
    } finally {
      greeted.countDown();
    }
  }

  private static void closeUnless(CountDownLatch greeted, Socket plain) {
    try {
      if (!greeted.await(GREETING.toMillis(), TimeUnit.MILLISECONDS)) {
        Sockets.close(plain);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  private Socket secured(Socket plain) throws IOException {
    plain.getOutputStream().write(Frames.HELLO);
    Socket socket = plain;
    if (tls != null) {
      socket = tls.answer(plain);
      // Again, since the other side cannot know before that its certificate is taken.
      socket.getOutputStream().write(Frames.HELLO);
    }
    return socket;
  }

  private final class Connection {
    private final Socket socket;
    private final Outlet out;
    private volatile @Nullable Thread writer;
    private volatile boolean ended;

    Connection(Socket socket) throws IOException {
      this.socket = socket;
      this.out = new Outlet(socket.getOutputStream());
    }

    /** What the reading thread adds here it also flushes, when it has read all there is. */
    private void answer(long number, byte[] bytes, int from, int length) throws IOException {
      Question question;
      try {
        question = Question.of(Arrays.copyOfRange(bytes, from, from + length));
      } catch (IllegalArgumentException e) {
        LOG.warn("a question of another node cannot be read: {}", e.getMessage());
        var _ = out.addAnswer(number, Frames.AGAIN, NOTHING);
        return;
      }
      LocalUser user = users.get(question.owner());
      if (user == null || user.takeRegionsTurn()) {
        var _ = out.addAnswer(number, Frames.ELSEWHERE, NOTHING);
        return;
      }
      Answer seen = user.look(question.command(), question.trace());
      if (seen != null) {
        var _ = add(number, seen);
      } else {
        user.actor()
            .tell(
                new Message.Ask(
                    question.command(),
                    answer -> addSoon(number, answer),
                    question.repeated(),
                    question.trace()));
      }
    }

    private boolean add(long number, Answer answer) throws IOException {
      byte[] body = Question.toBytes(answer);
      return body.length > Frames.MOST_BODY_BYTES
          ? out.addAnswer(number, Frames.AGAIN, NOTHING)
          : out.addAnswer(number, Frames.ANSWER, body);
    }

    /** For actors, who do not wait until it is written. */
    private void addSoon(long number, Answer answer) {
      try {
        if (add(number, answer)) {
          LockSupport.unpark(writer);
        }
      } catch (IOException e) {
        end(e);
      }
    }

    private void writeAnswers() {
      try {
        while (!ended) {
          out.flush();
          LockSupport.park(this);
        }
      } catch (IOException e) {
        end(e);
      }
    }

    private void end(IOException why) {
      LOG.debug("answers for another node cannot be sent", why);
      Sockets.close(socket);
    }
  }

  /** Ends all connections; those who wait for answers on them hear of it. */
  @Override
  public void close() {
    closed = true;
    connections.forEach(Sockets::close);
  }
}
