package dev.holdfast.http;

import dev.holdfast.cluster.Changes;
import dev.holdfast.cluster.Membership;
import dev.holdfast.cluster.Users;
import dev.holdfast.feed.EventLog;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.HistogramCollector;
import dev.holdfast.user.OwnerKeys;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.ErrorHandling;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnectionSelector;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.StandardSocketOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** Serves the HTTP API. */
public final class ApiServer implements AutoCloseable {

  private static final int RECEIVE_BUFFER = 64 * 1024;

  private final Listener listener;
  private final Dispatcher dispatcher;
  private final EventLog log;
  private final Streams streams;
  private final AcceptedKeys keys;
  private final RequestTimes times;

  private ApiServer(
      Listener listener,
      Dispatcher dispatcher,
      EventLog log,
      Streams streams,
      AcceptedKeys keys,
      RequestTimes times) {
    this.streams = streams;
    this.keys = keys;
    this.listener = listener;
    this.dispatcher = dispatcher;
    this.log = log;
    this.times = times;
  }

  /**
   * Listens, and returns when requests are answered.
   *
   * @param owners the owner keys of known users
   * @throws BindException if the address cannot be had; the message says why
   */
  public static ApiServer start(
      HttpSettings settings,
      Users users,
      Membership membership,
      EventLog log,
      Changes changes,
      SessionTokens tokens,
      OwnerKeys owners,
      Health health,
      PrometheusMeterRegistry metrics)
      throws BindException {
    var bounds = settings.bounds();
    requireFree(settings);
    var keys = new AcceptedKeys(settings.keys());
    var shared =
        new Call.Server(
            settings, keys, users, tokens, owners, new Semaphore(bounds.requestsInHand()));
    var streams = new Streams(users, changes, log, bounds, metrics);
    var times = new RequestTimes();
    metrics
        .getPrometheusRegistry()
        .register(
            new HistogramCollector(
                "holdfast_http_request_duration_seconds",
                "Requests, from their first line to their answer",
                times::byLabels));
    var dispatcher =
        new Dispatcher(
            shared, new Routes(routes(membership, log, streams, health, metrics)), times, metrics);
    Listener listener = listen(settings, dispatcher, metrics);
    return new ApiServer(listener, dispatcher, log, streams, keys, times);
  }

  /** Takes connections and has their requests answered, until it is closed. */
  record Listener(WebServer server, Connections connections) implements AutoCloseable {

    int port() {
      return server.port();
    }

    /** Finishes the requests in hand first. */
    @Override
    public void close() {
      server.stop();
      connections.close();
    }
  }

  static Listener listen(HttpSettings settings, Dispatcher dispatcher, MeterRegistry metrics)
      throws BindException {
    var bounds = settings.bounds();
    Http1Config http =
        Http1Config.builder()
            .maxPrologueLength(bounds.requestLineBytes())
            .maxHeadersSize(bounds.headerBytes())
            // Routes look at the raw path themselves.
            .validatePath(false)
            .sendKeepAliveHeader(false)
            .build();
    var connections =
        new Connections(Http1ConnectionSelector.builder().config(http).build(), bounds, metrics);
    var builder =
        webServer(connections)
            .host(settings.host())
            .port(settings.port())
            .maxTcpConnections(bounds.connections())
            // The web server's default of 4 KiB would slow every larger body down.
            .putListenerSocketOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER)
            .connectionOptions(options -> options.tcpNoDelay(true))
            .maxPayloadSize(bounds.bodyBytes())
            .shutdownGracePeriod(bounds.stopping())
            .directHandlers(refusals(dispatcher))
            .routing(routing(dispatcher));
    ServerTls tls = settings.tls();
    if (tls != null) {
      tls.beforeEachHandshake(connections::handshake);
      // With channels the web server asks the name service for each peer's name before it has read
      // a byte, and a thread of the platform waits for the answer.
      builder.useNio(false).tls(Tls.builder().sslContext(tls.context()).build());
      Gauge.builder(
              "holdfast.http.certificate.expiry.timestamp.seconds",
              tls,
              read -> read.expires().getEpochSecond())
          .description("When the certificate ends that the API is served with")
          .register(metrics);
    }
    WebServer server = builder.build();
    connections.start();
    server.start();
    if (!server.isRunning()) {
      connections.close();
      throw new BindException(
          "cannot listen on " + settings.host() + ":" + settings.port() + ": see the log");
    }
    return new Listener(server, connections);
  }

  /**
   * Loads the web server's classes, for which {@link #start} need not wait then. Listens to nobody;
   * for another thread, while the node finds its cluster.
   */
  public static void load() {
    var selector = Http1ConnectionSelector.builder().config(Http1Config.create()).build();
    var _ =
        webServer(selector)
            .routing(HttpRouting.builder().addFilter((chain, _, _) -> chain.proceed()))
            .build();
  }

  private static WebServerConfig.Builder webServer(ServerConnectionSelector connections) {
    return WebServer.builder()
        .shutdownHook(false)
        .featuresDiscoverServices(false)
        .protocolsDiscoverServices(false)
        .addConnectionSelector(connections)
        // The direct handlers are told the reason; they do not pass it on.
        .errorHandling(ErrorHandling.builder().includeEntity(true).build());
  }

  /**
   * The web server would only log that its address cannot be had, and return as if all was well.
   */
  private static void requireFree(HttpSettings settings) throws BindException {
    var address = new InetSocketAddress(settings.host(), settings.port());
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(address);
    } catch (IOException | RuntimeException e) {
      throw new BindException(
          "cannot listen on " + settings.host() + ":" + settings.port() + ": " + e.getMessage());
    }
  }

  /** A filter, not a route, since the web server's routes are found by the decoded path. */
  private static HttpRouting.Builder routing(Dispatcher dispatcher) {
    return HttpRouting.builder()
        .addFilter((_, request, response) -> dispatcher.handle(request, response));
  }

  private static DirectHandlers refusals(Dispatcher dispatcher) {
    DirectHandler handler =
        new DirectHandler() {
          @Override
          public TransportResponse handle(
              TransportRequest request,
              EventType type,
              Status status,
              ServerResponseHeaders headers,
              @Nullable String message) {
            return dispatcher.refuse(status, message);
          }
        };
    var handlers = DirectHandlers.builder();
    for (var type : DirectHandler.EventType.values()) {
      handlers.addHandler(type, handler);
    }
    return handlers.build();
  }

  /** {@return every operation of the API} */
  static List<Route> routes(
      Membership membership,
      EventLog log,
      Streams streams,
      Health health,
      PrometheusMeterRegistry metrics) {
    var routes = new ArrayList<Route>();
    routes.addAll(SessionRoutes.all());
    routes.add(streams.route());
    routes.addAll(UserRoutes.all());
    routes.addAll(CartRoutes.all());
    routes.addAll(AdminRoutes.all(membership));
    routes.addAll(UserAdminRoutes.all(log));
    routes.addAll(FeedRoutes.all(log));
    routes.addAll(ConsoleRoutes.all());
    routes.addAll(OperationsRoutes.all(health, metrics));
    return routes;
  }

  /** {@return the port that it listens on} */
  public int port() {
    return listener.port();
  }

  /**
   * From now on every answer is the last on its connection, so that callers who keep theirs open
   * turn to other nodes before this one stops, and no request meets a connection that is just being
   * closed.
   */
  public void endsConnections() {
    dispatcher.endsConnections();
  }

  /**
   * From now on these keys are the ones of their kind that are accepted.
   *
   * @throws IOException if there are none, but were: nobody is let in without a key who needed one
   */
  public void accept(ApiKey.Kind kind, List<ApiKey> others) throws IOException {
    keys.accept(kind, others);
    endRefusedStreams();
  }

  /** Ends the streams whose API key, or the key of whose token, is not accepted any more. */
  public void endRefusedStreams() {
    streams.endRefused();
  }

  /** {@return what applications have sent so far} */
  public Figures.Requests requests() {
    return times.ofApplications();
  }

  /** Takes no more requests, finishes those in hand, and stops listening. */
  @Override
  public void close() {
    streams.close();
    log.stopWaiting();
    endsConnections();
    listener.close();
  }
}
