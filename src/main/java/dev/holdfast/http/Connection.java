package dev.holdfast.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One connection, watched: how long it takes over a request or an answer, and how many bytes it
 * sends for one request. The web server bounds neither (an endless chunk size line would fill the
 * memory, a byte a minute would hold a connection for ever), so it reads through this.
 *
 * <p>Belongs to the one thread that serves the connection; {@link Connections} looks at {@link
 * #overdue} from its own and cuts it off by interrupting that thread, which closes the socket.
 */
final class Connection implements ServerConnection, ConnectionContext {

  private static final ScopedValue<Connection> CURRENT = ScopedValue.newInstance();

  /** What the connection is at, and so which time limit is running. */
  private enum At {
    /** Between two requests. */
    IDLE,
    /** Some bytes of a request have come. */
    RECEIVING,
    /** The request is whole; how long that takes is not the peer's doing. */
    WORKING,
    /** The peer is to take the answer. */
    ANSWERING,
    /** An answer without end is under way, and there is nothing to send at the moment. */
    STREAMING,
    /**
     * The answer has been sent, and the web server is about to read again: until it does, it must
     * not be interrupted, or it would send a refusal after the answer.
     */
    ANSWERED,
    /** The last answer has been sent, and what the peer is still sending is thrown away. */
    LINGERING,
    /** Closed between two requests; what may come of one more is not read. */
    ENDED
  }

  private static final AtomicReferenceFieldUpdater<Connection, At> AT =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, At.class, "at");

  private static final long LINGERING_NANOS = Duration.ofSeconds(2).toNanos();
  private static final int LINGERING_BYTES = 1024 * 1024;

  /**
   * After so many answers at the latest others have their turn, though the next request is there
   * already: virtual threads are not made to stop, and some callers send without waiting.
   */
  private static final int ANSWERS_A_TURN = 16;

  private final ConnectionContext context;
  private final HttpSettings.Bounds bounds;
  private final Connections all;
  private final DataReader reader;
  private final ServerConnection http;
  private final long bytesPerRequest;

  /** Set by the connection's own thread, but for the step from idle to ended, which others take. */
  private volatile At at = At.IDLE;

  private volatile long since = System.nanoTime();
  private volatile boolean ending;
  private volatile boolean cutOff;
  private volatile @Nullable Thread thread;
  private long bytes;
  private int answers;
  private boolean lingering;
  private @Nullable Boolean identified;

  Connection(
      ConnectionContext context,
      ServerConnectionSelector http,
      HttpSettings.Bounds bounds,
      Connections all) {
    this.context = context;
    this.bounds = bounds;
    this.all = all;
    // Twice the body, since chunks have sizes; whoever sends smaller ones than that is up to no
    // good.
    this.bytesPerRequest =
        bounds.requestLineBytes() + bounds.headerBytes() + 2L * bounds.bodyBytes() + 1_024;
    this.reader = new ChunkReader(this::pull);
    this.http = http.connection(this);
  }

  /** {@return the connection whose request the current thread handles} */
  static Connection current() {
    return CURRENT.get();
  }

  // ---------------------------------------------------------------------------------------------
  // What it is at

  /** {@return what has come, or null for the end, which is the peer's or this node's own} */
  private byte @Nullable [] pull() {
    if (at == At.ANSWERED) {
      become(reader.available() > 0 ? At.RECEIVING : At.IDLE);
    }
    if (ending && endIfIdle()) {
      return null;
    }
    byte[] pulled;
    try {
      pulled = context.dataReader().readBuffer().readBytes();
    } catch (DataReader.InsufficientDataAvailableException ended) {
      return null;
    } catch (UncheckedIOException broken) {
      if (broken.getCause() instanceof SSLException) {
        // Not by the rules of TLS: nothing of it can be answered, and it is no news for the log.
        throw new CloseConnectionException("this is no TLS", broken);
      }
      throw broken;
    }
    if (at == At.IDLE) {
      since = System.nanoTime();
      AT.compareAndSet(this, At.IDLE, At.RECEIVING);
    }
    if (at == At.ENDED) {
      return null; // whoever ended it may have done so while this came
    }
    bytes += pulled.length;
    if (bytes > bytesPerRequest) {
      throw RequestException.builder()
          .type(EventType.PAYLOAD_TOO_LARGE)
          .status(Status.REQUEST_ENTITY_TOO_LARGE_413)
          .message("more bytes than any request needs")
          .setKeepAlive(false)
          .build();
    }
    return pulled;
  }

  /** {@return whether the peer has shown a certificate, which then is one that is trusted} */
  boolean isIdentified() {
    Boolean known = identified;
    if (known == null) {
      known = context.remotePeer().tlsCertificates().isPresent();
      identified = known;
    }
    return known;
  }

  /** The request is whole, or what is missing of it is not waited for. */
  void working() {
    become(At.WORKING);
  }

  /** The answer is about to be sent. */
  void answering() {
    become(At.ANSWERING);
  }

  /** What there was to send so far of an answer without end has been sent. */
  void streaming() {
    become(At.STREAMING);
  }

  /** The answer has been sent. */
  @SuppressWarnings("ThreadPriorityCheck") // nothing relies on it; it is for fairness alone
  void answered() {
    bytes = 0;
    if (++answers % ANSWERS_A_TURN == 0) {
      Thread.yield();
    }
    become(At.ANSWERED);
  }

  /**
   * Before the connection is closed, what is left of a body that was not read is to be taken in, as
   * far as it is no flood: closed with bytes unread, it would be reset, and the peer would lose the
   * answer.
   */
  void linger() {
    lingering = true;
  }

  private void throwAway() {
    become(At.LINGERING);
    try {
      for (int left = LINGERING_BYTES; left > 0; ) {
        left -= context.dataReader().readBuffer().available();
      }
    } catch (DataReader.InsufficientDataAvailableException | CloseConnectionException ended) {
      // The peer has closed its side, as it should, or the time was over.
    }
  }

  private void become(At next) {
    since = System.nanoTime();
    at = next;
  }

  /** {@return what the peer has been too slow with, or null} */
  @Nullable String overdue(long now) {
    // In this order: what is newer than the other makes it look too young, never too old.
    At state = at;
    long passed = now - since;
    return switch (state) {
      case IDLE -> passed > bounds.idle().toNanos() ? "idle" : null;
      case RECEIVING -> passed > bounds.receiving().toNanos() ? "slow-request" : null;
      case WORKING, STREAMING, ANSWERED, ENDED -> null;
      case ANSWERING -> passed > bounds.answering().toNanos() ? "slow-reader" : null;
      case LINGERING -> passed > LINGERING_NANOS ? "lingering" : null;
    };
  }

  /** Closes the connection from another thread, without another word. */
  void cutOff() {
    if (at == At.IDLE && !endIfIdle()) {
      // A request has come after all.
      return;
    }
    cutOff = true;
    interrupt();
  }

  /**
   * {@return whether the connection has ended, so that no request of it is handled any more; false
   * if one has begun}
   */
  private boolean endIfIdle() {
    return AT.compareAndSet(this, At.IDLE, At.ENDED) || at == At.ENDED;
  }

  private void interrupt() {
    Thread serving = thread;
    if (serving != null) {
      serving.interrupt();
    }
  }

  /**
   * {@return whether the connection was cut off, so that a failure to read or write is no fault}
   */
  boolean isCutOff() {
    return cutOff;
  }

  // ---------------------------------------------------------------------------------------------
  // The web server's side

  @Override
  public void handle(Limit limit) throws InterruptedException {
    thread = Thread.currentThread();
    all.add(this);
    try {
      ScopedValue.where(CURRENT, this)
          .call(() -> {
            http.handle(limit);
            return null;
          });
    } finally {
      if (lingering) {
        throwAway();
      }
      all.remove(this);
    }
  }

  @Override
  public Duration idleTime() {
    return http.idleTime();
  }

  /**
   * Closes the connection, unless told to interrupt only after the answer that is under way. The
   * web server's own way would be to interrupt whoever it believes to be waiting for a request, who
   * may just have got one: that would then be done and not answered, since the interrupt closes the
   * socket.
   */
  @Override
  public void close(boolean interrupt) {
    ending = true;
    if (interrupt) {
      http.close(true);
    } else if (endIfIdle()) {
      interrupt();
    }
  }

  @Override
  public DataReader dataReader() {
    return reader;
  }

  @Override
  public DataWriter dataWriter() {
    return context.dataWriter();
  }

  @Override
  public ListenerContext listenerContext() {
    return context.listenerContext();
  }

  @Override
  public ExecutorService executor() {
    return context.executor();
  }

  @Override
  public Router router() {
    return context.router();
  }

  @Override
  public Optional<ProxyProtocolData> proxyProtocolData() {
    return context.proxyProtocolData();
  }

  @Override
  public HelidonSocket serverSocket() {
    return context.serverSocket();
  }

  @Override
  public PeerInfo remotePeer() {
    return context.remotePeer();
  }

  @Override
  public PeerInfo localPeer() {
    return context.localPeer();
  }

  @Override
  public boolean isSecure() {
    return context.isSecure();
  }

  @Override
  public String socketId() {
    return context.socketId();
  }

  @Override
  public String childSocketId() {
    return context.childSocketId();
  }
}
