package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.journal.NodeId;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class DeathWireTest {

  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
  private static final NodeId OTHER = new NodeId("other");

  private final List<Sight> seen = new CopyOnWriteArrayList<>();
  private DeathWire own;

  @BeforeEach
  void open() throws IOException {
    own = DeathWire.open(LOOPBACK.getHostAddress(), 0, new NodeId("self"));
  }

  @AfterEach
  void close() {
    own.close();
  }

  @Test
  void seesThatAProcessIsThere() throws IOException {
    try (var other = DeathWire.open(LOOPBACK.getHostAddress(), 0, OTHER)) {
      watch(other.port());
      await().until(() -> seen.equals(List.of(Sight.CONNECTED)));
    }
  }

  @Test
  void seesTheEndAndThenRefusals() throws IOException {
    try (var other = DeathWire.open(LOOPBACK.getHostAddress(), 0, OTHER)) {
      watch(other.port());
      await().until(() -> seen.contains(Sight.CONNECTED));
    }
    await().until(() -> seen.contains(Sight.REFUSED));
    assertThat(List.copyOf(seen).subList(0, 3))
        .containsExactly(Sight.CONNECTED, Sight.ENDED, Sight.REFUSED);
  }

  @Test
  void seesAnotherProcessInThePlaceOfTheFirst() throws IOException {
    var other = DeathWire.open(LOOPBACK.getHostAddress(), 0, OTHER);
    int port = other.port();
    watch(port);
    await().until(() -> seen.contains(Sight.CONNECTED));
    other.close();
    try (var _ = DeathWire.open(LOOPBACK.getHostAddress(), port, new NodeId("its successor"))) {
      await().until(() -> seen.contains(Sight.REPLACED));
    }
  }

  @Test
  void saysNothingOfAProcessThatItNeverHadASessionWith() throws IOException {
    try (var stranger = DeathWire.open(LOOPBACK.getHostAddress(), 0, new NodeId("a stranger"))) {
      watch(stranger.port());
      // Asked at least twice meanwhile.
      await().pollDelay(Duration.ofMillis(600)).until(seen::isEmpty);
    }
    await().pollDelay(Duration.ofMillis(600)).until(seen::isEmpty);
  }

  @Test
  void takesSilenceForNoProof() throws IOException {
    try (var server = new ServerSocket(0, 50, LOOPBACK)) {
      watch(server.getLocalPort());
      try (Socket first = server.accept()) {
        first
            .getOutputStream()
            .write("holdfast-wire/1 other\n".getBytes(StandardCharsets.US_ASCII));
        await().until(() -> seen.contains(Sight.CONNECTED));
      }
      // From here on the kernel takes connections in, and nobody greets.
      await().until(() -> seen.contains(Sight.ENDED));
      await().pollDelay(Duration.ofMillis(1_500)).until(() -> seen.size() == 2);
    }
  }

  @Test
  void seesAgainWhoWasOnlyCutOff() throws IOException {
    try (var server = new ServerSocket(0, 50, LOOPBACK)) {
      watch(server.getLocalPort());
      for (int i = 0; i < 2; i++) {
        try (Socket session = server.accept()) {
          session
              .getOutputStream()
              .write("holdfast-wire/1 other\n".getBytes(StandardCharsets.US_ASCII));
          int sessions = i + 1;
          await().until(() -> seen.stream().filter(Sight.CONNECTED::equals).count() == sessions);
        }
      }
    }
    assertThat(List.copyOf(seen).subList(0, 3))
        .containsExactly(Sight.CONNECTED, Sight.ENDED, Sight.CONNECTED);
  }

  @Test
  void tellsWhoeverConnectsTheIdOfItsProcessAndListensToNobody() throws IOException {
    try (var stranger = new Socket(LOOPBACK, own.port())) {
      InputStream in = stranger.getInputStream();
      assertThat(new String(in.readNBytes(21), StandardCharsets.US_ASCII))
          .isEqualTo("holdfast-wire/1 self\n");
      for (int i = 0; i < 100; i++) {
        stranger.getOutputStream().write(new byte[1_000]);
      }
    }
    try (var another = new Socket(LOOPBACK, own.port())) {
      assertThat(another.getInputStream().readNBytes(21)).hasSize(21);
    }
  }

  @Test
  void forgetsWhoIsWatchedNoMore() throws IOException {
    var other = DeathWire.open(LOOPBACK.getHostAddress(), 0, OTHER);
    watch(other.port());
    await().until(() -> seen.contains(Sight.CONNECTED));
    own.forget("other");
    other.close();
    await().pollDelay(Duration.ofMillis(300)).until(() -> seen.size() == 1);
  }

  private void watch(int port) {
    own.watch("other", new InetSocketAddress(LOOPBACK, port), seen::add);
  }
}
