package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.journal.NodeId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
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
  void tellsWhoeverConnectsTheIdOfItsProcessAndEndsWithWhoSaysAnything() throws IOException {
    try (var stranger = greeted()) {
      stranger.getOutputStream().write(new byte[1_000]);
      assertThat(stranger.getInputStream().read()).isEqualTo(-1);
    } catch (SocketException reset) {
      // The other way to end it: not all was read.
    }
    try (var another = greeted()) {
      assertThat(another.isConnected()).isTrue();
    }
  }

  /** Who comes from one address takes no places of others'. */
  @Test
  void holdsSoManyConnectionsOfOneAddress() throws IOException {
    var open = new ArrayList<Socket>();
    try {
      for (int i = 0; i < 256; i++) {
        open.add(greeted());
      }
      try (var more = new Socket(LOOPBACK, own.port())) {
        assertThat(more.getInputStream().read()).isEqualTo(-1);
      }
      try (var other = new Socket()) {
        other.bind(new InetSocketAddress("127.0.0.2", 0));
        other.connect(new InetSocketAddress(LOOPBACK, own.port()));
        assertThat(other.getInputStream().readNBytes(21)).hasSize(21);
      }
      open.removeFirst().close();
      await()
          .until(() -> {
            try (var again = new Socket(LOOPBACK, own.port())) {
              return again.getInputStream().read() == 'h';
            }
          });
    } finally {
      for (Socket socket : open) {
        socket.close();
      }
    }
  }

  private Socket greeted() throws IOException {
    var socket = new Socket(LOOPBACK, own.port());
    socket.setSoTimeout(10_000);
    assertThat(new String(socket.getInputStream().readNBytes(21), StandardCharsets.US_ASCII))
        .isEqualTo("holdfast-wire/1 self\n");
    return socket;
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
