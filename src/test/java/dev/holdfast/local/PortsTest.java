package dev.holdfast.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which ports local nodes get. */
@Timeout(20)
class PortsTest {

  @Test
  void takesTheWantedPortOnceAndThenAnotherOne() throws IOException {
    var ports = new Ports();
    int wanted = new Ports().choose(0);
    assertThat(ports.choose(wanted)).isEqualTo(wanted);
    assertThat(ports.choose(wanted)).isNotEqualTo(wanted);
  }

  @Test
  void takesNoPortThatIsInUse() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.ofLiteral(LocalNode.HOST))) {
      assertThat(new Ports().choose(socket.getLocalPort())).isNotEqualTo(socket.getLocalPort());
    }
  }

  @Test
  void staysBelowThePortsOfOutgoingConnections() throws IOException {
    var ports = new Ports();
    var chosen = new HashSet<Integer>();
    for (int i = 0; i < 50; i++) {
      chosen.add(ports.choose(65_536));
    }
    assertThat(chosen).hasSize(50).allMatch(port -> port >= 20_000 && port < 32_000);
  }
}
