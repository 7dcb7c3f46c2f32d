package dev.holdfast.cluster;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.cluster.NodeStatus.State;
import dev.holdfast.cluster.SeveralNodes.Member;
import dev.holdfast.entity.Answer;
import dev.holdfast.http.TestAuthority;
import dev.holdfast.peer.Greeting;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.StreamSupport;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Strangers at the two ports that are between nodes. Whatever they send, the members stay who they
 * are and go on serving all users.
 */
@Timeout(120)
final class ClusterPortsTest {

  private static final int USERS = 30;
  private static final long SEED = 20_260_502;

  /** How a connection of Pekko's begins; the streams are control, ordinary and large messages. */
  private static final byte[] MAGIC = "AKKA".getBytes(US_ASCII);

  /** How one begins on which users are asked for, and the number of a question there. */
  private static final byte[] HELLO = "holdfast-users/1\n".getBytes(US_ASCII);

  private static final long NUMBER = 0x0102_0304_0506_0708L;

  private static final TestAuthority OURS = new TestAuthority("nodes");

  @TempDir private Path folder;
  private final Random random = new Random(SEED);
  private SeveralNodes nodes;
  private List<String> before = List.of();
  private int written;

  @BeforeEach
  void prepare() {
    nodes = new SeveralNodes();
  }

  @AfterEach
  void endAll() {
    nodes.close();
  }

  // ---------------------------------------------------------------------------------------------
  // In the clear: against strangers who do not speak the protocol. Those who do are kept off by
  // TLS.

  @Test
  void goOnThroughGarbage() throws IOException {
    List<Member> members = List.of(nodes.start("node-1"), nodes.start("node-2"));
    settle(members);
    for (Member member : members) {
      for (int port : ports(member)) {
        garbage(port);
      }
    }
    endsConnectionsOnWhichFramesLie(ports(members.getFirst()).getLast());
    unharmed(members);
  }

  private void garbage(int port) {
    for (int i = 0; i < 40; i++) {
      byte[] garbage = new byte[1 + random.nextInt(i % 8 == 0 ? 200_000 : 200)];
      random.nextBytes(garbage);
      throwAt(port, garbage);
    }
    throwAt(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(US_ASCII));
    throwAt(port, "holdfast-wire/1 another\n".repeat(1_000).getBytes(US_ASCII));
    throwAt(port, "AKKA".getBytes(US_ASCII));
    throwAt(port, HELLO);
  }

  /** To ask for users, by frames that are none. */
  private void endsConnectionsOnWhichFramesLie(int port) throws IOException {
    for (int length : new int[] {Integer.MIN_VALUE, -1, 0, 7, 70_000, Integer.MAX_VALUE}) {
      try (Socket asking = hello(port)) {
        asking.getOutputStream().write(question(length, new byte[200]));
        assertEnds(asking);
      }
    }
    try (Socket asking = hello(port)) {
      for (int i = 1; i <= 20; i++) {
        byte[] garbage = new byte[i * 10];
        random.nextBytes(garbage);
        asking.getOutputStream().write(question(Long.BYTES + garbage.length, garbage));
        // Told to ask by the other way: nothing was understood.
        var answer = new DataInputStream(asking.getInputStream());
        assertThat(answer.readInt()).isEqualTo(Long.BYTES + 1);
        assertThat(answer.readLong()).isEqualTo(NUMBER);
        assertThat(answer.readByte()).isEqualTo((byte) 3);
      }
    }
  }

  /** {@return a connection on which questions are waited for, in TLS where there is any} */
  private static Socket hello(int port) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(10_000);
    assertThat(Greeting.read(socket.getInputStream())).isNotEmpty();
    socket.getOutputStream().write(HELLO);
    assertThat(socket.getInputStream().readNBytes(HELLO.length)).isEqualTo(HELLO);
    return socket;
  }

  private static byte[] question(int length, byte[] content) {
    return ByteBuffer.allocate(Integer.BYTES + Long.BYTES + content.length)
        .putInt(length)
        .putLong(NUMBER)
        .put(content)
        .array();
  }

  /** Not just that nothing comes. */
  private static void assertEnds(Socket socket) throws IOException {
    try {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    } catch (SocketTimeoutException open) {
      throw new AssertionError("the connection is still open", open);
    } catch (IOException refused) {
      // The other way to say no.
    }
  }

  /** Connections that say that much is to come, and then nothing. */
  @Test
  @Tag("nightly")
  void goOnWhileManyConnectionsAreHeldOpen() throws Exception {
    List<Member> members = List.of(nodes.start("node-1"), nodes.start("node-2"));
    settle(members);
    var open = new ArrayList<Socket>();
    try {
      for (Member member : members) {
        for (int port : ports(member)) {
          for (int i = 0; i < 100; i++) {
            var socket = new Socket(InetAddress.getLoopbackAddress(), port);
            open.add(socket);
            socket.getOutputStream().write(frame((byte) (1 + i % 2), 200_000, new byte[10]));
          }
        }
      }
      unharmed(members);
    } finally {
      for (Socket socket : open) {
        socket.close();
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // With TLS

  /** Also what looks like the protocol, with lengths that lie: none of it gets through. */
  @Test
  void goOnThroughFramesThatLie() {
    TestAuthority.Issued files = OURS.issue("holdfast-nodes", "RSA", folder.resolve("nodes"));
    List<Member> members = List.of(secured("node-1", files), secured("node-2", files));
    settle(members);
    for (Member member : members) {
      int port = ports(member).getFirst();
      garbage(port);
      for (byte stream = -1; stream <= 4; stream++) {
        for (int length : new int[] {0, 1, 28, 100, 1 << 20, Integer.MAX_VALUE, -1, -4}) {
          byte[] content = new byte[Math.clamp(length, 0, 300)];
          random.nextBytes(content);
          throwAt(port, frame(stream, length, content));
        }
      }
    }
    unharmed(members);
  }

  /** Everything that was ever sent to a node is sent to it again, by somebody who has listened. */
  @Test
  void doNothingTwiceThatIsSentTwice() throws Exception {
    TestAuthority.Issued files = OURS.issue("holdfast-nodes", "RSA", folder.resolve("nodes"));
    int port = free();
    int wirePort = free();
    var direct = InetAddress.getByName("127.0.0.2");
    Member first = secured("node-1", files);
    try (var relay = new RecordingRelay(port, new InetSocketAddress(direct, port));
        var wireRelay = new RecordingRelay(wirePort, new InetSocketAddress(direct, wirePort))) {
      Member second = secured("node-2", "127.0.0.2", port, wirePort, files);
      List<Member> members = List.of(first, second);
      settle(members);
      for (int user = 0; user < USERS; user++) {
        SeveralNodes.open(first.node, 1_000 + user);
      }
      for (int user = 0; user < USERS; user++) {
        for (int times = 0; times < 3; times++) {
          SeveralNodes.open(first.node, 1_000 + user);
        }
      }
      List<byte[]> sent = relay.recorded();
      assertThat(sent.stream().mapToInt(each -> each.length).sum()).isGreaterThan(10_000);
      for (int times = 0; times < 3; times++) {
        for (byte[] connection : sent) {
          throwAt(new InetSocketAddress(direct, port), connection);
        }
        for (byte[] connection : wireRelay.recorded()) {
          throwAt(new InetSocketAddress(direct, wirePort), connection);
        }
      }
      unharmed(members);
      assertThat(wireRelay.recorded())
          .as("no user is named in the clear")
          .allSatisfy(each -> assertThat(new String(each, US_ASCII)).doesNotContain("user-"));
      assertThat(first.node.ways().peer()).as("users who were asked for at the wire").isPositive();
    }
  }

  @Test
  void letNobodyInWithoutACertificateOfTheirAuthority() throws Exception {
    TestAuthority.Issued files = OURS.issue("holdfast-nodes", "RSA", folder.resolve("nodes"));
    List<Member> members = List.of(secured("node-1", files), secured("node-2", files));
    settle(members);
    TestAuthority.Issued theirs =
        new TestAuthority("nodes").issue("holdfast-nodes", "RSA", folder.resolve("theirs"));
    for (Member member : members) {
      int port = ports(member).getFirst();
      throwAt(port, frame((byte) 1, 100, new byte[100]));
      for (SSLContext context : new SSLContext[] {trusting(null), trusting(theirs)}) {
        for (byte stream = 1; stream <= 3; stream++) {
          try (Socket socket = context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(frame(stream, 100, new byte[100]));
            assertEnds(socket);
          } catch (SocketException refused) {
            // Before all of it was sent.
          }
        }
      }
    }
    // A whole node of another owner, which knows the name of the cluster and where it is.
    Address seed = Cluster.get(Adapter.toClassic(members.getFirst().node.system())).selfAddress();
    ActorSystem<Void> stranger =
        ActorSystem.create(
            Behaviors.empty(),
            seed.system(),
            tls(theirs)
                .withFallback(
                    ConfigFactory.parseMap(
                        Map.of(
                            "pekko.remote.artery.canonical.hostname",
                            "127.0.0.1",
                            "pekko.remote.artery.canonical.port",
                            0)))
                .withFallback(ConfigFactory.load()));
    try {
      org.apache.pekko.cluster.typed.Cluster.get(stranger)
          .manager()
          .tell(new JoinSeedNodes(List.of(seed)));
      unharmed(members);
      assertThat(org.apache.pekko.cluster.typed.Cluster.get(stranger).state().getMembers())
          .isEmpty();
    } finally {
      stranger.terminate();
    }
  }

  @Test
  void letNobodyAskForUsersWithoutACertificateOfANode() throws Exception {
    var authority = TestAuthority.ofSubjects("nodes");
    TestAuthority.Issued files = authority.issue("holdfast-nodes", "RSA", folder.resolve("nodes"));
    Member member = secured("node-1", files);
    settle(List.of(member));
    int port = ports(member).getLast();
    // As a node would be let in: what follows does not fail for another reason.
    try (Socket socket = secured(port, trusting(files))) {
      assertThat(socket.getInputStream().readNBytes(HELLO.length)).isEqualTo(HELLO);
    }
    SSLContext[] strangers = {
      trusting(null),
      trusting(
          TestAuthority.ofSubjects("nodes")
              .issue("holdfast-nodes", "RSA", folder.resolve("theirs"))),
      trusting(authority.issue("another-service", "RSA", folder.resolve("another"))),
      trusting(
          authority.issue("holdfast-nodes", "RSA", Duration.ofDays(-1), folder.resolve("expired"))),
    };
    for (SSLContext stranger : strangers) {
      try (Socket socket = secured(port, stranger)) {
        assertEnds(socket);
      } catch (SSLException | SocketException refused) {
        // In the handshake already.
      }
    }
    // One that begins the handshake, and then a byte now and then, holds its place for seconds.
    try (Socket slow = hello(port)) {
      await()
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(250))
          .until(() -> {
            try {
              slow.getOutputStream().write(22); // its first byte
              return false;
            } catch (IOException closed) {
              return true;
            }
          });
    }
    // Without TLS, where it should begin.
    try (Socket socket = hello(port)) {
      socket.getOutputStream().write(question(100, new byte[100]));
      assertThat(socket.getInputStream().readAllBytes()).hasSizeLessThan(HELLO.length);
    } catch (SocketException refused) {
      // The other way to say no.
    }
    unharmed(List.of(member));
  }

  private static Socket secured(int port, SSLContext context) throws IOException {
    return context.getSocketFactory().createSocket(hello(port), "127.0.0.1", port, true);
  }

  @Test
  @Tag("nightly")
  void takeNewCertificatesWhileTheyRun() throws Exception {
    Path place = folder.resolve("nodes");
    TestAuthority.Issued files = OURS.issue("holdfast-nodes", "RSA", place);
    List<Member> members = List.of(secured("node-1", files), secured("node-2", files));
    settle(members);
    String first = serial(ports(members.getFirst()).getFirst());

    OURS.issue("holdfast-nodes", "RSA", place);

    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> {
          for (Member member : members) {
            assertThat(serial(ports(member).getFirst())).isNotEqualTo(first);
          }
        });
    var three = new ArrayList<>(members);
    three.add(secured("node-3", files));
    settle(three);
    unharmed(three);
  }

  private Member secured(String name, TestAuthority.Issued files) {
    return secured(name, "127.0.0.1", 0, 0, files);
  }

  private Member secured(
      String name, String bindHost, int port, int wirePort, TestAuthority.Issued files) {
    return nodes.start(
        new ClusterSettings.Place(
            name,
            "127.0.0.1",
            bindHost,
            port,
            wirePort,
            new ClusterSettings.Tls(files.certificate(), files.key(), files.authority())),
        List.of("key"),
        ConfigFactory.parseString(
            "pekko.remote.artery.ssl.rotating-keys-engine.ssl-context-cache-ttl = 1s"));
  }

  private static Config tls(TestAuthority.Issued files) {
    String engine = "pekko.remote.artery.ssl.rotating-keys-engine.";
    return ConfigFactory.parseMap(
        Map.of(
            "pekko.remote.artery.transport",
            "tls-tcp",
            "pekko.remote.artery.ssl.ssl-engine-provider",
            "org.apache.pekko.remote.artery.tcp.ssl.RotatingKeysSSLEngineProvider",
            engine + "cert-file",
            files.certificate().toString(),
            engine + "key-file",
            files.key().toString(),
            engine + "ca-cert-file",
            files.authority().toString()));
  }

  private static SSLContext trusting(TestAuthority.@Nullable Issued own) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own == null ? null : keys(own), new TrustManager[] {new TrustsAnybody()}, null);
    return context;
  }

  private static KeyManager[] keys(TestAuthority.Issued own) throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    var certificates = CertificateFactory.getInstance("X.509");
    X509Certificate certificate;
    try (var in = Files.newInputStream(own.certificate())) {
      certificate = (X509Certificate) certificates.generateCertificate(in);
    }
    String pem = Files.readString(own.key());
    byte[] key = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    store.setKeyEntry(
        "own",
        KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(key)),
        new char[0],
        new Certificate[] {certificate});
    var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, new char[0]);
    return factory.getKeyManagers();
  }

  /** {@return the serial number of the certificate that is shown at a port} */
  private static String serial(int port) throws Exception {
    var seen = new TrustsAnybody();
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {seen}, null);
    try (var socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
      socket.setSoTimeout(10_000);
      socket.startHandshake();
    } catch (IOException refused) {
      // It has shown its own by then.
    }
    return seen.serial;
  }

  private static final class TrustsAnybody implements X509TrustManager {
    private String serial = "";

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {
      serial = chain[0].getSerialNumber().toString();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  // ---------------------------------------------------------------------------------------------

  private void settle(List<Member> members) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() ->
            assertThat(members)
                .allSatisfy(member ->
                    assertThat(member.node.membership().nodes())
                        .hasSize(members.size())
                        .extracting(NodeStatus::state)
                        .containsOnly(State.UP)));
    before = members.stream().map(ClusterPortsTest::uniqueAddresses).toList();
  }

  /** For longer than a node needs to exclude another. */
  private void unharmed(List<Member> members) {
    await()
        .during(Duration.ofSeconds(5))
        .atMost(Duration.ofSeconds(40))
        .pollInterval(Duration.ofMillis(250))
        .untilAsserted(() -> {
          assertThat(members).noneMatch(member -> member.halted.get());
          assertThat(members.stream().map(ClusterPortsTest::uniqueAddresses).toList())
              .isEqualTo(before);
          for (Member member : members) {
            assertThat(member.node.mayAnswer()).isTrue();
          }
        });
    for (Member member : members) {
      for (int user = 0; user < USERS; user++) {
        int number = written++;
        var owner = SeveralNodes.open(member.node, number);
        assertThat(SeveralNodes.look(member.node, owner, number))
            .isInstanceOf(Answer.Answered.class);
      }
    }
  }

  private static String uniqueAddresses(Member member) {
    return StreamSupport.stream(
            Cluster.get(Adapter.toClassic(member.node.system())).state().getMembers().spliterator(),
            false)
        .map(each -> each.uniqueAddress() + " " + each.status())
        .sorted()
        .toList()
        .toString();
  }

  /** {@return the port for messages, and that of the wire} */
  private static List<Integer> ports(Member member) {
    var self = Cluster.get(Adapter.toClassic(member.node.system())).selfMember();
    return List.of(self.address().getPort().orElseThrow(), Members.wirePort(self));
  }

  private static byte[] frame(byte stream, int length, byte[] content) {
    return ByteBuffer.allocate(MAGIC.length + 5 + content.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC)
        .put(stream)
        .putInt(length)
        .put(content)
        .array();
  }

  private static void throwAt(int port, byte[] bytes) {
    throwAt(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), bytes);
  }

  private static void throwAt(InetSocketAddress address, byte[] bytes) {
    try (var socket = new Socket()) {
      socket.connect(address, 5_000);
      OutputStream out = socket.getOutputStream();
      out.write(bytes);
      out.flush();
      socket.shutdownOutput();
    } catch (IOException refused) {
      // It need not be heard to its end.
    }
  }

  private static int free() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.2"))) {
      return socket.getLocalPort();
    }
  }
}
