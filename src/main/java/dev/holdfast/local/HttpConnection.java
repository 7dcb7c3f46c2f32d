package dev.holdfast.local;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 connection for one thread, as little as a load generator needs: it shares the
 * processor with the server, so what it spends would be missing there.
 */
final class HttpConnection implements AutoCloseable {

  private static final int TIMEOUT_MILLIS = 30_000;

  private final String host;
  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;

  /**
   * An answer.
   *
   * @param sessionToken the header of that name, or null
   */
  record Response(int status, @Nullable String sessionToken, String body) {}

  HttpConnection(URI server) throws IOException {
    host = server.getAuthority();
    socket = new Socket();
    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()), TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    in = new BufferedInputStream(socket.getInputStream(), 8192);
    out = socket.getOutputStream();
  }

  /** {@return the bytes of a request, to be sent as often as needed} */
  byte[] request(String method, String path, @Nullable String token, @Nullable String body) {
    var text = new StringBuilder();
    text.append(method).append(' ').append(path).append(" HTTP/1.1\r\nHost: ").append(host);
    if (token != null) {
      text.append("\r\nSession-Token: ").append(token);
    }
    if (body != null) {
      text.append("\r\nContent-Type: application/json\r\nContent-Length: ")
          .append(body.getBytes(StandardCharsets.UTF_8).length);
    }
    text.append("\r\n\r\n");
    if (body != null) {
      text.append(body);
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws IOException if the connection breaks, or the answer is not one with a known length
   */
  Response send(byte[] request) throws IOException {
    out.write(request);
    out.flush();
    String statusLine = line();
    int length = -1;
    String token = null;
    for (String header = line(); !header.isEmpty(); header = line()) {
      int colon = header.indexOf(':');
      String name = header.substring(0, colon).toLowerCase(Locale.ROOT);
      if (name.equals("content-length")) {
        length = Integer.parseInt(header.substring(colon + 1).strip());
      } else if (name.equals("session-token")) {
        token = header.substring(colon + 1).strip();
      }
    }
    int status = Integer.parseInt(statusLine, 9, 12, 10);
    if (length < 0) {
      if (status != 204) {
        throw new IOException("an answer without a length: " + statusLine);
      }
      length = 0;
    }
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new IOException("the connection ended within an answer");
    }
    return new Response(status, token, new String(body, StandardCharsets.UTF_8));
  }

  private String line() throws IOException {
    var line = new StringBuilder(80);
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("the connection ended");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
