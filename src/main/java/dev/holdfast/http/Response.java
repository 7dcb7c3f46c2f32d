package dev.holdfast.http;

import dev.holdfast.http.Problem.Field;
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

  private Response(int status, @Nullable String contentType, byte[] body, List<Field> headers) {
    this.status = status;
    this.contentType = contentType;
    this.body = body;
    this.headers = List.copyOf(headers);
  }

  static Response of(int status) {
    return new Response(status, null, NOTHING, List.of());
  }

  static Response of(int status, String contentType, byte[] body) {
    return new Response(status, contentType, body, List.of());
  }

  static Response json(int status, byte[] body) {
    return of(status, JSON, body);
  }

  static Response of(Problem problem) {
    return new Response(
        problem.type().status(), PROBLEM, WireJson.problem(problem), problem.headers());
  }

  Response with(String header, String value) {
    var more = new ArrayList<>(headers);
    more.add(new Field(header, value));
    return new Response(status, contentType, body, more);
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
