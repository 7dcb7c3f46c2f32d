package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** An HTTP client that holds every answer to the contract. Sends what it is told, even nonsense. */
final class Client {

  private static final int TIMEOUT_MILLIS = 20_000;
  private static final Contract CONTRACT = new Contract();

  private final int port;
  private final Set<Contract.Promise> kept = ConcurrentHashMap.newKeySet();

  Client(int port) {
    this.port = port;
  }

  /** {@return the promises of the contract that the answers so far kept} */
  Set<Contract.Promise> kept() {
    return kept;
  }

  Ask get(String target) {
    return new Ask("GET", target);
  }

  Ask put(String target) {
    return new Ask("PUT", target);
  }

  Ask post(String target) {
    return new Ask("POST", target);
  }

  Ask patch(String target) {
    return new Ask("PATCH", target);
  }

  Ask delete(String target) {
    return new Ask("DELETE", target);
  }

  Ask ask(String method, String target) {
    return new Ask(method, target);
  }

  /** Opens a session of a visitor. */
  String visitor() {
    return post("/v1/sessions").send(201).need("Session-Token");
  }

  /** Opens a session of a known user. */
  String session(String user) {
    return post("/v1/sessions")
        .json("{\"user\":\"%s\"}".formatted(user))
        .send(201)
        .need("Session-Token");
  }

  /** {@return the value of a counter or gauge of the server, 0 if it has none of that name} */
  double metric(String name) {
    return get("/metrics")
        .send(200)
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .sum();
  }

  Socket connect() throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    return socket;
  }

  /**
   * Sends bytes as they are and reads one answer, which is held to the contract.
   *
   * @return null if the connection was closed without an answer
   */
  @Nullable Received raw(byte[] bytes) {
    try (Socket socket = connect()) {
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
      Received received = Received.read(socket.getInputStream(), false);
      if (received != null) {
        String[] line = new String(bytes, StandardCharsets.ISO_8859_1).split("[ \r\n]", 3);
        kept.add(
            line.length == 3
                ? CONTRACT.check(line[0], line[1], received)
                : CONTRACT.check("", "", received));
      }
      return received;
    } catch (IOException reset) {
      return null;
    }
  }

  @Nullable Received raw(String text) {
    return raw(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** A request in the making. */
  final class Ask {
    private String method;
    private String target;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private byte @Nullable [] body;

    private Ask(String method, String target) {
      this.method = method;
      this.target = target;
      headers.put("Host", "localhost:" + port);
    }

    Ask header(String name, String value) {
      headers.put(name, value);
      return this;
    }

    Ask method(String other) {
      method = other;
      return this;
    }

    Ask without(String header) {
      headers.remove(header);
      return this;
    }

    Ask target(String other) {
      target = other;
      return this;
    }

    String target() {
      return target;
    }

    Ask token(String token) {
      return header("Session-Token", token);
    }

    Ask key(String key) {
      return header("Idempotency-Key", key);
    }

    Ask json(String json) {
      return body("application/json", json);
    }

    Ask mergePatch(String json) {
      return body("application/merge-patch+json", json);
    }

    Ask body(String contentType, String text) {
      return body(contentType, text.getBytes(StandardCharsets.UTF_8));
    }

    Ask body(String contentType, byte[] bytes) {
      body = bytes;
      return header("Content-Type", contentType);
    }

    Received send() {
      try (Socket socket = connect()) {
        socket.getOutputStream().write(bytes());
        socket.getOutputStream().flush();
        Received received = Received.read(socket.getInputStream(), method.equals("HEAD"));
        if (received == null) {
          throw new AssertionError(method + " " + target + " got no answer");
        }
        kept.add(CONTRACT.check(method, target, received));
        return received;
      } catch (IOException e) {
        throw new UncheckedIOException(method + " " + target, e);
      }
    }

    /**
     * Sends it on a connection that others may have been sent on.
     *
     * @return null if the connection was closed without an answer
     */
    @Nullable Received sendOn(Socket connection) {
      try {
        connection.getOutputStream().write(bytes());
        connection.getOutputStream().flush();
        return Received.read(connection.getInputStream(), method.equals("HEAD"));
      } catch (IOException reset) {
        return null;
      }
    }

    /** Sends it, and goes on reading what comes. */
    EventReader stream() throws IOException {
      Socket socket = connect();
      socket.getOutputStream().write(bytes());
      socket.getOutputStream().flush();
      return new EventReader(socket);
    }

    /** Sends it, and fails if the answer has another status. */
    Received send(int status) {
      Received received = send();
      assertThat(received.status()).as("%s %s → %s", method, target, received).isEqualTo(status);
      return received;
    }

    private byte[] bytes() {
      var head = new StringBuilder(method).append(' ').append(target).append(" HTTP/1.1\r\n");
      headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
      byte[] sent = body;
      if (sent != null) {
        head.append("Content-Length: ").append(sent.length).append("\r\n");
      }
      var bytes = new ByteArrayOutputStream();
      bytes.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
      if (sent != null) {
        bytes.writeBytes(sent);
      }
      return bytes.toByteArray();
    }
  }
}
