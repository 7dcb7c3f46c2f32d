package dev.holdfast.http;

import dev.holdfast.feed.LogUnavailable;
import dev.holdfast.http.Problem.Field;
import dev.holdfast.telemetry.Traces;
import io.helidon.http.DirectHandler;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.RequestException;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Takes every request from its raw path to its answer: what may come from a web page is refused
 * first, then come route, certificate, API key and its limit, token, {@code Accept} and {@code
 * handler}, in that order. A token that this cluster never gave out ends here and wakes no actor.
 */
final class Dispatcher {

  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private static final HeaderName HOLDFAST_NODE = HeaderNames.create("Holdfast-Node");
  private static final HeaderName HOLDFAST_OWNER = HeaderNames.create("Holdfast-Owner");
  private static final Header NO_STORE =
      HeaderValues.createCached(HeaderNames.CACHE_CONTROL, "no-store");

  private static final HeaderName REQUEST_ID = HeaderNames.create("X-Request-Id");
  private static final Pattern REQUEST_ID_FORM = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  /** The web server lets it pass. */
  private static final HeaderName NO_NAME = HeaderNames.create("");

  private static final long RETRY_MILLIS = TimeUnit.SECONDS.toMillis(1);

  private final Call.Server server;
  private final Routes routes;
  private final LoopbackRule loopbackRule;
  private final RateLimits rates;
  private final boolean certificates;
  private final RequestTimes times;
  private final Counter refusedTokens;
  private final Counter limited;

  private volatile boolean ending;

  Dispatcher(Call.Server server, Routes routes, RequestTimes times, MeterRegistry metrics) {
    var settings = server.settings();
    this.server = server;
    this.routes = routes;
    this.rates = new RateLimits(settings.requestsASecond());
    this.certificates = settings.tls() != null && settings.tls().asksForCertificates();
    this.loopbackRule = new LoopbackRule(settings.insecure());
    this.times = times;
    this.refusedTokens =
        Counter.builder("holdfast.http.tokens.refused")
            .description("Session tokens that this cluster never gave out")
            .register(metrics);
    this.limited =
        Counter.builder("holdfast.http.requests.limited")
            .description("Requests refused since their caller had sent too many")
            .register(metrics);
  }

  /** From now on each answer is the last on its connection. */
  void endsConnections() {
    ending = true;
  }

  /** Answers a request. */
  void handle(ServerRequest request, ServerResponse response) {
    MDC.put("request", requestId(request));
    try {
      dispatch(request, response);
    } finally {
      MDC.clear();
    }
  }

  /** The caller's, by which they find it in their own log, or a new one. */
  private static String requestId(ServerRequest request) {
    List<String> given = request.headers().all(REQUEST_ID, List::of);
    return given.size() == 1 && REQUEST_ID_FORM.matcher(given.getFirst()).matches()
        ? given.getFirst()
        : Long.toHexString(ThreadLocalRandom.current().nextLong());
  }

  private void dispatch(ServerRequest request, ServerResponse response) {
    long startedAt = System.nanoTime();
    Connection connection = Connection.current();
    Routes.Match match = null;
    @Nullable String ownersNode = null;
    ApiKeys.@Nullable Caller caller = null;
    Response answer;
    boolean last = ending || asksToClose(request);
    try {
      if (request.headers().contains(NO_NAME)) {
        last = true;
        throw new Rejected(ProblemType.MALFORMED_REQUEST, "A header has no name.");
      }
      loopbackRule.check(request, server.keys().current().configured());
      match = routes.find(request.prologue().method(), request.path().rawPath());
      Traces.name(match.route().method().text(), match.route().path());
      if (certificates && !match.route().isForProbes() && !connection.isIdentified()) {
        throw new Rejected(
            ProblemType.FORBIDDEN, "This server answers who shows a certificate that it trusts.");
      }
      try (Call call = enter(request, match)) {
        caller = call.caller();
        try {
          answer = match.route().handler().handle(call);
        } finally {
          ownersNode = call.ownersNode();
        }
      }
    } catch (Rejected rejected) {
      answer = Response.of(rejected.problem());
    } catch (LogUnavailable silent) {
      answer = Response.of(Problems.journalUnavailable().retryAfterMillis(RETRY_MILLIS));
    } catch (CloseConnectionException gone) {
      throw gone;
    } catch (RequestException unreadable) {
      answer = Response.of(problem(unreadable.status(), unreadable.getMessage()));
      last = true;
    } catch (RuntimeException bug) {
      if (connection.isCutOff()) {
        throw new CloseConnectionException("cut off while reading", bug);
      }
      LOG.error("{} failed", match == null ? "A request" : match.route().name(), bug);
      last = true;
      answer = Response.of(Problem.of(ProblemType.INTERNAL_ERROR));
    }
    if (request.headers().contains(HeaderNames.EXPECT) && !request.content().consumed()) {
      // Whether the body still comes is the caller's choice, so nothing can follow it.
      last = true;
    }
    if (match != null && match.route().audited()) {
      AuditTrail.note(
          caller, match.route().name(), match.parameters(), server.owners(), answer.status());
    }
    connection.answering();
    Response.Stream stream = answer.stream();
    if (stream == null) {
      send(request, response, answer, last, ownersNode);
      record(match, answer.status(), System.nanoTime() - startedAt);
    } else {
      record(match, answer.status(), System.nanoTime() - startedAt);
      try (stream) {
        send(request, response, answer, stream, last, ownersNode);
      } catch (IOException | UncheckedIOException gone) {
        throw new CloseConnectionException("the caller of a stream has left", gone);
      }
    }
    if (last) {
      // The web server would read on, and take the rest of an unread body for a request.
      if (!request.content().consumed()) {
        connection.linger();
      }
      throw new CloseConnectionException("the last answer has been sent");
    }
    connection.answered();
  }

  /** Most callers send no such header, and a look for its values is dear. */
  private static boolean asksToClose(ServerRequest request) {
    return request.headers().contains(HeaderNames.CONNECTION)
        && request.headers().containsToken(HeaderValues.CONNECTION_CLOSE);
  }

  private Call enter(ServerRequest request, Routes.Match match) {
    Route route = match.route();
    Scope scope = route.scope();
    ApiKeys.Caller caller = scope == null ? ApiKeys.ANYBODY : admitted(request, scope);
    SessionTokens.Token token = null;
    if (route.access() == Route.Access.SESSION) {
      String text = Call.header(request, Call.SESSION_TOKEN);
      token = server.tokens().read(text);
      if (token == null) {
        if (text != null) {
          refusedTokens.increment();
        }
        throw new Rejected(Problems.sessionInvalid());
      }
      MDC.put("owner", token.owner().toString());
    }
    if (request.prologue().fragment().hasValue()) {
      throw new Rejected(ProblemType.MALFORMED_REQUEST, "A request has no fragment.");
    }
    Query query = Query.parse(request.prologue().query().rawValue(), route.parameters());
    Call call = new Call(server, request, match, caller, token, query);
    call.accepted();
    if (route.access() == Route.Access.ANYBODY) {
      call.refuseBody();
    }
    return call;
  }

  private ApiKeys.Caller admitted(ServerRequest request, Scope scope) {
    ApiKeys.Caller caller =
        server.keys().current().caller(Call.header(request, HeaderNames.AUTHORIZATION), scope);
    long nanos = rates.take(caller.scope(), System.nanoTime());
    if (nanos > 0) {
      limited.increment();
      throw new Rejected(
          Problem.of(
                  ProblemType.RATE_EXCEEDED,
                  "This caller has sent more requests than it may. Nothing happened.")
              .retryAfterMillis(TimeUnit.NANOSECONDS.toMillis(nanos) + 1));
    }
    return caller;
  }

  private void send(
      ServerRequest request,
      ServerResponse response,
      Response answer,
      boolean last,
      @Nullable String ownersNode) {
    head(response, answer, last, ownersNode);
    if (request.prologue().method().equals(Method.HEAD)) {
      response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(answer.body().length));
      response.send();
    } else {
      response.send(answer.body());
    }
  }

  private void send(
      ServerRequest request,
      ServerResponse response,
      Response answer,
      Response.Stream stream,
      boolean last,
      @Nullable String ownersNode)
      throws IOException {
    head(response, answer, last, ownersNode);
    if (request.prologue().method().equals(Method.HEAD)) {
      response.send();
      return;
    }
    Connection connection = Connection.current();
    OutputStream out = response.outputStream();
    stream.run(bytes -> {
      connection.answering();
      out.write(bytes);
      out.flush();
      connection.streaming();
    });
    connection.answering();
    out.close();
    // Closing leaves the end of the body to the web server, which never comes to it after the last
    // answer of a connection.
    if (response instanceof RoutingResponse whole) {
      whole.commit();
    }
  }

  private void head(
      ServerResponse response, Response answer, boolean last, @Nullable String ownersNode) {
    response.status(Status.create(answer.status()));
    response.header(NO_STORE);
    response.header(HOLDFAST_NODE, server.settings().node());
    if (ownersNode != null) {
      response.header(HOLDFAST_OWNER, ownersNode);
    }
    if (answer.contentType() != null) {
      response.header(HeaderNames.CONTENT_TYPE, answer.contentType());
    }
    for (Field field : answer.headers()) {
      response.header(HeaderNames.create(field.name()), field.value());
    }
    if (last) {
      response.header(HeaderValues.CONNECTION_CLOSE);
    }
  }

  private void record(Routes.@Nullable Match match, int status, long nanos) {
    times.record(match == null ? null : match.route(), status, nanos);
  }

  // ---------------------------------------------------------------------------------------------
  // What the web server refuses by itself

  /** Answers a request that never reached a route, in the same words as all others. */
  DirectHandler.TransportResponse refuse(Status status, @Nullable String reason) {
    Response answer = Response.of(problem(status, reason));
    var headers = ServerResponseHeaders.create();
    headers.set(NO_STORE);
    headers.set(HOLDFAST_NODE, server.settings().node());
    if (answer.contentType() != null) {
      headers.set(HeaderNames.CONTENT_TYPE, answer.contentType());
    }
    for (Field field : answer.headers()) {
      headers.set(HeaderNames.create(field.name()), field.value());
    }
    record(null, answer.status(), 0);
    if (answer.status() != ProblemType.MALFORMED_REQUEST.status()) {
      // What is too large is still on its way.
      Connection.current().linger();
    }
    return DirectHandler.TransportResponse.builder()
        .status(Status.create(answer.status()))
        .headers(headers)
        .entity(answer.body())
        .keepAlive(false)
        .build();
  }

  /**
   * @param reason the web server's own; looked at, never told
   */
  private Problem problem(Status status, @Nullable String reason) {
    var bounds = server.settings().bounds();
    return switch (status.code()) {
      case 413 -> Call.tooLarge(bounds.bodyBytes()).problem();
      case 414 ->
          Problem.of(
              ProblemType.URI_TOO_LONG,
              "The request line may have " + bounds.requestLineBytes() + " bytes.");
      case 503 -> Problems.overloaded().retryAfterMillis(TimeUnit.SECONDS.toMillis(1));
      default ->
          // Faults of the parser are here too: what it cannot read is no request. The reason is the
          // only sign by which oversize headers are told apart from malformed ones.
          reason != null && reason.contains("Header size exceeded")
              ? Problem.of(
                  ProblemType.HEADERS_TOO_LARGE,
                  "The headers may have " + bounds.headerBytes() + " bytes.")
              : Problem.of(
                  ProblemType.MALFORMED_REQUEST, "This is no request by the rules of HTTP/1.1.");
    };
  }
}
