package dev.holdfast.user;

import static dev.holdfast.user.Answered.assertRefused;
import static dev.holdfast.user.Device.view;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.json.Json;
import dev.holdfast.user.Command.Action;
import dev.holdfast.user.Refusal.Reason;
import java.util.LinkedHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class AttributesTest {

  private static final Json ONE = new Json.Num("1");
  private static final Json TWO = new Json.Num("2");

  private final LiveUser user = new LiveUser(new Time());
  private final Device device = user.opensFor("alice");

  @Test
  void setsAnAttribute() {
    assertThat(device.did(put("a", ONE)).outcome()).isEqualTo(Outcome.Created.created());
    assertThat(device.did(put("a", TWO)).outcome()).isEqualTo(Outcome.Changed.changed());
    assertThat(attributes()).hasToString("{\"a\":2}");
  }

  @Test
  void setsAnAttributeToNull() {
    device.did(put("a", Json.Literal.NULL));

    assertThat(attributes()).hasToString("{\"a\":null}");
    assertThat(device.did(put("a", ONE)).outcome()).isEqualTo(Outcome.Changed.changed());
  }

  @Test
  void removesAnAttribute() {
    device.did(put("a", ONE));

    assertThat(device.did(new Action.RemoveAttribute("a")).outcome())
        .isEqualTo(Outcome.Changed.changed());
    assertThat(attributes()).isSameAs(Json.Obj.empty());
    assertRefused(device.does(new Action.RemoveAttribute("a")), Reason.NO_SUCH_ATTRIBUTE);
  }

  @Test
  void mergesAPatch() {
    device.did(put("locale", new Json.Text("de")));
    device.did(put("consent", object("statistics", ONE).with("since", TWO)));
    device.did(put("banner", ONE));

    var done =
        device.did(
            new Action.MergeAttributes(
                object("consent", object("statistics", Json.Literal.NULL).with("maps", ONE))
                    .with("banner", Json.Literal.NULL)
                    .with("nothing", Json.Literal.NULL)
                    .with("new", object("x", Json.Literal.NULL))));

    assertThat(attributes())
        .hasToString("{\"locale\":\"de\",\"consent\":{\"since\":2,\"maps\":1},\"new\":{}}");
    assertThat(view(done).session().attributes()).isEqualTo(attributes());
  }

  @Test
  void journalsOnlyWhatAPatchChanges() {
    device.did(put("big", new Json.Text("x".repeat(10_000))));
    device.did(put("gone", ONE));

    device.did(new Action.MergeAttributes(object("small", ONE).with("gone", Json.Literal.NULL)));

    assertThat(user.lastEvents())
        .containsExactly(
            new Event.AttributesChanged(
                device.session(), object("small", ONE), java.util.List.of("gone")));
  }

  @Test
  void belongToOneSession() {
    Device other = user.opensFor("alice");
    device.did(put("a", ONE));

    assertThat(other.sees().session().attributes().isEmpty()).isTrue();
  }

  @Test
  void mayTakeAsManyBytesAsTheLimitAndNoMore() {
    // {"a":"…"}
    int room = 64 * 1024 - 8;
    device.did(put("a", new Json.Text("x".repeat(room))));

    assertRefused(device.does(put("a", new Json.Text("x".repeat(room + 1)))), Reason.TOO_LARGE);
    assertRefused(device.does(put("b", ONE)), Reason.TOO_LARGE);
    assertRefused(device.does(new Action.MergeAttributes(object("b", ONE))), Reason.TOO_LARGE);
    assertThat(attributes().size()).isEqualTo(64 * 1024);
    device.did(new Action.MergeAttributes(object("b", ONE).with("a", Json.Literal.NULL)));
    assertThat(attributes()).hasToString("{\"b\":1}");
  }

  @Test
  void areMeasuredInBytesOfUtf8() {
    assertRefused(device.does(put("a", new Json.Text("😀".repeat(16 * 1024)))), Reason.TOO_LARGE);
    device.did(put("a", new Json.Text("😀".repeat(16 * 1024 - 2))));
  }

  /** A patch of thousands of members must not copy all attributes for each. */
  @Test
  @Timeout(3)
  void takeAPatchOfThousandsOfMembersInItsStride() {
    var many = new LinkedHashMap<String, Json>();
    var none = new LinkedHashMap<String, Json>();
    for (int i = 0; i < 7_000; i++) {
      many.put(Integer.toString(i, 36), ONE);
      none.put(Integer.toString(i, 36), Json.Literal.NULL);
    }

    for (int i = 0; i < 5; i++) {
      device.did(new Action.MergeAttributes(new Json.Obj(many)));
      assertThat(attributes().members()).hasSize(7_000);
      device.did(new Action.MergeAttributes(new Json.Obj(none)));
      assertThat(attributes()).isSameAs(Json.Obj.empty());
    }
  }

  private Json.Obj attributes() {
    return device.sees().session().attributes();
  }

  private static Action put(String name, Json value) {
    return new Action.PutAttribute(name, value);
  }

  private static Json.Obj object(String name, Json value) {
    return Json.Obj.empty().with(name, value);
  }
}
