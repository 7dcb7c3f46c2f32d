package dev.holdfast.http;

import dev.holdfast.http.Fields.Place;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The query parameters of a request: each at most once, and none that the operation does not take.
 * Whatever is wrong with their values is told at once, by {@link #end}.
 */
final class Query {

  private final Map<String, String> values;
  private final Place place = Place.body();

  private Query(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Reads a query.
   *
   * @param raw as it came, without the question mark
   * @param taken the names that the operation takes
   * @throws Rejected with 400 if it is not name=value pairs of those names, percent-encoded
   */
  static Query parse(String raw, Set<String> taken) {
    var values = new HashMap<String, String>();
    if (!raw.isEmpty()) {
      if (taken.isEmpty()) {
        throw new Rejected(ProblemType.MALFORMED_REQUEST, "This call takes no query parameters.");
      }
      for (String pair : raw.split("&", -1)) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        if (equals < 0 || !taken.contains(name)) {
          throw new Rejected(
              ProblemType.MALFORMED_REQUEST,
              "This call takes the query parameters "
                  + String.join(", ", taken.stream().sorted().toList())
                  + ", each with a value.");
        }
        if (values.put(name, PathSegment.decode(pair.substring(equals + 1))) != null) {
          throw new Rejected(
              ProblemType.MALFORMED_REQUEST, "The query parameter " + name + " is there twice.");
        }
      }
    }
    return new Query(values);
  }

  @Nullable String text(String name) {
    return values.get(name);
  }

  /** A whole number within bounds. */
  long number(String name, long least, long greatest, long otherwise) {
    String text = values.get(name);
    if (text == null) {
      return otherwise;
    }
    if (text.matches("0|[1-9][0-9]{0,17}")) {
      long number = Long.parseLong(text);
      if (number >= least && number <= greatest) {
        return number;
      }
    }
    wrong(name, "must be a whole number from " + least + " to " + greatest);
    return otherwise;
  }

  /** A duration, in milliseconds. */
  long duration(String name, long greatestMillis, long otherwise) {
    String text = values.get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      long millis = Durations.parse(text);
      if (millis <= greatestMillis) {
        return millis;
      }
      wrong(name, "must be at most " + Durations.text(greatestMillis));
    } catch (IllegalArgumentException e) {
      wrong(name, String.valueOf(e.getMessage()));
    }
    return otherwise;
  }

  /** A moment in RFC 3339, in milliseconds since 1970; null if it is not there. */
  @Nullable Long moment(String name) {
    String text = values.get(name);
    if (text == null) {
      return null;
    }
    try {
      return OffsetDateTime.parse(text).toInstant().toEpochMilli();
    } catch (DateTimeException | ArithmeticException e) {
      wrong(name, "must be a time such as 2026-03-01T09:30:00Z");
      return null;
    }
  }

  void wrong(String name, String problem) {
    place.member(name).wrong(problem);
  }

  /**
   * Refuses the request if anything was wrong.
   *
   * @throws Rejected with 422
   */
  void end() {
    place.end();
  }
}
