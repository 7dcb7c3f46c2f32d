package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Somebody who reads a stream of server-sent events. */
final class EventReader implements AutoCloseable {

  /** One event of the stream. */
  record Told(@Nullable String id, String type, JsonNode data) {}

  private final Socket socket;
  private final InputStream in;
  private final StringBuilder text = new StringBuilder();
  private int comments;

  EventReader(Socket socket) throws IOException {
    this.socket = socket;
    this.in = socket.getInputStream();
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("no answer: " + head);
      }
      head.append((char) next);
    }
    assertThat(head.toString())
        .startsWith("HTTP/1.1 200 ")
        .containsIgnoringCase("content-type: text/event-stream");
  }

  /** {@return the next event; null when the stream has ended} */
  @Nullable Told nextOrEnd() throws IOException {
    while (true) {
      int end = text.indexOf("\n\n");
      if (end >= 0) {
        String block = text.substring(0, end);
        text.delete(0, end + 2);
        Told told = told(block);
        if (told != null) {
          return told;
        }
      } else {
        String chunk = Received.chunk(in);
        if (chunk.isEmpty()) {
          return null;
        }
        text.append(chunk);
      }
    }
  }

  Told next() throws IOException {
    Told told = nextOrEnd();
    if (told == null) {
      throw new AssertionError("the stream has ended");
    }
    return told;
  }

  List<Told> next(int count) throws IOException {
    var all = new ArrayList<Told>();
    for (int i = 0; i < count; i++) {
      all.add(next());
    }
    return all;
  }

  private @Nullable Told told(String block) {
    String id = null;
    String type = null;
    String data = null;
    for (String line : block.split("\n", -1)) {
      if (line.startsWith(":")) {
        comments++;
      } else if (line.startsWith("id: ")) {
        id = line.substring(4);
      } else if (line.startsWith("event: ")) {
        type = line.substring(7);
      } else if (line.startsWith("data: ")) {
        data = line.substring(6);
      }
    }
    try {
      return type == null || data == null
          ? null
          : new Told(id, type, Received.MAPPER.readTree(data.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new AssertionError(data, e);
    }
  }

  /** {@return how many signs of life came so far} */
  int comments() {
    return comments;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
