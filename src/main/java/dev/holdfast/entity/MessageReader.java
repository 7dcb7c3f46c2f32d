package dev.holdfast.entity;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonParser;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a {@link MessageWriter} wrote, of this version or a later one. Every count is held
 * against the bytes that are there before anything is made of it, and structs nest as deep as the
 * code that reads them, so damaged bytes cost no more than whole ones.
 *
 * <p>All methods throw {@link IllegalArgumentException} if the bytes are not of the form that is
 * asked for.
 */
final class MessageReader {

  private static final int FIRST_ROOM = 16;

  private final byte[] bytes;
  private int at;
  private int end;

  MessageReader(byte[] bytes) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** {@return whether the struct has further fields; one written by an earlier version may not} */
  boolean hasMore() {
    return at < end;
  }

  int count() {
    long value = varint();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("a count is too great");
    }
    return (int) value;
  }

  long number() {
    long value = varint();
    return (value >>> 1) ^ -(value & 1);
  }

  int integer() {
    long value = number();
    if (value != (int) value) {
      throw new IllegalArgumentException("a number is too great");
    }
    return (int) value;
  }

  boolean flag() {
    return switch (count()) {
      case 0 -> false;
      case 1 -> true;
      default -> throw new IllegalArgumentException("a flag is neither set nor not");
    };
  }

  long bits() {
    int from = take(Long.BYTES);
    return ByteBuffer.wrap(bytes, from, Long.BYTES).getLong();
  }

  String text() {
    return text(count());
  }

  @Nullable String textOrNull() {
    int more = count();
    return more == 0 ? null : text(more - 1);
  }

  Json.Obj object() {
    Json value = jsonOrNull();
    if (value == null) {
      return Json.Obj.empty();
    }
    if (value instanceof Json.Obj object) {
      return object;
    }
    throw new IllegalArgumentException("an object was expected");
  }

  @Nullable Json jsonOrNull() {
    int length = count();
    if (length == 0) {
      return null;
    }
    int from = take(length);
    try (JsonParser in = JsonText.FACTORY.createParser(bytes, from, length)) {
      in.nextToken();
      Json value = JsonText.read(in);
      if (in.nextToken() != null) {
        throw new IllegalArgumentException("more than one value of JSON");
      }
      return value;
    } catch (IOException e) {
      throw new IllegalArgumentException("not JSON", e);
    }
  }

  <T> T struct(Function<MessageReader, T> fields) {
    int length = count();
    int after = end;
    end = take(length) + length;
    at = end - length;
    T value = fields.apply(this);
    at = end;
    end = after;
    return value;
  }

  <T> List<T> list(Function<MessageReader, T> fields) {
    int count = count();
    if (count > end - at) {
      throw cutOff();
    }
    var items = new ArrayList<T>(Math.min(count, FIRST_ROOM));
    for (int i = 0; i < count; i++) {
      items.add(struct(fields));
    }
    return items;
  }

  private String text(int length) {
    int from = take(length);
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, length)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("a text is not UTF-8", e);
    }
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      byte next = bytes[take(1)];
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number does not end");
  }

  /** {@return where the next bytes begin, which are passed} */
  private int take(int length) {
    if (length > end - at) {
      throw cutOff();
    }
    int from = at;
    at += length;
    return from;
  }

  private static IllegalArgumentException cutOff() {
    return new IllegalArgumentException("the bytes end too early");
  }
}
