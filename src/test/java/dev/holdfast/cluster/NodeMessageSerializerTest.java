package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.GoldenFile;
import dev.holdfast.telemetry.Distribution;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.Histogram;
import dev.holdfast.telemetry.Histogram.Scale;
import java.io.IOException;
import java.io.NotSerializableException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
final class NodeMessageSerializerTest {

  private final NodeMessageSerializer serializer = new NodeMessageSerializer();

  private static final List<NodeMessage> MESSAGES =
      List.of(
          new NodeMessage.TellStatus(),
          new NodeMessage.Status("id", "http://127.0.0.1:1", 7, OptionalLong.of(3), 9, true),
          new NodeMessage.Status("id", null, 7, OptionalLong.empty(), 9, false),
          new NodeMessage.TellTakeovers(),
          new NodeMessage.Takeovers(
              List.of(
                  new Takeover(
                      "a", Tier.PROOF, Instant.ofEpochMilli(5), 33, Duration.ofMillis(800)),
                  new Takeover("b", Tier.RESOLVER, Instant.ofEpochMilli(6), 0, null))),
          new NodeMessage.TellWork(),
          new NodeMessage.Work(figures()),
          new NodeMessage.Drains("id"),
          new NodeMessage.Drain(),
          new NodeMessage.DrainBegins(),
          new NodeMessage.AskGrant("id", 8),
          new NodeMessage.Grant("id", 8),
          new NodeMessage.Refuse(List.of("a", "b")),
          new NodeMessage.Grants(77),
          new NodeMessage.TellSight("id"),
          new NodeMessage.Seen("by", "id", Sight.REFUSED));

  @Test
  void givesBackEachMessage() throws Exception {
    for (NodeMessage message : MESSAGES) {
      assertThat(serializer.fromBinary(serializer.toBinary(message), serializer.manifest(message)))
          .isEqualTo(message);
    }
  }

  /** The golden file may be added to, never changed: nodes of two versions talk to each other. */
  @Test
  void writesTheBytesOfTheGoldenFile() throws IOException {
    assertThat(
            MESSAGES.stream()
                .map(each ->
                    serializer.manifest(each)
                        + " "
                        + HexFormat.of().formatHex(serializer.toBinary(each))))
        .containsExactlyElementsOf(GoldenFile.lines("node-messages.v1.txt"));
  }

  @Test
  void understandsTheBytesOfTheGoldenFile() throws IOException {
    List<String> golden = GoldenFile.lines("node-messages.v1.txt");
    for (int i = 0; i < golden.size(); i++) {
      String[] line = golden.get(i).split(" ", -1);
      assertThat(serializer.fromBinary(HexFormat.of().parseHex(line[1]), line[0]))
          .isEqualTo(MESSAGES.get(i));
    }
  }

  private static Figures figures() {
    var times = new Histogram(Scale.NANOS);
    times.record(900_000);
    times.record(Duration.ofMinutes(1).toNanos());
    var sizes = new Histogram(Scale.COUNT);
    sizes.record(7);
    Distribution some = times.read();
    return new Figures(
        1,
        new Figures.Requests(some, Distribution.none(Scale.NANOS), 2, 3),
        new Figures.Journal(true, 4, 5, 6, some, sizes.read(), some),
        new Figures.Memory(7, 8, 9, 10));
  }

  @Test
  void refusesWhatItDoesNotKnowOrCannotRead() {
    assertThatThrownBy(() -> serializer.fromBinary(new byte[0], "status.v9"))
        .isInstanceOf(NotSerializableException.class);
    assertThatThrownBy(() -> serializer.fromBinary(new byte[3], "status.v1"))
        .isInstanceOf(NotSerializableException.class);
    assertThatThrownBy(() -> serializer.fromBinary(new byte[] {127, 0, 0, 0}, "takeovers.v1"))
        .isInstanceOf(NotSerializableException.class);
  }
}
