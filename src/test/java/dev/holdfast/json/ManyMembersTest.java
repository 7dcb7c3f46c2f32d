package dev.holdfast.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small and large objects are held in different ways and behave alike. */
@Timeout(10)
class ManyMembersTest {

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 15, 16, 17, 18, 100})
  void behaveLikeFew(int count) {
    var plain = new LinkedHashMap<String, Json>();
    for (int i = 0; i < count; i++) {
      plain.put("name-" + (count - i), new Json.Num("" + i));
    }
    var object = new Json.Obj(plain);

    assertThat(object.members()).isEqualTo(plain).hasSameHashCodeAs(plain);
    assertThat(plain).isEqualTo(object.members());
    assertThat(object.members().keySet()).containsExactlyElementsOf(plain.keySet());
    plain.forEach((name, value) -> {
      assertThat(object.get(name)).isEqualTo(value);
      assertThat(object.without(name).members()).hasSize(count - 1).doesNotContainKey(name);
      assertThat(object.with(name, Json.Literal.NULL).members()).hasSize(count);
      assertThat(object.without(name).with(name, value).equals(object))
          .as("the order counts")
          .isEqualTo(name.equals("name-1"));
    });
    assertThat(object.get("another")).isNull();
    assertThat(object.with("another", Json.Literal.NULL).without("another")).isEqualTo(object);
    assertThat(JsonValues.parse(object.toString())).isEqualTo(object);
  }
}
