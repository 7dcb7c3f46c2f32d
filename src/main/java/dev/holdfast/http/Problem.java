package dev.holdfast.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An error on its way to the caller (RFC 9457).
 *
 * @param detail a sentence for the programmer who made the request, or null; our own words, never a
 *     library's, and never a secret
 * @param errors with {@link ProblemType#INVALID_FIELDS} only
 * @param headers that the status asks for, such as {@code Allow}
 */
record Problem(
    ProblemType type, @Nullable String detail, List<FieldError> errors, List<Field> headers) {

  /** A header of an answer. */
  record Field(String name, String value) {}

  Problem {
    errors = List.copyOf(errors);
    headers = List.copyOf(headers);
  }

  static Problem of(ProblemType type) {
    return new Problem(type, null, List.of(), List.of());
  }

  static Problem of(ProblemType type, String detail) {
    return new Problem(type, detail, List.of(), List.of());
  }

  static Problem invalid(List<FieldError> errors) {
    return new Problem(ProblemType.INVALID_FIELDS, null, errors, List.of());
  }

  Problem with(String header, String value) {
    var more = new ArrayList<>(headers);
    more.add(new Field(header, value));
    return new Problem(type, detail, errors, more);
  }

  /** This problem with the time after which a repeat makes sense, rounded up to whole seconds. */
  Problem retryAfterMillis(long millis) {
    return with("Retry-After", Long.toString(Math.clamp(Math.ceilDiv(millis, 1000L), 1, 999_999)));
  }
}
