package dev.holdfast.local;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP/1.1 address before several nodes. It sends each request to one node that is ready, the
 * one with the fewest requests in hand, and never sends a request twice.
 */
public final class Front implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Front.class);
  private static final int CONNECTIONS = 10_000;
  private static final int BACKLOG = 1_024;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /**
   * A node behind it.
   *
   * @param address where it serves the API
   */
  public record Node(String name, InetSocketAddress address) {}

  private final ServerSocketChannel server;
  private final Watch watch = Watch.start();
  private final List<Backend> nodes;
  private final AtomicInteger turn = new AtomicInteger();
  private final Semaphore room = new Semaphore(CONNECTIONS);
  private final Set<FrontConnection> open = ConcurrentHashMap.newKeySet();
  private volatile @Nullable Aside aside;
  private volatile boolean stopping;

  /** What is not for the nodes, and who answers it. */
  private record Aside(String path, Backend backend) {}

  private Front(ServerSocketChannel server, List<Node> nodes, Runnable changed) {
    this.server = server;
    this.nodes =
        nodes.stream()
            .map(node -> new Backend(node.name(), node.address(), watch, changed))
            .toList();
  }

  /**
   * Listens, and looks for nodes that are ready.
   *
   * @param port 0 for any free one
   * @param changed told, on some thread, when a node has become ready or is so no more
   * @throws BindException if the address cannot be had; the message says why
   */
  public static Front start(String host, int port, List<Node> nodes, Runnable changed)
      throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open();
    try {
      server.bind(new InetSocketAddress(host, port), BACKLOG);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new BindException("cannot listen on " + host + ":" + port + ": " + e.getMessage());
    }
    var front = new Front(server, nodes, changed);
    front.nodes.forEach(Backend::start);
    Thread.ofVirtual().name("front-accept").start(front::accept);
    return front;
  }

  private void accept() {
    while (!stopping) {
      room.acquireUninterruptibly();
      try {
        serve(server.accept());
      } catch (AsynchronousCloseException closed) {
        room.release();
      } catch (ClosedChannelException closed) {
        room.release();
      } catch (IOException e) {
        // Out of file descriptors, most likely: what is open goes on, and some of it will end.
        room.release();
        LOG.warn("a connection could not be accepted", e);
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private void serve(SocketChannel channel) throws IOException {
    String caller = ((InetSocketAddress) channel.getRemoteAddress()).getAddress().getHostAddress();
    var connection = new FrontConnection(Wire.accepted(channel, watch), caller, this::choose);
    open.add(connection);
    if (stopping) {
      connection.stop();
    }
    Thread.ofVirtual()
        .name("front-connection")
        .start(() -> {
          try {
            connection.run();
          } finally {
            open.remove(connection);
            room.release();
          }
        });
  }

  /** Has requests for this path, and below it, answered by somebody else than the nodes. */
  void passes(String path, InetSocketAddress to) {
    aside = new Aside(path, new Backend(path, to, watch, () -> {}));
  }

  /** The least busy one; turns go round among equals. */
  private @Nullable Backend choose(FrontRequest request, Set<Backend> not) {
    Aside other = aside;
    if (other != null && request.isFor(other.path())) {
      return not.contains(other.backend()) ? null : other.backend();
    }
    int first = turn.getAndIncrement();
    Backend best = null;
    for (int i = 0; i < nodes.size(); i++) {
      Backend node = nodes.get(Math.floorMod(first + i, nodes.size()));
      if (node.isReady()
          && !not.contains(node)
          && (best == null || node.inHand() < best.inHand())) {
        best = node;
      }
    }
    return best;
  }

  /** {@return whether the node of that name said lately that it is ready} */
  public boolean isReady(String name) {
    return nodes.stream().anyMatch(node -> node.name().equals(name) && node.isReady());
  }

  /** The node of that name is gone, until it says again that it is ready. */
  void suspect(String name) {
    nodes.stream().filter(node -> node.name().equals(name)).forEach(Backend::suspect);
  }

  /** {@return where it listens, such as {@code http://127.0.0.1:8080}} */
  public URI url() {
    try {
      var address = (InetSocketAddress) server.getLocalAddress();
      String host = address.getAddress().getHostAddress();
      return URI.create(
          "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort());
    } catch (IOException e) {
      throw new IllegalStateException("the front is closed", e);
    }
  }

  /** Takes no more connections and requests; those in hand go on. */
  public void stop() {
    stopping = true;
    try {
      server.close();
    } catch (IOException e) {
      LOG.warn("the front's address could not be given back", e);
    }
    open.forEach(FrontConnection::stop);
  }

  /**
   * Waits for the requests in hand.
   *
   * @return whether there are none left
   */
  public boolean awaitIdle(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (!open.isEmpty() && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    return open.isEmpty();
  }

  /** Breaks off what is in hand. */
  @Override
  public void close() {
    stop();
    nodes.forEach(Backend::close);
    Aside other = aside;
    if (other != null) {
      other.backend().close();
    }
    watch.close();
  }
}
