package dev.holdfast.json;

import static dev.holdfast.json.JsonValues.object;
import static dev.holdfast.json.JsonValues.parse;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Merge patch as RFC 7396 has it. */
@Timeout(10)
class MergePatchTest {

  /**
   * Appendix A of RFC 7396, each row one level deeper, where targets and patches may be anything.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a":"b"}         | {"a":"c"}                 | {"a":"c"}
          {"a":"b"}         | {"b":"c"}                 | {"a":"b","b":"c"}
          {"a":"b"}         | {"a":null}                | {}
          {"a":"b","b":"c"} | {"a":null}                | {"b":"c"}
          {"a":["b"]}       | {"a":"c"}                 | {"a":"c"}
          {"a":"c"}         | {"a":["b"]}               | {"a":["b"]}
          {"a":{"b":"c"}}   | {"a":{"b":"d","c":null}}  | {"a":{"b":"d"}}
          {"a":[{"b":"c"}]} | {"a":[1]}                 | {"a":[1]}
          ["a","b"]         | ["c","d"]                 | ["c","d"]
          {"a":"b"}         | ["c"]                     | ["c"]
          {"a":"foo"}       | "bar"                     | "bar"
          {"e":null}        | {"a":1}                   | {"e":null,"a":1}
          [1,2]             | {"a":"b","c":null}        | {"a":"b"}
          {}                | {"a":{"bb":{"ccc":null}}} | {"a":{"bb":{}}}
          """)
  void followsTheExamplesOfTheRfc(String original, String patch, String result) {
    Json.Obj target = Json.Obj.empty().with("at", parse(original));

    assertThat(target.merge(Json.Obj.empty().with("at", parse(patch))))
        .isEqualTo(Json.Obj.empty().with("at", parse(result)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a":"b"}         | {"a":"c"}                 | {"a":"c"}
          {"a":"b"}         | {"b":"c"}                 | {"a":"b","b":"c"}
          {"a":"b"}         | {"a":null}                | {}
          {"a":"b","b":"c"} | {"a":null}                | {"b":"c"}
          {"a":["b"]}       | {"a":"c"}                 | {"a":"c"}
          {"a":"c"}         | {"a":["b"]}               | {"a":["b"]}
          {"a":{"b":"c"}}   | {"a":{"b":"d","c":null}}  | {"a":{"b":"d"}}
          {"a":[{"b":"c"}]} | {"a":[1]}                 | {"a":[1]}
          {"e":null}        | {"a":1}                   | {"e":null,"a":1}
          {}                | {"a":{"bb":{"ccc":null}}} | {"a":{"bb":{}}}
          """)
  void followsTheExamplesOfTheRfcForWholeObjects(String original, String patch, String result) {
    assertThat(object(original).merge(object(patch))).isEqualTo(object(result));
  }

  @Test
  void removesTheMemberWhosePatchIsNull() {
    assertThat(object("{\"at\":{\"a\":\"foo\"}}").merge(object("{\"at\":null}")))
        .isSameAs(Json.Obj.empty());
  }

  @Test
  void keepsThePlaceOfAKnownMember() {
    assertThat(object("{\"a\":1,\"b\":2,\"c\":3}").merge(object("{\"d\":4,\"b\":5,\"a\":null}")))
        .hasToString("{\"b\":5,\"c\":3,\"d\":4}");
  }
}
