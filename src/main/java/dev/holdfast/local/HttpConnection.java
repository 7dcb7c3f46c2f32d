package dev.holdfast.local;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 connection for one thread, as little as a load generator needs: it shares the
 * processor with the server, so what it spends would be missing there.
 */
final class HttpConnection implements AutoCloseable {

  private static final int TIMEOUT_MILLIS = 30_000;
  private static final byte[] CONTENT_LENGTH = ascii("content-length:");
  private static final byte[] TRANSFER_ENCODING = ascii("transfer-encoding:");
  private static final byte[] SESSION_TOKEN = ascii("session-token:");

  private final String host;
  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;

  private byte[] buffer = new byte[16 * 1024];

  /** What was received and not read yet: from {@code start} up to {@code end}. */
  private int start;

  private int end;

  /** An answer. */
  static final class Response {
    private final int status;
    private final @Nullable String sessionToken;
    private final byte[] body;

    private Response(int status, @Nullable String sessionToken, byte[] body) {
      this.status = status;
      this.sessionToken = sessionToken;
      this.body = body;
    }

    int status() {
      return status;
    }

    /** {@return the header of that name, or null} */
    @Nullable String sessionToken() {
      return sessionToken;
    }

    byte[] body() {
      return body;
    }

    /** {@return whether these bytes are somewhere in the body} */
    boolean contains(byte[] part) {
      for (int i = 0; i <= body.length - part.length; i++) {
        if (Arrays.equals(body, i, i + part.length, part, 0, part.length)) {
          return true;
        }
      }
      return false;
    }

    @Override
    public String toString() {
      return status + " " + new String(body, StandardCharsets.UTF_8);
    }
  }

  HttpConnection(URI server) throws IOException {
    host = server.getAuthority();
    socket = new Socket();
    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()), TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    in = socket.getInputStream();
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
   * @throws IOException if the connection breaks, or the answer is none by HTTP/1.1
   */
  Response send(byte[] request) throws IOException {
    out.write(request);
    int length = -1;
    boolean chunked = false;
    @Nullable String token = null;
    int lineEnd = line();
    int status = number(start + 9, start + 12, 10);
    start = lineEnd;
    for (lineEnd = line(); lineEnd - start > 2; lineEnd = line()) {
      if (begins(CONTENT_LENGTH)) {
        length = number(start + CONTENT_LENGTH.length, lineEnd, 10);
      } else if (begins(SESSION_TOKEN)) {
        token = text(start + SESSION_TOKEN.length, lineEnd);
      } else if (begins(TRANSFER_ENCODING)) {
        chunked = text(start + TRANSFER_ENCODING.length, lineEnd).equals("chunked");
      }
      start = lineEnd;
    }
    start = lineEnd;
    if (chunked) {
      return new Response(status, token, chunks());
    }
    if (length < 0 && status != 204 && status != 304) {
      throw new IOException("an answer without a length: " + status);
    }
    return new Response(status, token, take(Math.max(0, length)));
  }

  private byte[] chunks() throws IOException {
    byte[] body = {};
    while (true) {
      int lineEnd = line();
      int size = number(start, lineEnd, 16);
      start = lineEnd;
      byte[] chunk = take(size);
      take(2); // the end of its last line
      if (size == 0) {
        return body;
      }
      int length = body.length;
      body = Arrays.copyOf(body, length + size);
      System.arraycopy(chunk, 0, body, length, size);
    }
  }

  private byte[] take(int length) throws IOException {
    while (end - start < length) {
      receive();
    }
    byte[] taken = Arrays.copyOfRange(buffer, start, start + length);
    start += length;
    return taken;
  }

  /** {@return the end of the line that begins at {@code start}, its line feed included} */
  private int line() throws IOException {
    int looked = 0;
    while (true) {
      for (int i = start + looked; i < end; i++) {
        if (buffer[i] == '\n') {
          return i + 1;
        }
      }
      looked = end - start;
      receive();
    }
  }

  /** Moves what is left to the front, and appends what comes. */
  private void receive() throws IOException {
    if (end == buffer.length || start == end) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      end -= start;
      start = 0;
      if (end == buffer.length) {
        buffer = Arrays.copyOf(buffer, 2 * end);
      }
    }
    int read = in.read(buffer, end, buffer.length - end);
    if (read < 0) {
      throw new EOFException("the connection ended");
    }
    end += read;
  }

  private boolean begins(byte[] name) {
    if (end - start < name.length) {
      return false;
    }
    for (int i = 0; i < name.length; i++) {
      byte b = buffer[start + i];
      if ((b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b) != name[i]) {
        return false;
      }
    }
    return true;
  }

  private String text(int from, int to) {
    return new String(buffer, from, to - from, StandardCharsets.ISO_8859_1).strip();
  }

  private int number(int from, int to, int radix) throws IOException {
    try {
      return Integer.parseInt(text(from, to), radix);
    } catch (NumberFormatException e) {
      throw new IOException("no answer by HTTP/1.1", e);
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
