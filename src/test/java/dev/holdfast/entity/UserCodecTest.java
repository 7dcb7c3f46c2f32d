package dev.holdfast.entity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.GoldenFile;
import dev.holdfast.cart.Cart;
import dev.holdfast.cart.Sku;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.json.Json;
import dev.holdfast.user.Event;
import dev.holdfast.user.Receipts;
import dev.holdfast.user.Session;
import dev.holdfast.user.User;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The golden files hold the payload of each version as it lies in journals. They may be added to,
 * never changed.
 */
final class UserCodecTest {

  @TestFactory
  Stream<DynamicTest> writesEveryEventAsItsGoldenFile() {
    return Samples.ENTRIES.entrySet().stream()
        .map(sample ->
            DynamicTest.dynamicTest(
                sample.getKey(),
                () -> {
                  JournalEvent written = UserCodec.encode(sample.getValue(), Samples.DEADLINE);
                  assertThat(written.name()).isEqualTo(sample.getKey());
                  assertThat(written.at()).isEqualTo(Samples.AT);
                  assertThat(written.deadline()).isEqualTo(Samples.DEADLINE);
                  assertThat(new String(written.payload(), UTF_8))
                      .isEqualTo(golden(sample.getKey()));
                }));
  }

  @TestFactory
  Stream<DynamicTest> readsEveryGoldenFile() {
    return Samples.ENTRIES.entrySet().stream()
        .map(sample ->
            DynamicTest.dynamicTest(
                sample.getKey(),
                () ->
                    assertThat(UserCodec.decode(stored(sample.getKey())))
                        .isEqualTo(sample.getValue())));
  }

  @Test
  void hasAGoldenFileForEveryKindOfEvent() {
    assertThat(
            Samples.ENTRIES.values().stream()
                .map(entry -> entry.event().getClass())
                .collect(Collectors.toSet()))
        .isEqualTo(Arrays.stream(Event.class.getPermittedSubclasses()).collect(Collectors.toSet()));
  }

  @Test
  void writesAndReadsASnapshotAsItsGoldenFile() throws IOException {
    assertThat(new String(UserCodec.encode(Samples.USER).payload(), UTF_8))
        .isEqualTo(golden("user.v1"));
    assertThat(UserCodec.decode(new JournalSnapshot("user.v1", golden("user.v1").getBytes(UTF_8))))
        .isEqualTo(Samples.USER);
  }

  @Test
  void writesAndReadsASnapshotOfAFrozenVisitorAsItsGoldenFile() throws IOException {
    assertThat(new String(UserCodec.encode(Samples.FROZEN).payload(), UTF_8))
        .isEqualTo(golden("user.v1.frozen"));
    assertThat(
            UserCodec.decode(
                new JournalSnapshot("user.v1", golden("user.v1.frozen").getBytes(UTF_8))))
        .isEqualTo(Samples.FROZEN);
  }

  @Test
  void makesNoSnapshotOfAStateThatTheJournalWouldNotTake() {
    var large = new Json.Text("x".repeat(JournalEvent.MAX_PAYLOAD));
    var session = Samples.USER.sessions().getFirst();
    var huge =
        new User(
            "ada",
            List.of(
                new Session(
                    session.id(), 1, true, Json.Obj.empty().with("x", large), 0, 0, 1, 1, 1)),
            Cart.empty(),
            1,
            0,
            0,
            0,
            0,
            null,
            Receipts.none());
    assertThat(UserCodec.encodeIfItFits(huge)).isNull();
    assertThat(UserCodec.encodeIfItFits(Samples.USER)).isEqualTo(UserCodec.encode(Samples.USER));
  }

  @Test
  void passesOverMembersThatALaterVersionAdded() {
    var later =
        event("cart.line-removed.v1", "{\"later\":{\"x\":[1]},\"sku\":\"shoe-42\",\"z\":null}");
    assertThat(UserCodec.decode(later).event())
        .isEqualTo(new Event.LineRemoved(new Sku("shoe-42")));
  }

  @Test
  void refusesAnEventOfAnUnknownName() {
    assertThatThrownBy(() -> UserCodec.decode(event("cart.blessed.v1", "{}")))
        .isInstanceOf(UserCodec.Undecodable.class)
        .hasMessageContaining("cart.blessed.v1");
  }

  @Test
  void refusesAPayloadThatIsNotOfItsForm() {
    for (String payload :
        new String[] {
          "", "{", "[]", "{}", "{\"sku\":7}", "{\"sku\":\"\"}", "{\"sku\":\"a\"", "\u0000"
        }) {
      assertThatThrownBy(() -> UserCodec.decode(event("cart.line-removed.v1", payload)))
          .as(payload)
          .isInstanceOf(UserCodec.Undecodable.class);
    }
  }

  @Test
  void refusesANumberThatDoesNotFit() {
    assertThatThrownBy(() ->
            UserCodec.decode(
                event(
                    "session.rotated.v1",
                    "{\"session\":\"" + Samples.SESSION + "\",\"generation\":9999999999}")))
        .isInstanceOf(UserCodec.Undecodable.class);
  }

  private static JournalEvent stored(String name) throws IOException {
    return event(name, golden(name));
  }

  private static JournalEvent event(String name, String payload) {
    return new JournalEvent(name, payload.getBytes(UTF_8), Samples.AT, Samples.DEADLINE);
  }

  private static String golden(String name) throws IOException {
    return GoldenFile.text(name + ".json");
  }
}
