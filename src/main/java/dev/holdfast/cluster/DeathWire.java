package dev.holdfast.cluster;

import dev.holdfast.journal.NodeId;
import dev.holdfast.peer.Greeting;
import dev.holdfast.peer.PeerResponder;
import dev.holdfast.peer.Sockets;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections on which nothing is said but who is there, so that their end says something: the
 * kernel closes them when the process dies, however it dies, and nobody else does.
 *
 * <p>Each node listens on a port from before it joins until its process ends, and tells whoever
 * connects the id of its process. Each node holds a connection to every other. When one ends, the
 * address is tried again at once, and again: refusals come from a kernel in which nobody listens
 * any more, and a greeting tells whether the process is still the same. Silence, an unreachable
 * host or a time-out say nothing: {@link Sight}.
 *
 * <p>Whoever has something to say is handed on ({@link #handOn}), so that other connections between
 * nodes need no port of their own.
 *
 * <p>The threads are the platform's. Virtual ones share the processors' carriers with all requests,
 * and a node that is busy must not be slow to see that another is gone.
 */
final class DeathWire implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(DeathWire.class);

  /** Refusals in a row after which {@link Sight#REFUSED} is told. */
  static final int REFUSALS = 3;

  private static final int MOST_SAID = 256;
  private static final int MOST_CONNECTIONS = 4_096;

  /** So that one stranger alone cannot take the places of the other nodes. */
  private static final int MOST_CONNECTIONS_OF_ONE_ADDRESS = 256;

  private static final int GREETING_MILLIS = 1_000;

  /** Between attempts while the process may have died just now. */
  private static final Duration SOON = Duration.ofMillis(15);

  /** Between attempts otherwise. */
  private static final Duration LATER = Duration.ofMillis(250);

  private static final int ATTEMPTS_SOON = 40;

  /** So long nobody is let in after one who could not be. */
  private static final long NOT_ACCEPTED_NANOS = Duration.ofMillis(50).toNanos();

  private final NodeId self;
  private final ServerSocketChannel server;
  private final Selector selector;
  private final int port;
  private final Map<String, Session> sessions = new ConcurrentHashMap<>();
  private volatile @Nullable PeerResponder talk;

  private DeathWire(NodeId self, ServerSocketChannel server, Selector selector) throws IOException {
    this.self = self;
    this.server = server;
    this.selector = selector;
    this.port = ((InetSocketAddress) server.getLocalAddress()).getPort();
  }

  /**
   * Listens.
   *
   * @param host what to listen on
   * @param port likewise; 0 for any that is free
   * @throws IOException if the address cannot be had
   */
  static DeathWire open(String host, int port, NodeId self) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open();
    try {
      server.bind(new InetSocketAddress(host, port));
      server.configureBlocking(false);
      Selector selector = Selector.open();
      server.register(selector, SelectionKey.OP_ACCEPT);
      var wire = new DeathWire(self, server, selector);
      Thread.ofPlatform().daemon().name("holdfast-wire").start(wire::greet);
      return wire;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new IOException(
          "cannot listen on " + host + ":" + port + " for other nodes: " + e.getMessage(), e);
    }
  }

  int port() {
    return port;
  }

  /** From now on connections on which users are asked for go there. */
  void handOn(PeerResponder responder) {
    talk = responder;
  }

  // ---------------------------------------------------------------------------------------------
  // Being seen

  private void greet() {
    byte[] greeting = Greeting.of(self.value());
    ByteBuffer said = ByteBuffer.allocate(MOST_SAID);
    try {
      while (server.isOpen()) {
        selector.select();
        for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext(); ) {
          SelectionKey key = keys.next();
          keys.remove();
          if (key.isValid() && key.isAcceptable()) {
            accept(greeting);
          } else if (key.isValid()) {
            hear(key, (SocketChannel) key.channel(), said.clear());
          }
        }
      }
    } catch (IOException e) {
      LOG.error("other nodes cannot see any more that this one lives", e);
    } catch (ClosedSelectorException closed) {
      // The end.
    }
  }

  private void accept(byte[] greeting) {
    try {
      SocketChannel peer = server.accept();
      if (peer == null) {
        return;
      }
      InetAddress from = peer.socket().getInetAddress();
      if (selector.keys().size() > MOST_CONNECTIONS
          || connectionsFrom(from) >= MOST_CONNECTIONS_OF_ONE_ADDRESS) {
        peer.close();
        return;
      }
      try {
        peer.configureBlocking(false);
        Sockets.prepare(peer.socket());
        // So short that it fits into the buffer of any new connection.
        peer.write(ByteBuffer.wrap(greeting));
        peer.register(selector, SelectionKey.OP_READ, from);
      } catch (IOException e) {
        peer.close();
      }
    } catch (IOException e) {
      // Out of file handles, mostly: it still waits, so it would be tried again at once, and again.
      LOG.debug("a connection of another node could not be accepted", e);
      LockSupport.parkNanos(NOT_ACCEPTED_NANOS);
    }
  }

  private long connectionsFrom(InetAddress address) {
    return selector.keys().stream().filter(key -> address.equals(key.attachment())).count();
  }

  /** Who watches says nothing. Who says anything that nobody here is meant to hear must go. */
  private void hear(SelectionKey key, SocketChannel peer, ByteBuffer said) throws IOException {
    try {
      int length = peer.read(said);
      PeerResponder responder = talk;
      if (length > 0 && responder != null && PeerResponder.isHello(said.flip())) {
        key.cancel();
        responder.take(peer);
      } else if (length != 0) {
        peer.close();
      }
    } catch (IOException gone) {
      peer.close();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Seeing

  /**
   * Holds a connection to a process until {@link #forget}.
   *
   * @param told of each change of what is seen, and of each further refusal; on a thread of its own
   */
  void watch(String id, InetSocketAddress address, Consumer<Sight> told) {
    var session = new Session(id, address, told);
    if (sessions.putIfAbsent(id, session) == null) {
      Thread.ofPlatform().daemon().name("holdfast-wire-" + id).start(session);
    }
  }

  void forget(String id) {
    @Nullable Session session = sessions.remove(id);
    if (session != null) {
      session.close();
    }
  }

  /** One process that is watched. */
  private static final class Session implements Runnable {
    private final String id;
    private final InetSocketAddress address;
    private final Consumer<Sight> told;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable Socket socket;

    /** Whether there was a session with this very process. */
    private boolean established;

    private int refusals;
    private int attempts;

    Session(String id, InetSocketAddress address, Consumer<Sight> told) {
      this.id = id;
      this.address = address;
      this.told = told;
    }

    @Override
    public void run() {
      try {
        boolean goesOn = true;
        while (goesOn && closed.getCount() > 0) {
          goesOn = attempt();
          Duration pause = established && attempts < ATTEMPTS_SOON ? SOON : LATER;
          attempts++;
          if (goesOn && closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
            return;
          }
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("nobody interrupts this thread", e);
      }
    }

    /** {@return whether there is any use in another one} */
    private boolean attempt() {
      try (var connection = new Socket()) {
        socket = connection;
        Sockets.connect(connection, address);
        connection.setSoTimeout(GREETING_MILLIS);
        InputStream in = connection.getInputStream();
        String there = Greeting.read(in);
        refusals = 0;
        if (!there.equals(id)) {
          if (established) {
            tell(Sight.REPLACED);
          }
          return !established;
        }
        established = true;
        attempts = 0;
        tell(Sight.CONNECTED);
        connection.setSoTimeout(0);
        awaitEnd(in);
        tell(Sight.ENDED);
      } catch (ConnectException e) {
        refused(e);
      } catch (IOException nothing) {
        refusals = 0;
      }
      return true;
    }

    /** A kernel's refusal, or that of something that stands in for it. */
    private void refused(ConnectException e) {
      boolean timedOut = String.valueOf(e.getMessage()).contains("timed out");
      refusals = timedOut ? 0 : refusals + 1;
      if (established && refusals >= REFUSALS) {
        tell(Sight.REFUSED);
      }
    }

    private static void awaitEnd(InputStream in) {
      try {
        int nothing = in.read();
        while (nothing >= 0) {
          nothing = in.read();
        }
      } catch (IOException end) {
        // Reset: ended as well.
      }
    }

    private void tell(Sight sight) {
      if (closed.getCount() > 0) {
        told.accept(sight);
      }
    }

    void close() {
      closed.countDown();
      @Nullable Socket open = socket;
      if (open != null) {
        Sockets.close(open);
      }
    }
  }

  /** For tests with several nodes in one process; else the kernel does it. */
  @Override
  public void close() {
    if (!server.isOpen()) {
      return;
    }
    sessions.keySet().forEach(this::forget);
    try {
      server.close();
      for (SelectionKey key : selector.keys()) {
        key.channel().close();
      }
      selector.close();
    } catch (IOException e) {
      LOG.warn("the port for other nodes could not be given back", e);
    }
  }
}
