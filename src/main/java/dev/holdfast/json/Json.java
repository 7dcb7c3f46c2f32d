package dev.holdfast.json;

import java.nio.charset.StandardCharsets;
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

  /** {@return the compact JSON text of this value, in UTF-8} */
  default byte[] bytes() {
    byte[] text = new byte[size()];
    put(this, text, 0);
    return text;
  }

  private static String write(Json value) {
    return new String(value.bytes(), StandardCharsets.UTF_8);
  }

  /** {@return the place after the value} */
  private static int put(Json value, byte[] to, int from) {
    int at = from;
    switch (value) {
      case Literal literal -> at = putAscii(literal.text, to, at);
      case Num number -> at = putAscii(number.literal, to, at);
      case Text text -> at = putText(text.value, to, at);
      case Array array -> {
        to[at++] = '[';
        for (int i = 0; i < array.items.size(); i++) {
          if (i > 0) {
            to[at++] = ',';
          }
          at = put(array.items.get(i), to, at);
        }
        to[at++] = ']';
      }
      case Obj object -> {
        byte before = '{';
        for (var member : object.members.entrySet()) {
          to[at++] = before;
          at = putText(member.getKey(), to, at);
          to[at++] = ':';
          at = put(member.getValue(), to, at);
          before = ',';
        }
        if (object.isEmpty()) {
          to[at++] = '{';
        }
        to[at++] = '}';
      }
    }
    return at;
  }

  private static int putAscii(String text, byte[] to, int from) {
    int at = from;
    for (int i = 0; i < text.length(); i++) {
      to[at++] = (byte) text.charAt(i);
    }
    return at;
  }

  private static int putText(String text, byte[] to, int from) {
    int at = from;
    to[at++] = '"';
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isPlain(c)) {
        to[at++] = (byte) c;
      } else if (c < 0x20 || c == '"' || c == '\\' || isHalfPair(text, i)) {
        at = putAscii(escaped(c), to, at);
      } else if (c < 0x800) {
        to[at++] = (byte) (0xC0 | c >> 6);
        to[at++] = sixBits(c);
      } else if (!Character.isSurrogate(c)) {
        to[at++] = (byte) (0xE0 | c >> 12);
        to[at++] = sixBits(c >> 6);
        to[at++] = sixBits(c);
      } else {
        int point = text.codePointAt(i++);
        to[at++] = (byte) (0xF0 | point >> 18);
        to[at++] = sixBits(point >> 12);
        to[at++] = sixBits(point >> 6);
        to[at++] = sixBits(point);
      }
    }
    to[at++] = '"';
    return at;
  }

  /** {@return a byte of UTF-8 after the first one of a character, with the lowest bits} */
  private static byte sixBits(int bits) {
    return (byte) (0x80 | (bits & 0x3F));
  }

  /** {@return whether the character stands for itself, in one byte} */
  private static boolean isPlain(char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
  }

  private static String escaped(char c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> "\\u" + HexFormat.of().withUpperCase().toHexDigits(c);
    };
  }

  private static int textSize(String text) {
    int size = 2;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isPlain(c)) {
        size += 1;
      } else if (c < 0x20 || c == '"' || c == '\\' || isHalfPair(text, i)) {
        size += escaped(c).length();
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
