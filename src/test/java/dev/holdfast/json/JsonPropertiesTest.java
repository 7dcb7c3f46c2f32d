package dev.holdfast.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.ByteArrayOutputStream;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** What holds for every JSON value. */
@PropertyDefaults(tries = 500, edgeCases = EdgeCasesMode.NONE)
class JsonPropertiesTest {

  @Property
  void hasTheSizeOfItsTextInUtf8(@ForAll("values") Json value) {
    assertThat(value.size()).isEqualTo(value.toString().getBytes(UTF_8).length);
  }

  @Property
  void hasTheSizeOfItsTextEvenWhereSurrogatesAreUnpaired(@ForAll("anyStrings") String text) {
    var value = new Json.Text(text);

    assertThat(value.size()).isEqualTo(value.toString().getBytes(UTF_8).length);
  }

  @Property
  void isReadBackFromItsText(@ForAll("values") Json value) {
    assertThat(JsonValues.parse(value.toString())).isEqualTo(value);
  }

  @Property
  void isReadBackFromTheBytesWritten(@ForAll("values") Json value) throws IOException {
    assertThat(read(write(value))).isEqualTo(value);
  }

  @Property
  void isReadBackFromTheCharactersWritten(@ForAll("values") Json value) throws IOException {
    var out = new StringWriter();
    try (var generator = JsonText.FACTORY.createGenerator(out)) {
      JsonText.write(value, generator);
    }

    assertThat(JsonValues.parse(out.toString())).isEqualTo(value);
  }

  @Property
  void isWrittenAsItsCompactText(@ForAll("values") Json value) throws IOException {
    assertThat(new String(write(value), UTF_8)).isEqualTo(value.toString());
  }

  @Property(tries = 50)
  void isWrittenExactlyHoweverLongItIs(@ForAll("longStrings") String text) throws IOException {
    var value = new Json.Text(text);

    assertThat(write(value).length).isEqualTo(value.size());
    assertThat(read(write(value)).equals(value)).isTrue();
  }

  @Property
  void mergesAsTheRfcSays(@ForAll("objects") Json.Obj target, @ForAll("objects") Json.Obj patch) {
    assertThat(plain(target.merge(patch))).isEqualTo(mergePatch(plain(target), plain(patch)));
  }

  @Property
  void isNotChangedByTheSamePatchAgain(
      @ForAll("objects") Json.Obj target, @ForAll("objects") Json.Obj patch) {
    assertThat(target.merge(patch).merge(patch)).isEqualTo(target.merge(patch));
  }

  @Property(tries = 1000)
  void isReadFromAnyBytesOrRefused(@ForAll byte[] bytes) throws IOException {
    try {
      assertThat(read(bytes)).isNotNull();
    } catch (JsonProcessingException | CharConversionException refused) {
      assertThat(refused.getMessage()).isNotBlank();
    }
  }

  @Provide
  Arbitrary<String> anyStrings() {
    return JsonValues.anyStrings();
  }

  @Provide
  Arbitrary<Json> values() {
    return JsonValues.values();
  }

  @Provide
  Arbitrary<Json.Obj> objects() {
    return JsonValues.objects();
  }

  /** Longer than the buffers of parser and generator, at every alignment to them. */
  @Provide
  Arbitrary<String> longStrings() {
    return JsonValues.strings()
        .filter(text -> !text.isEmpty())
        .flatMap(text ->
            Arbitraries.integers()
                .between(0, 9_000)
                .map(length -> "x".repeat(length) + text.repeat(1 + 9_000 / text.length())));
  }

  /** The pseudo-code of RFC 7396, section 2, word for word. JSON null is Java's null. */
  private static @Nullable Object mergePatch(@Nullable Object target, @Nullable Object patch) {
    if (patch instanceof Map<?, ?> members) {
      var merged = new HashMap<Object, @Nullable Object>();
      if (target instanceof Map<?, ?> map) {
        merged.putAll(map);
      }
      members.forEach((name, value) -> {
        if (value == null) {
          merged.remove(name);
        } else {
          merged.put(name, mergePatch(merged.get(name), value));
        }
      });
      return merged;
    }
    return patch;
  }

  private static @Nullable Object plain(Json json) {
    return switch (json) {
      case Json.Literal literal -> literal == Json.Literal.NULL ? null : literal;
      case Json.Num number -> number;
      case Json.Text text -> text;
      case Json.Array array -> array;
      case Json.Obj object -> {
        var map = new HashMap<String, @Nullable Object>();
        object.members().forEach((name, value) -> map.put(name, plain(value)));
        yield map;
      }
    };
  }

  private static byte[] write(Json value) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var generator = JsonText.FACTORY.createGenerator(out)) {
      JsonText.write(value, generator);
    }
    return out.toByteArray();
  }

  private static Json read(byte[] bytes) throws IOException {
    try (var in = JsonText.FACTORY.createParser(bytes)) {
      in.nextToken();
      return JsonText.read(in);
    }
  }
}
