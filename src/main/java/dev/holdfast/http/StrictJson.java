package dev.holdfast.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads a request's body: exactly one JSON value in valid UTF-8, at most {@value #MAX_DEPTH} levels
 * deep, with numbers of at most {@value #MAX_NUMBER_LENGTH} characters and names of at most {@value
 * #MAX_NAME_LENGTH}, without duplicate names and without half surrogate pairs (which have no bytes
 * in UTF-8, so two such texts could become one). {@link JsonText} reads all of that back.
 */
final class StrictJson {

  static final int MAX_DEPTH = 64;
  static final int MAX_NUMBER_LENGTH = 1_000;
  static final int MAX_NAME_LENGTH = 50_000;

  private static final JsonFactory FACTORY =
      new JsonFactoryBuilder()
          // As many as are in use at a time, and not one for each connection's thread.
          .recyclerPool(JsonRecyclerPools.newConcurrentDequePool())
          // Names that come often are shared by a bounded table of the factory's own: callers must
          // not be able to fill the JVM's.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          // Other hashes meet here than where it is read again, so this would bound nothing.
          .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNumberLength(MAX_NUMBER_LENGTH)
                  .maxNameLength(MAX_NAME_LENGTH)
                  .build())
          .build();

  private StrictJson() {}

  /**
   * {@return the value}
   *
   * @throws Rejected with 400 if the bytes are none by the rules above
   */
  static Json read(byte[] bytes) {
    // Decoded here: the parser would guess UTF-16 and UTF-32, and lets overlong UTF-8 pass.
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.indexOf('\ufffd') >= 0
        && !Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
      throw new Rejected(ProblemType.MALFORMED_REQUEST, "The body is not valid UTF-8.");
    }
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() == null) {
        throw new Rejected(ProblemType.MALFORMED_REQUEST, "The body is empty.");
      }
      Json value = JsonText.read(parser);
      if (parser.nextToken() != null) {
        throw malformed("There is more than one JSON value", parser.currentTokenLocation());
      }
      return value;
    } catch (JsonProcessingException e) {
      throw malformed(
          "The body is not JSON, names a field twice, holds half a surrogate pair, or is over "
              + MAX_DEPTH
              + " levels deep",
          e.getLocation());
    } catch (IOException e) {
      throw new UncheckedIOException("reading from memory", e);
    }
  }

  private static Rejected malformed(String what, @Nullable JsonLocation where) {
    String place =
        where == null ? "" : ": line " + where.getLineNr() + ", column " + where.getColumnNr();
    return new Rejected(ProblemType.MALFORMED_REQUEST, what + place + ".");
  }
}
