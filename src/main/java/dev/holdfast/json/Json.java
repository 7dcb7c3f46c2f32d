package dev.holdfast.json;

import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON value (RFC 8259), immutable and exact: members keep the order in which they were given,
 * numbers keep their literal, so a value is returned byte for byte as it was stored (white space
 * aside). Equality is by content, in which the order of members counts.
 */
public sealed interface Json {

  /** {@code null}, {@code true} and {@code false}. */
  enum Literal implements Json {
    NULL("null"),
    TRUE("true"),
    FALSE("false");

    private final String text;

    Literal(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * A number as the literal it was written with; {@code 1}, {@code 1.0} and {@code 1e0} differ.
   * Never converted to a float, so nothing is rounded and no exponent can exhaust memory.
   *
   * @param literal a literal by the grammar of RFC 8259, section 6
   */
  record Num(String literal) implements Json {
    @Override
    public String toString() {
      return literal;
    }
  }

  /** A string of any Unicode characters. */
  record Text(String value) implements Json {
    @Override
    public String toString() {
      return write(this);
    }
  }

  /** An array. */
  record Array(List<Json> items) implements Json {
    public Array {
      items = List.copyOf(items);
    }

    @Override
    public String toString() {
      return write(this);
    }
  }

  /** An object; its members keep their order. */
  record Obj(Map<String, Json> members) implements Json {
    private static final Obj EMPTY = new Obj(Map.of());

    public Obj {
      members = ordered(members);
    }

    /** The object without members; always the same instance, since most carts hold many of it. */
    public static Obj empty() {
      return EMPTY;
    }

    public boolean isEmpty() {
      return members.isEmpty();
    }

    public @Nullable Json get(String name) {
      return members.get(name);
    }

    /** This object with the member set; a known name keeps its place, a new one goes last. */
    public Obj with(String name, Json value) {
      var copy = new LinkedHashMap<>(members);
      copy.put(name, value);
      return new Obj(copy);
    }

    /** This object without the member; itself if there is none. */
    public Obj without(String name) {
      if (!members.containsKey(name)) {
        return this;
      }
      var copy = new LinkedHashMap<>(members);
      copy.remove(name);
      return copy.isEmpty() ? EMPTY : new Obj(copy);
    }

    /**
     * This object with a merge patch applied (RFC 7396): null removes, objects merge, else sets.
     */
    public Obj merge(Obj patch) {
      if (patch.isEmpty()) {
        return this;
      }
      var merged = new LinkedHashMap<>(members);
      for (var member : patch.members.entrySet()) {
        switch (member.getValue()) {
          case Literal literal when literal == Literal.NULL -> merged.remove(member.getKey());
          case Obj nested -> {
            Json old = merged.get(member.getKey());
            merged.put(member.getKey(), (old instanceof Obj base ? base : EMPTY).merge(nested));
          }
          case Json value -> merged.put(member.getKey(), value);
        }
      }
      return merged.isEmpty() ? EMPTY : new Obj(merged);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Obj that
          && members.equals(that.members)
          && List.copyOf(members.keySet()).equals(List.copyOf(that.members.keySet()));
    }

    @Override
    public int hashCode() {
      return members.hashCode();
    }

    @Override
    public String toString() {
      return write(this);
    }

    // Map.copyOf loses the order.
    private static Map<String, Json> ordered(Map<String, Json> members) {
      if (members instanceof SmallMap) {
        return members; // which nobody can change
      }
      return members.size() <= SmallMap.MAX_SIZE
          ? new SmallMap(members)
          : Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }
  }

  /** {@return the length of the compact JSON text of this value in UTF-8, in bytes} */
  default int size() {
    return switch (this) {
      case Literal literal -> literal.text.length();
      case Num number -> number.literal.length();
      case Text text -> textSize(text.value);
      case Array array -> {
        int size = 2 + Math.max(0, array.items.size() - 1);
        for (Json item : array.items) {
          size += item.size();
        }
        yield size;
      }
      case Obj object -> {
        int size = 2 + Math.max(0, object.members.size() - 1);
        for (var member : object.members.entrySet()) {
          size += textSize(member.getKey()) + 1 + member.getValue().size();
        }
        yield size;
      }
    };
  }

  /**
   * {@return whether every surrogate of the text has its other half, so that it has a UTF-8 form}
   */
  static boolean isUnicode(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isHighSurrogate(text.charAt(i))
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          return false;
        }
        i++;
      }
    }
    return true;
  }

  private static String write(Json value) {
    var out = new StringBuilder(256); // for the attributes of a line of a cart, and more as needed
    write(value, out);
    return out.toString();
  }

  private static void write(Json value, StringBuilder out) {
    switch (value) {
      case Literal literal -> out.append(literal.text);
      case Num number -> out.append(number.literal);
      case Text text -> writeText(text.value, out);
      case Array array -> {
        char separator = '[';
        for (Json item : array.items) {
          out.append(separator);
          write(item, out);
          separator = ',';
        }
        out.append(separator == '[' ? "[]" : "]");
      }
      case Obj object -> {
        char separator = '{';
        for (var member : object.members.entrySet()) {
          out.append(separator);
          writeText(member.getKey(), out);
          out.append(':');
          write(member.getValue(), out);
          separator = ',';
        }
        out.append(separator == '{' ? "{}" : "}");
      }
    }
  }

  private static void writeText(String text, StringBuilder out) {
    out.append('"');
    int written = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x20 && c != '"' && c != '\\' && !isHalfPair(text, i)) {
        continue;
      }
      out.append(text, written, i);
      written = i + 1;
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> out.append("\\u").append(HexFormat.of().withUpperCase().toHexDigits(c));
      }
    }
    out.append(text, written, text.length()).append('"');
  }

  private static int textSize(String text) {
    int size = 2;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t') {
        size += 2;
      } else if (c < 0x20 || isHalfPair(text, i)) {
        size += 6;
      } else if (c < 0x80) {
        size += 1;
      } else if (c < 0x800 || Character.isSurrogate(c)) {
        size += 2; // four bytes a pair
      } else {
        size += 3;
      }
    }
    return size;
  }

  /** {@return whether there is half a surrogate pair alone, which UTF-8 cannot say: escaped} */
  private static boolean isHalfPair(String text, int at) {
    char c = text.charAt(at);
    if (Character.isHighSurrogate(c)) {
      return at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1));
    }
    return Character.isLowSurrogate(c)
        && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }
}
