package dev.holdfast.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads and writes {@link Json} values over Jackson's streaming parser and generator. */
public final class JsonText {

  /** The deepest nesting that is read; API documents allow 64, envelopes add a few levels. */
  private static final int MAX_DEPTH = 100;

  private static final int MAX_NUMBER_LENGTH = 1_000;

  /**
   * Far above what any request can hold. A name is measured here in bytes, where a journal or a
   * message is read, and in characters where a request is: nothing that was taken may be refused
   * when it is read back.
   */
  private static final int MAX_NAME_LENGTH = 64 << 20;

  /**
   * The one factory of the project, save for what callers send. Depth and number length are
   * bounded, and names are not interned. Names whose hashes meet are never refused: a caller can
   * choose them so, and what was taken must be read again; they only take longer. Buffers are
   * pooled: by its default each thread would have its own, and most threads here are short-lived.
   * It is for who reads an object to see that no member is named twice, as {@link #readObject}
   * does, at a small part of what the factory's way costs.
   */
  public static final JsonFactory FACTORY =
      new JsonFactoryBuilder()
          .recyclerPool(new PooledRecyclers())
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .disable(StreamWriteFeature.AUTO_CLOSE_CONTENT)
          .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNumberLength(MAX_NUMBER_LENGTH)
                  .maxNameLength(MAX_NAME_LENGTH)
                  .build())
          .build();

  private static final Pool<BoundedBuffer> BUFFERS = new Pool<>();

  /** Writes a text. */
  @FunctionalInterface
  public interface Writing {
    void to(JsonGenerator out) throws IOException;
  }

  private JsonText() {}

  /** {@return the text that is written, in UTF-8} */
  public static byte[] bytes(Writing writing) {
    return Objects.requireNonNull(bytes(writing, Integer.MAX_VALUE));
  }

  /** {@return the text that is written, in UTF-8, or null if it has more than so many bytes} */
  public static byte @Nullable [] bytes(Writing writing, int most) {
    BoundedBuffer kept = BUFFERS.take();
    BoundedBuffer buffer = kept == null ? new BoundedBuffer() : kept;
    buffer.begin(most);
    try (JsonGenerator out = FACTORY.createGenerator(buffer)) {
      writing.to(out);
    } catch (BoundedBuffer.TooLong e) {
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    byte[] text = buffer.toByteArray();
    if (buffer.isWorthKeeping()) {
      BUFFERS.give(buffer);
    }
    return text;
  }

  /**
   * Reads the value at the parser's current token and leaves the parser on the value's last token.
   *
   * @throws JsonProcessingException if the text is not JSON, is over the limits above, or names a
   *     member of an object twice
   */
  public static Json read(JsonParser in) throws IOException {
    JsonToken token = in.currentToken();
    if (token == null) {
      throw new JsonParseException(in, "a value is missing");
    }
    return switch (token) {
      case VALUE_NULL -> Json.Literal.NULL;
      case VALUE_TRUE -> Json.Literal.TRUE;
      case VALUE_FALSE -> Json.Literal.FALSE;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Json.Num(in.getText());
      case VALUE_STRING -> new Json.Text(whole(in, in.getText()));
      case START_ARRAY -> {
        var items = new ArrayList<Json>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
          items.add(read(in));
        }
        yield new Json.Array(items);
      }
      case START_OBJECT -> readObject(in);
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT ->
          throw new JsonParseException(in, "a value is missing");
    };
  }

  /**
   * Reads the object whose opening brace is the parser's current token.
   *
   * @throws JsonProcessingException if it is no object, is over the limits above, or names a member
   *     twice
   */
  public static Json.Obj readObject(JsonParser in) throws IOException {
    if (in.nextToken() == JsonToken.END_OBJECT) {
      return Json.Obj.empty();
    }
    var members = new SmallMap.Builder();
    do {
      String name = whole(in, in.currentName());
      in.nextToken();
      if (!members.add(name, read(in))) {
        throw new JsonParseException(in, "a member is named twice");
      }
    } while (in.nextToken() != JsonToken.END_OBJECT);
    return new Json.Obj(members.build());
  }

  /** Half a surrogate pair, which an escape can spell, has no form in UTF-8: refused. */
  private static String whole(JsonParser in, String text) throws IOException {
    if (!Json.isUnicode(text)) {
      throw new JsonParseException(in, "a string holds half a surrogate pair");
    }
    return text;
  }

  /**
   * Writes a value as its compact text, so that it takes {@link Json#size()} bytes.
   *
   * <p>Not string by string through the generator: where a pair of surrogates meets the end of its
   * buffer, it writes two escapes of six bytes each.
   */
  public static void write(Json value, JsonGenerator out) throws IOException {
    if (out.getOutputTarget() instanceof BoundedBuffer) {
      writeWhole(value.bytes(), out);
    } else {
      out.writeRawValue(value.toString());
    }
  }

  /**
   * Writes a value that is text already, in UTF-8.
   *
   * @param out one that {@link #bytes} has given
   */
  public static void writeWhole(byte[] text, JsonGenerator out) throws IOException {
    out.writeRawValue(""); // what separates it from the value before
    out.flush();
    ((BoundedBuffer) out.getOutputTarget()).write(text);
  }
}
