package dev.holdfast.http;

import dev.holdfast.http.Problem.Field;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is sent back, as a value. */
final class Response {

  static final String JSON = "application/json";
  private static final String PROBLEM = "application/problem+json";
  private static final byte[] NOTHING = {};

  private final int status;
  private final @Nullable String contentType;
  private final byte[] body;
  private final List<Field> headers;
  private final @Nullable Stream stream;

  /** A body that is written as it comes about, for as long as it takes. */
  interface Stream extends AutoCloseable {
    /**
     * Writes it.
     *
     * @throws IOException if the caller has left
     */
    void run(SessionStream.Sink sink) throws IOException;

    /** Lets go of it, written or not. */
    @Override
    void close();
  }

  private Response(
      int status,
      @Nullable String contentType,
      byte[] body,
      List<Field> headers,
      @Nullable Stream stream) {
    this.status = status;
    this.contentType = contentType;
    this.body = body;
    this.headers = List.copyOf(headers);
    this.stream = stream;
  }

  static Response of(String contentType, Stream stream) {
    return new Response(200, contentType, NOTHING, List.of(), stream);
  }

  static Response of(int status) {
    return new Response(status, null, NOTHING, List.of(), null);
  }

  static Response of(int status, String contentType, byte[] body) {
    return new Response(status, contentType, body, List.of(), null);
  }

  static Response json(int status, byte[] body) {
    return of(status, JSON, body);
  }

  static Response of(Problem problem) {
    return new Response(
        problem.type().status(), PROBLEM, WireJson.problem(problem), problem.headers(), null);
  }

  Response with(String header, String value) {
    var more = new ArrayList<>(headers);
    more.add(new Field(header, value));
    return new Response(status, contentType, body, more, stream);
  }

  /** {@return what writes the body; null where it is whole} */
  @Nullable Stream stream() {
    return stream;
  }

  int status() {
    return status;
  }

  /** {@return the media type of the body, or null where there is none} */
  @Nullable String contentType() {
    return contentType;
  }

  byte[] body() {
    return body;
  }

  /** {@return the headers besides those that every answer carries} */
  List<Field> headers() {
    return headers;
  }
}
