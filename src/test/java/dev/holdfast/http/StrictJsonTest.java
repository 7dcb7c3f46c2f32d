package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import dev.holdfast.json.Json;
import dev.holdfast.json.JsonText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class StrictJsonTest {

  /** What is taken is journaled, and a user whose journal cannot be read is lost. */
  @ParameterizedTest
  @ValueSource(strings = {"a", "\u00e9", "\u20ac", "\ud800\udf48"})
  void takesNoNameThatCannotBeReadBack(String character) throws IOException {
    String longest = character.repeat(StrictJson.MAX_NAME_LENGTH / character.length());

    readsBack("{\"a\":{\"" + longest + "\":1}}");

    assertThatThrownBy(() -> read("{\"a\":{\"" + longest + character + "\":1}}"))
        .isInstanceOf(Rejected.class);
  }

  @Test
  void takesNothingElseThatCannotBeReadBack() throws IOException {
    int depth = StrictJson.MAX_DEPTH;
    readsBack("[".repeat(depth) + "]".repeat(depth));
    readsBack("[1" + "0".repeat(StrictJson.MAX_NUMBER_LENGTH - 1) + "]");
    readsBack("[\"" + "\u20ac".repeat(500_000) + "\"]");
  }

  private static void readsBack(String text) throws IOException {
    Json taken = read(text);
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator out = JsonText.FACTORY.createGenerator(bytes)) {
      JsonText.write(taken, out);
    }
    try (JsonParser in = JsonText.FACTORY.createParser(bytes.toByteArray())) {
      in.nextToken();
      assertThat(JsonText.read(in)).isEqualTo(taken);
    }
  }

  private static Json read(String text) {
    return StrictJson.read(text.getBytes(StandardCharsets.UTF_8));
  }
}
