package dev.holdfast.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class JsonTextTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":}",
        "[1,]",
        "[1 2]",
        "]",
        "}",
        "nul",
        "NaN",
        "Infinity",
        "+1",
        "01",
        ".5",
        "1.",
        "0x10",
        "'a'",
        "{a:1}",
        "{1:1}",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "// comment\n1",
        "/* comment */ 1"
      })
  void refusesWhatIsNotJson(String text) {
    assertThatThrownBy(() -> read(text.getBytes(UTF_8)))
        .isInstanceOf(JsonProcessingException.class);
  }

  /** What was read from characters is read from bytes later, where other hashes meet. */
  @Test
  void readsNamesThatWereChosenSoThatTheirHashesMeet() throws IOException {
    var names = new ArrayList<String>();
    permute("preferences.", List.of("k3Qz", "9xPa", "Lm0w", "tR7e", "Yb2s", "Fh8u"), names);
    assertThat(names).hasSize(720);
    String text = names.stream().map(name -> '"' + name + "\":1").collect(joining(",", "{", "}"));

    Json read = read(text.getBytes(UTF_8));

    assertThat(read).isInstanceOf(Json.Obj.class);
    assertThat(((Json.Obj) read).members().keySet()).containsExactlyInAnyOrderElementsOf(names);
  }

  private static void permute(String begun, List<String> left, List<String> all) {
    if (left.isEmpty()) {
      all.add(begun);
    }
    for (String next : left) {
      permute(begun + next, left.stream().filter(each -> !each.equals(next)).toList(), all);
    }
  }

  @Test
  void refusesAMemberThatIsNamedTwice() throws IOException {
    assertThatThrownBy(() -> read("{\"a\":1,\"b\":{\"a\":1},\"a\":2}".getBytes(UTF_8)))
        .isInstanceOf(JsonProcessingException.class);
    assertThatThrownBy(() -> read("[{\"b\":{\"a\":null,\"\\u0061\":null}}]".getBytes(UTF_8)))
        .isInstanceOf(JsonProcessingException.class);
    assertThat(read("{\"a\":{\"a\":{\"a\":1}}}".getBytes(UTF_8))).isInstanceOf(Json.Obj.class);
  }

  /** Few members are gathered in another way than many. */
  @ParameterizedTest
  @ValueSource(ints = {1, 8, 9, 15, 16, 17, 100})
  void refusesAMemberThatIsNamedTwiceAmongAny(int members) throws IOException {
    String names =
        IntStream.range(0, members).mapToObj(i -> "\"" + i + "\":1").collect(joining(","));

    assertThat(((Json.Obj) read(("{" + names + "}").getBytes(UTF_8))).members()).hasSize(members);
    for (int i = 0; i < members; i++) {
      byte[] again = ("{" + names + ",\"" + i + "\":1}").getBytes(UTF_8);
      assertThatThrownBy(() -> read(again)).isInstanceOf(JsonProcessingException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\ud800\\udc00\"",
        "\"\\ud83dx\"",
        "[{\"\\ud800\":1}]"
      })
  void refusesHalfASurrogatePair(String text) {
    assertThatThrownBy(() -> read(text.getBytes(UTF_8)))
        .isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void readsAWholeSurrogatePairHoweverItIsSpelled() throws IOException {
    assertThat(read("\"\\ud83d\\ude00\"".getBytes(UTF_8)))
        .isEqualTo(read("\"😀\"".getBytes(UTF_8)))
        .isEqualTo(new Json.Text("😀"));
  }

  @Test
  void readsANestingOf100AndNoDeeper() throws IOException {
    assertThat(read(nested(100))).isInstanceOf(Json.Array.class);
    assertThatThrownBy(() -> read(nested(101))).isInstanceOf(JsonProcessingException.class);
    assertThatThrownBy(() -> read(nested(100_000))).isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void refusesANumberOfMoreThanAThousandDigits() {
    assertThatThrownBy(() -> read("9".repeat(1_001).getBytes(UTF_8)))
        .isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void neverComputesAHugeExponent() throws IOException {
    assertThat(read("1e999999999".getBytes(UTF_8))).isEqualTo(new Json.Num("1e999999999"));
  }

  @Test
  void writesATextUpToItsBoundAndNoLongerOne() {
    JsonText.Writing hundred = out -> out.writeString("x".repeat(98));
    assertThat(JsonText.bytes(hundred, 100)).hasSize(100);
    assertThat(JsonText.bytes(hundred, 99)).isNull();
    assertThat(JsonText.bytes(out -> out.writeNumber(1), 100)).asString(UTF_8).isEqualTo("1");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4_095, 4_096, 4_097, 100_000, 3_000_000})
  void writesATextOfAnyLength(int length) {
    String text = "x".repeat(length);
    assertThat(JsonText.bytes(out -> out.writeRaw(text))).asString(UTF_8).isEqualTo(text);
  }

  @Test
  void writesATextWhileItWritesAnother() {
    JsonText.Writing inner = out -> out.writeString("inner");
    assertThat(
            JsonText.bytes(out -> {
              out.writeStartArray();
              out.writeRawValue(new String(JsonText.bytes(inner), UTF_8));
              out.writeString("outer");
              out.writeEndArray();
            }))
        .asString(UTF_8)
        .isEqualTo("[\"inner\",\"outer\"]");
  }

  @Test
  void leavesNothingOfATextThatFailed() {
    assertThatThrownBy(() ->
            JsonText.bytes(out -> {
              out.writeRaw("half");
              throw new IOException("in between");
            }))
        .isInstanceOf(UncheckedIOException.class);
    assertThat(JsonText.bytes(out -> out.writeRaw("whole"))).asString(UTF_8).isEqualTo("whole");
  }

  private static byte[] nested(int depth) {
    return ("[".repeat(depth) + "]".repeat(depth)).getBytes(UTF_8);
  }

  private static Json read(byte[] bytes) throws IOException {
    try (var in = JsonText.FACTORY.createParser(bytes)) {
      in.nextToken();
      return JsonText.read(in);
    }
  }
}
