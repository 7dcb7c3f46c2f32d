package dev.holdfast.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The head of an HTTP/1.1 message (RFC 9112), read to the letter: what two readers could understand
 * in two ways is refused.
 *
 * @param start the first line
 * @param fields as they came, in order
 */
record Head(String start, List<Field> fields) {

  /** A line of the head. */
  record Field(String name, String value) {
    boolean is(String other) {
      return name.equalsIgnoreCase(other);
    }
  }

  /** A message that cannot be read. */
  static class Malformed extends IOException {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }

  /** A head over its limit. */
  static final class TooLarge extends Malformed {
    private static final long serialVersionUID = 1;
    private final boolean firstLine;

    TooLarge(boolean firstLine) {
      super("the head is too large");
      this.firstLine = firstLine;
    }

    boolean isFirstLine() {
      return firstLine;
    }
  }

  private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";
  private static final boolean[] TOKEN = new boolean[128];

  static {
    for (int c = 0; c < TOKEN.length; c++) {
      TOKEN[c] =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || TOKEN_MARKS.indexOf(c) >= 0;
    }
  }

  Head {
    fields = List.copyOf(fields);
  }

  /**
   * Reads a head.
   *
   * @param to behind the empty line that ends it; every line in between ends in CRLF
   */
  static Head parse(byte[] bytes, int from, int to) throws Malformed {
    int end = lineEnd(bytes, from);
    String start = text(bytes, from, end);
    var fields = new ArrayList<Field>(16);
    for (int line = end + 2; line < to - 2; line = end + 2) {
      end = lineEnd(bytes, line);
      fields.add(field(bytes, line, end));
    }
    return new Head(start, fields);
  }

  private static int lineEnd(byte[] bytes, int from) {
    int end = from;
    while (bytes[end] != '\n') {
      end++;
    }
    return end - 1;
  }

  private static Field field(byte[] bytes, int from, int end) throws Malformed {
    int colon = from;
    while (colon < end && bytes[colon] >= 0 && TOKEN[bytes[colon]]) {
      colon++;
    }
    // White space here would begin a folded line, or stand between name and colon.
    if (colon == from || colon == end || bytes[colon] != ':') {
      throw new Malformed("a header has no name");
    }
    int first = colon + 1;
    int last = end;
    while (first < last && isSpace(bytes[first])) {
      first++;
    }
    while (last > first && isSpace(bytes[last - 1])) {
      last--;
    }
    return new Field(
        new String(bytes, from, colon - from, StandardCharsets.ISO_8859_1),
        text(bytes, first, last));
  }

  private static boolean isSpace(byte c) {
    return c == ' ' || c == '\t';
  }

  private static String text(byte[] bytes, int from, int to) throws Malformed {
    for (int i = from; i < to; i++) {
      int c = bytes[i] & 0xff;
      if ((c < ' ' && c != '\t') || c == 127) {
        throw new Malformed("there is a control character");
      }
    }
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }

  static boolean isToken(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c < TOKEN.length && TOKEN[c]);
  }

  /** {@return the values of all fields of that name} */
  List<String> all(String name) {
    var values = new ArrayList<String>(1);
    for (Field field : fields) {
      if (field.is(name)) {
        values.add(field.value());
      }
    }
    return values;
  }

  /** {@return the value of the first field of that name, or null} */
  @Nullable String first(String name) {
    for (Field field : fields) {
      if (field.is(name)) {
        return field.value();
      }
    }
    return null;
  }

  /** {@return whether a field that is a list, such as {@code Connection}, names this} */
  boolean lists(String name, String wanted) {
    for (Field field : fields) {
      if (field.is(name)) {
        for (String element : field.value().split(",", -1)) {
          if (element.strip().equalsIgnoreCase(wanted)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /** {@return the head as bytes, with the fields that are wanted and then some more} */
  byte[] bytes(String firstLine, Predicate<Field> wanted, String more) {
    var text = new StringBuilder(512).append(firstLine).append("\r\n");
    for (Field field : fields) {
      if (wanted.test(field)) {
        text.append(field.name()).append(": ").append(field.value()).append("\r\n");
      }
    }
    return text.append(more).append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
  }
}
