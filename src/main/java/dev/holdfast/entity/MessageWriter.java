package dev.holdfast.entity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.json.Json;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes what messages are made of, each in one way only, so that equal values give equal bytes.
 *
 * <ul>
 *   <li><b>count</b>: not negative, seven bits a byte, the lowest first; the upper bit says that
 *       more follow
 *   <li><b>number</b>: signed, its sign moved to the lowest bit, then as a count
 *   <li><b>text</b>: a count of bytes, then UTF-8; where there may be none the count is one more,
 *       and 0 is none
 *   <li><b>JSON</b>: a count of bytes, then the compact text; no bytes stand for the empty object,
 *       or for none where there may be none
 *   <li><b>struct</b>: a count of bytes, then the fields in their order. Later versions add fields
 *       at the end only, which earlier ones pass over; what is missing there is its default
 * </ul>
 */
class MessageWriter {

  private static final int USUAL_SIZE = 256;

  private byte[] bytes = new byte[USUAL_SIZE];
  private int size;

  byte[] toBytes() {
    return Arrays.copyOf(bytes, size);
  }

  void count(int value) {
    room(5);
    varint(value);
  }

  void number(long value) {
    room(10);
    varint((value << 1) ^ (value >> (Long.SIZE - 1)));
  }

  void flag(boolean value) {
    count(value ? 1 : 0);
  }

  /** Eight bytes, the highest first. */
  void bits(long value) {
    room(Long.BYTES);
    for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      bytes[size++] = (byte) (value >>> shift);
    }
  }

  /**
   * Writes a text.
   *
   * @throws IllegalArgumentException if it holds half a surrogate pair, which no text that came in
   *     does
   */
  void text(String value) {
    raw(utf8(value), 0);
  }

  void textOrNull(@Nullable String value) {
    if (value == null) {
      count(0);
    } else {
      raw(utf8(value), 1);
    }
  }

  void object(Json.Obj value) {
    if (value.isEmpty()) {
      count(0);
    } else {
      text(value.toString());
    }
  }

  void jsonOrNull(@Nullable Json value) {
    if (value == null) {
      count(0);
    } else {
      text(value.toString());
    }
  }

  <T> void struct(T value, BiConsumer<MessageWriter, T> fields) {
    room(1);
    int start = ++size;
    fields.accept(this, value);
    endOfFields();
    int length = size - start;
    int more = varintSize(length) - 1;
    room(more);
    System.arraycopy(bytes, start, bytes, start + more, length);
    size = start - 1;
    varint(length);
    size += length;
  }

  <T> void list(List<T> items, BiConsumer<MessageWriter, T> fields) {
    count(items.size());
    for (T item : items) {
      struct(item, fields);
    }
  }

  /** Where a later version adds its fields. */
  void endOfFields() {}

  private void raw(byte[] value, int more) {
    count(value.length + more);
    room(value.length);
    System.arraycopy(value, 0, bytes, size, value.length);
    size += value.length;
  }

  private static byte[] utf8(String value) {
    if (!Json.isUnicode(value)) {
      throw new IllegalArgumentException("a text holds half a surrogate pair");
    }
    return value.getBytes(UTF_8);
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  private static int varintSize(int value) {
    return Math.max(1, (Integer.SIZE - Integer.numberOfLeadingZeros(value) + 6) / 7);
  }

  private void room(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, Math.addExact(size, more)));
    }
  }
}
