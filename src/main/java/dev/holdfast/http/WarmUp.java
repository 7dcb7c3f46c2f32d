package dev.holdfast.http;

import dev.holdfast.cluster.Users;
import dev.holdfast.user.OwnerKey;
import dev.holdfast.user.OwnerKeys;
import dev.holdfast.user.SessionId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a node that is about to serve the requests of some visitors who are none. A JVM that has
 * just started interprets most of what a request takes; where it then gets its whole share of the
 * cluster's requests at once, each of them waits for all of that to be compiled.
 *
 * <p>They go through the same web server, routes and ways to users as others do, but by a port of
 * the loopback that is there only meanwhile and that lets nobody else in: its API key and its token
 * key are known to nobody. The visitors are users to practise on; strangers, who were never there,
 * are asked for as well, of whichever node holds them, and refuse. So nothing is journaled, and
 * nothing counted.
 */
public final class WarmUp {

  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /** By then most of what there is to compile was compiled. */
  private static final int REQUESTS = 4_000;

  /** Few, since other nodes may share these processors. */
  private static final int VISITORS = 4;

  /** So that each of some nodes holds several. */
  private static final int STRANGERS = 64;

  private static final int KEY_BYTES = 32;

  /** For a user who does not answer, and for the server to stop. */
  private static final Duration PATIENCE = Duration.ofMillis(500);

  private static final String LINE =
      "{\"quantity\":2,\"unitPrice\":{\"amount\":\"12.30\",\"currency\":\"EUR\"}}";

  private final int port;
  private final String password;
  private final List<String> strangers;
  private final long end;
  private final AtomicInteger sent = new AtomicInteger();
  private final AtomicInteger visits = new AtomicInteger();

  private WarmUp(int port, String password, List<String> strangers, long end) {
    this.port = port;
    this.password = password;
    this.strangers = strangers;
    this.end = end;
  }

  /**
   * Returns when the node is warm, or soon after {@code longest}. Never fails: a node that is not
   * warm is slow for a while, and no more.
   *
   * @param settings how the API will be served
   * @param users those of the cluster
   * @param practice those to practise on
   */
  public static void run(HttpSettings settings, Users users, Users practice, Duration longest) {
    long began = System.nanoTime();
    var random = new SecureRandom();
    byte[] key = new byte[KEY_BYTES];
    random.nextBytes(key);
    String password = HexFormat.of().formatHex(key);
    random.nextBytes(key);
    var tokens = new SessionTokens(List.of(SessionTokens.Key.of(0, key)));
    Set<OwnerKey> strangers = new HashSet<>();
    List<String> strangersTokens = new ArrayList<>();
    for (int i = 0; i < STRANGERS; i++) {
      var owner = new OwnerKey(random.nextLong(), random.nextLong());
      var session = new SessionId(random.nextLong(), random.nextLong());
      strangers.add(owner);
      strangersTokens.add(tokens.write(new SessionTokens.Token(owner, session, 1)));
    }
    Users both =
        (owner, command, timeoutMillis) ->
            (strangers.contains(owner) ? users : practice).ask(owner, command, timeoutMillis);
    try (ApiServer.Listener listener = listen(settings, both, tokens, password)) {
      var warmUp =
          new WarmUp(
              listener.port(), password, strangersTokens, System.nanoTime() + longest.toNanos());
      List<Thread> visitors =
          Stream.generate(() -> Thread.startVirtualThread(warmUp::visit)).limit(VISITORS).toList();
      for (Thread visitor : visitors) {
        visitor.join();
      }
      LOG.info(
          "warm after {} requests of its own in {} ms",
          warmUp.sent.get(),
          Duration.ofNanos(System.nanoTime() - began).toMillis());
    } catch (IOException | RuntimeException e) {
      LOG.warn("this node begins to serve without having warmed up", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static ApiServer.Listener listen(
      HttpSettings settings, Users users, SessionTokens tokens, String password)
      throws IOException {
    byte[] hash = Hashes.sha256().digest(password.getBytes(StandardCharsets.UTF_8));
    List<ApiKey> nobodyElse = List.of(ApiKey.of(ApiKey.Kind.APPLICATION, hash));
    var own =
        new HttpSettings(
            settings.node(),
            InetAddress.getLoopbackAddress().getHostAddress(),
            0,
            new ApiKeys(nobodyElse, List.of()),
            0,
            null,
            false,
            settings.lifetimes(),
            settings.limits(),
            settings.bounds().within(PATIENCE));
    var shared =
        new Call.Server(
            own,
            new AcceptedKeys(own.keys()),
            users,
            tokens,
            OwnerKeys.plain(),
            new Semaphore(VISITORS));
    var uncounted = new SimpleMeterRegistry();
    var routes = new ArrayList<>(SessionRoutes.all());
    routes.addAll(CartRoutes.all());
    var dispatcher = new Dispatcher(shared, new Routes(routes), new RequestTimes(), uncounted);
    return ApiServer.listen(own, dispatcher, uncounted);
  }

  /** Visits the shop again and again. */
  private void visit() {
    try (var socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) PATIENCE.toMillis());
      socket.setTcpNoDelay(true);
      var visitor = new Visitor(socket);
      while (sent.get() < REQUESTS && System.nanoTime() - end < 0) {
        int visit = visits.getAndIncrement();
        String stranger = strangers.get(visit % strangers.size());
        String user = "{\"user\":\"visitor-" + visit + "\"}";
        String token = visitor.send("POST /v1/sessions", null, "{}");
        visitor.send("PATCH /v1/session/attributes", token, "{\"theme\":\"dark\"}");
        visitor.send("PUT /v1/cart/items/sku-1", token, LINE);
        visitor.send("GET /v1/session", stranger, null);
        visitor.send("PUT /v1/cart/items/sku-2", token, LINE);
        visitor.send("GET /v1/session", token, null);
        visitor.send("PUT /v1/cart/items/sku-1", stranger, LINE);
        visitor.send("GET /v1/cart", token, null);
        token = visitor.send("POST /v1/session/login", token, user);
        visitor.send("GET /v1/session", token, null);
        visitor.send("GET /v1/session", stranger, null);
        visitor.send("POST /v1/cart/checkout", token, "{}");
        visitor.send("DELETE /v1/session", token, null);
      }
    } catch (IOException e) {
      LOG.debug("a request of the warm-up had no answer", e);
    }
  }

  /** One connection of one who sends a request after the other. */
  private final class Visitor {
    private final Socket socket;
    private final InputStream in;

    Visitor(Socket socket) throws IOException {
      this.socket = socket;
      this.in = new BufferedInputStream(socket.getInputStream());
    }

    /** {@return the session token in the answer, or the one that was used} */
    String send(String what, @Nullable String token, @Nullable String body) throws IOException {
      sent.incrementAndGet();
      String type = what.startsWith("PATCH") ? "application/merge-patch+json" : "application/json";
      String text =
          what
              + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
              + password
              + (token == null ? "" : "\r\nSession-Token: " + token)
              + (body == null ? "" : "\r\nContent-Type: " + type)
              + "\r\nContent-Length: "
              + (body == null ? 0 : body.length())
              + "\r\n\r\n"
              + (body == null ? "" : body);
      socket.setSoTimeout(4 * (int) PATIENCE.toMillis());
      socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
      String answered = token == null ? "" : token;
      int length = 0;
      for (String line = line(); !line.isEmpty(); line = line()) {
        String name = line.substring(0, Math.max(0, line.indexOf(':'))).toLowerCase(Locale.ROOT);
        String value = line.substring(line.indexOf(':') + 1).strip();
        if (name.equals("content-length")) {
          length = Integer.parseInt(value);
        } else if (name.equals("session-token")) {
          answered = value;
        }
      }
      in.skipNBytes(length);
      return answered;
    }

    private String line() throws IOException {
      var line = new StringBuilder();
      for (int c = in.read(); c != '\n'; c = in.read()) {
        if (c < 0) {
          throw new EOFException("the answer has no end");
        }
        if (c != '\r') {
          line.append((char) c);
        }
      }
      return line.toString();
    }
  }
}
