package dev.holdfast.json;

import static dev.holdfast.json.JsonValues.object;
import static dev.holdfast.json.JsonValues.parse;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class JsonTest {

  @Test
  void keepsTheOrderOfMembers() {
    assertThat(object("{\"z\":1,\"a\":2,\"m\":3}")).hasToString("{\"z\":1,\"a\":2,\"m\":3}");
  }

  @Test
  void countsTheOrderOfMembersAsContent() {
    assertThat(object("{\"a\":1,\"b\":2}")).isNotEqualTo(object("{\"b\":2,\"a\":1}"));
    assertThat(object("{\"a\":1,\"b\":2}"))
        .isEqualTo(object("{\"a\":1,\"b\":2}"))
        .hasSameHashCodeAs(object("{\"a\":1,\"b\":2}"));
  }

  @Test
  void keepsTheLiteralOfANumber() {
    String numbers = "[1,1.0,1e0,-0,0.10,1E+400,12345678901234567890123]";

    assertThat(parse(numbers)).hasToString(numbers);
  }

  @Test
  void takesNumbersOfDifferentLiteralsForDifferent() {
    assertThat(parse("1")).isNotEqualTo(parse("1.0"));
  }

  @Test
  void setsAMemberInItsPlaceAndANewOneLast() {
    Json.Obj object = object("{\"a\":1,\"b\":2}");

    assertThat(object.with("a", parse("9"))).hasToString("{\"a\":9,\"b\":2}");
    assertThat(object.with("c", parse("9"))).hasToString("{\"a\":1,\"b\":2,\"c\":9}");
  }

  @Test
  void removesAMember() {
    Json.Obj object = object("{\"a\":1,\"b\":2}");

    assertThat(object.without("a")).hasToString("{\"b\":2}");
    assertThat(object.without("a").without("b")).isSameAs(Json.Obj.empty());
    assertThat(object.without("c")).isSameAs(object);
  }

  @Test
  void cannotBeChangedFromOutside() {
    var members = new LinkedHashMap<>(Map.of("a", parse("1"), "b", parse("2")));
    var object = new Json.Obj(members);
    members.clear();

    assertThat(object.members()).hasSize(2);
    assertThatThrownBy(() -> object.members().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void escapesWhatJsonTextMustNotHold() {
    assertThat(new Json.Text("\"\\/\b\f\n\r\t\0\u001f\u007f"))
        .hasToString("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\u007f\"");
  }
}
