package dev.holdfast.http;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An answer as it came over the wire.
 *
 * @param headers by name in lower case
 */
record Received(int status, Map<String, List<String>> headers, String body) {

  static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  /** {@return the next answer of a connection, or null if it was closed instead} */
  static @Nullable Received read(InputStream in, boolean head) throws IOException {
    String statusLine = line(in);
    if (statusLine == null) {
      return null;
    }
    int status = Integer.parseInt(statusLine.split(" ", 3)[1]);
    var headers = new TreeMap<String, List<String>>();
    for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers
          .computeIfAbsent(
              line.substring(0, colon).toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
          .add(line.substring(colon + 1).strip());
    }
    if (status == 100) {
      return read(in, head);
    }
    if (!head && headers.containsKey("transfer-encoding")) {
      return new Received(status, headers, firstEvent(in));
    }
    int length =
        head || status == 204 || status == 304
            ? 0
            : Integer.parseInt(headers.getOrDefault("content-length", List.of("0")).getFirst());
    return new Received(status, headers, new String(in.readNBytes(length), StandardCharsets.UTF_8));
  }

  /** The beginning of a stream of events, up to its first event. */
  private static String firstEvent(InputStream in) throws IOException {
    var text = new StringBuilder();
    while (!text.toString().matches("(?s).*event: .*\n\n")) {
      text.append(chunk(in));
    }
    return text.toString();
  }

  /** {@return the next chunk of a body, empty at its end} */
  static String chunk(InputStream in) throws IOException {
    String size = line(in);
    if (size == null) {
      throw new IOException("the connection ended within a chunked body");
    }
    byte[] bytes = in.readNBytes(Integer.parseInt(size, 16));
    var _ = line(in);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static @Nullable String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    int c = in.read();
    if (c < 0) {
      return null;
    }
    for (; c >= 0 && c != '\n'; c = in.read()) {
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  @Nullable String header(String name) {
    List<String> values = headers.get(name.toLowerCase(Locale.ROOT));
    return values == null ? null : values.getFirst();
  }

  /** {@return the value of a header that must be there} */
  String need(String name) {
    String value = header(name);
    if (value == null) {
      throw new AssertionError("no " + name + " in " + this);
    }
    return value;
  }

  JsonNode json() {
    try {
      return MAPPER.readTree(body);
    } catch (IOException e) {
      throw new UncheckedIOException(body, e);
    }
  }

  /** {@return the last part of the problem's type} */
  String problem() {
    String type = json().path("type").asText();
    return type.substring(type.lastIndexOf(':') + 1);
  }
}
