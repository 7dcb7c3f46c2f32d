package dev.holdfast.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.Socket;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All open connections: makes each of them a watched one and cuts off those that are overdue. */
final class Connections implements ServerConnectionSelector, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
  private static final long LOOK_MILLIS = 250;

  private final ServerConnectionSelector http;
  private final HttpSettings.Bounds bounds;
  private final MeterRegistry metrics;
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();

  /** Those with TLS, by the thread that serves each. */
  private final Map<Thread, Secured> secured = new ConcurrentHashMap<>();

  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("http-connection-watch").factory());

  /**
   * @param http what speaks HTTP on each connection
   */
  Connections(ServerConnectionSelector http, HttpSettings.Bounds bounds, MeterRegistry metrics) {
    this.http = http;
    this.bounds = bounds;
    this.metrics = metrics;
    Gauge.builder("holdfast.http.connections", open, Set::size)
        .description("Open connections")
        .register(metrics);
  }

  void start() {
    var _ =
        watch.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void look() {
    try {
      long now = System.nanoTime();
      for (Connection connection : open) {
        String overdue = connection.overdue(now);
        if (overdue != null) {
          metrics.counter("holdfast.http.connections.cut.off", "reason", overdue).increment();
          connection.cutOff();
        }
      }
      lookAtHandshakes(now);
    } catch (RuntimeException e) {
      // Without this the executor would never look again.
      LOG.error("Looking for overdue connections failed", e);
    }
  }

  /** The socket below one with TLS, whose handshake began at a time of {@link System#nanoTime}. */
  private record Secured(Socket socket, long since, boolean begun) {}

  /** The current thread is about to do the handshake of a connection. */
  void handshake(Socket socket) {
    secured.put(Thread.currentThread(), new Secured(socket, System.nanoTime(), false));
  }

  /**
   * The web server watches no handshake; and where TLS itself has failed, it may leave the socket
   * open.
   */
  private void lookAtHandshakes(long now) {
    secured.forEach((thread, each) -> {
      if (!thread.isAlive()) {
        secured.remove(thread);
        close(each.socket());
      } else if (!each.begun() && now - each.since() > bounds.receiving().toNanos()) {
        metrics.counter("holdfast.http.connections.cut.off", "reason", "handshake").increment();
        close(each.socket());
      }
    });
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.debug("A connection could not be closed", e);
    }
  }

  void add(Connection connection) {
    open.add(connection);
    secured.computeIfPresent(
        Thread.currentThread(), (_, each) -> new Secured(each.socket(), each.since(), true));
  }

  void remove(Connection connection) {
    open.remove(connection);
  }

  @Override
  public void close() {
    watch.shutdownNow();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    return new Connection(context, http, bounds, this);
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return http.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http.supportedApplicationProtocols();
  }
}
