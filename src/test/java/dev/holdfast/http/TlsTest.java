package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.holdfast.tls.Pem;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The API by TLS, over real connections, with certificates of authorities made here. */
@Timeout(60)
class TlsTest {

  private static final TestAuthority OURS = new TestAuthority("our authority");
  private static final TestAuthority THEIRS = new TestAuthority("another authority");
  private static final AtomicInteger NUMBER = new AtomicInteger();

  @TempDir static Path folder;
  private static TestNode node;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(folder.resolve("journal"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static Path somewhere() {
    return folder.resolve("files-" + NUMBER.incrementAndGet());
  }

  private static TestAuthority.Issued issued(TestAuthority by) {
    return by.issue("holdfast", "EC", somewhere());
  }

  /** What shows this certificate and trusts our authority. */
  private static SSLContext shows(TestAuthority.@Nullable Issued own) throws IOException {
    Path trusted =
        Files.writeString(Files.createDirectories(somewhere()).resolve("ca"), OURS.pem());
    return own == null
        ? Pem.client(trusted, null, null)
        : Pem.client(trusted, own.certificate(), own.key());
  }

  /** The same, and shows it whoever the server says that it trusts. */
  private static SSLContext insistsOn(TestAuthority.Issued own) throws Exception {
    Pem.Identity identity = Pem.identity(own.certificate(), own.key());
    var keys =
        new X509ExtendedKeyManager() {
          @Override
          public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {"own"};
          }

          @Override
          public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return "own";
          }

          @Override
          public String chooseEngineClientAlias(
              String[] types, Principal[] issuers, SSLEngine engine) {
            return "own";
          }

          @Override
          public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[0];
          }

          @Override
          public @Nullable String chooseServerAlias(
              String type, Principal[] issuers, Socket socket) {
            return null;
          }

          @Override
          public X509Certificate[] getCertificateChain(String alias) {
            return identity.chain().toArray(X509Certificate[]::new);
          }

          @Override
          public PrivateKey getPrivateKey(String alias) {
            return identity.key();
          }
        };
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    Path authority =
        Files.writeString(Files.createDirectories(somewhere()).resolve("ca"), OURS.pem());
    trusted.setCertificateEntry("ours", Pem.certificates(authority).getFirst());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(new KeyManager[] {keys}, trust.getTrustManagers(), null);
    return context;
  }

  private static HttpResponse<String> send(SSLContext context, int port, String method, String path)
      throws IOException, InterruptedException {
    try (HttpClient client =
        HttpClient.newBuilder().sslContext(context).version(HttpClient.Version.HTTP_1_1).build()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + path))
              .timeout(Duration.ofSeconds(20))
              .method(method, BodyPublishers.noBody())
              .build(),
          BodyHandlers.ofString());
    }
  }

  // ---------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void servesTheApi(String algorithm) throws Exception {
    var files = OURS.issue("holdfast", algorithm, somewhere());
    int port =
        node.start(
                ApiKeys.NONE,
                0,
                ServerTls.load(new ServerTls.Files(files.certificate(), files.key(), null)))
            .port();
    HttpResponse<String> opened = send(shows(null), port, "POST", "/v1/sessions");
    assertThat(opened.statusCode()).isEqualTo(201);
    assertThat(opened.headers().firstValue("Session-Token")).isPresent();
  }

  @Test
  void answersNothingToWhoSpeaksNoTls() throws Exception {
    ApiServer server = server(issued(OURS), null, HttpSettings.Bounds.defaults());
    for (String text :
        new String[] {
          "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
          "\u0016\u0003\u0001\u00ff\u00ff" + "x".repeat(20_000),
          "\0".repeat(100)
        }) {
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        socket.setSoTimeout(20_000);
        String answer;
        try {
          socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
          answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (IOException reset) {
          answer = "";
        }
        assertThat(answer).doesNotContain("HTTP");
      }
    }
    assertThat(send(shows(null), server.port(), "GET", "/health/live").statusCode()).isEqualTo(200);
  }

  /** TLS 1.1, cut down to its greeting: the JDK's own client would not send it. */
  @Test
  void refusesVersionsThatAreBroken() throws Exception {
    ApiServer server = server(issued(OURS), null, HttpSettings.Bounds.defaults());
    byte[] hello = new byte[52];
    hello[0] = 0x16; // handshake
    hello[1] = 3;
    hello[2] = 2;
    hello[4] = 47;
    hello[5] = 1; // ClientHello of 43 bytes: version, 32 random ones, no session, one suite
    hello[8] = 43;
    hello[9] = 3;
    hello[10] = 2;
    hello[45] = 2;
    hello[46] = (byte) 0xc0;
    hello[47] = 0x09;
    hello[48] = 1;
    hello[50] = 0;
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(hello);
      byte[] answer = socket.getInputStream().readAllBytes();
      assertThat(answer).as("an alert, and the end").hasSizeBetween(7, 20);
      assertThat(answer[0]).isEqualTo((byte) 0x15);
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Other certificates without a restart

  @Test
  void showsTheNewCertificateToWhoeverComesNextAndDropsNobody() throws Exception {
    Path place = somewhere();
    var files = OURS.issue("holdfast", "EC", place);
    var tls = ServerTls.load(new ServerTls.Files(files.certificate(), files.key(), null));
    ApiServer server = node.start(ApiKeys.NONE, 0, tls);
    SSLContext context = shows(null);
    try (SSLSocket open = connect(context, server.port())) {
      X509Certificate first = shown(open);
      OURS.issue("holdfast", "EC", place);
      tls.reload();
      try (SSLSocket next = connect(context, server.port())) {
        assertThat(shown(next)).isNotEqualTo(first);
      }
      assertThat(answers(open)).isTrue();
    }
  }

  @Test
  void keepsTheOldCertificateWhereTheNewOneCannotBeUsed() throws Exception {
    Path place = somewhere();
    var files = OURS.issue("holdfast", "EC", place);
    var tls = ServerTls.load(new ServerTls.Files(files.certificate(), files.key(), null));
    ApiServer server = node.start(ApiKeys.NONE, 0, tls);
    X509Certificate first;
    try (SSLSocket socket = connect(shows(null), server.port())) {
      first = shown(socket);
    }
    String key = Files.readString(files.key());
    for (String broken :
        new String[] {
          "", "nonsense", key.substring(0, key.length() / 2), Files.readString(issued(OURS).key())
        }) {
      Files.writeString(files.key(), broken);
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(tls::reload)
          .withMessageContaining(files.key().toString())
          .withMessageNotContaining(key.lines().skip(1).findFirst().orElseThrow());
      try (SSLSocket socket = connect(shows(null), server.port())) {
        assertThat(shown(socket)).isEqualTo(first);
      }
    }
  }

  private static SSLSocket connect(SSLContext context, int port) throws IOException {
    var socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
    socket.setSoTimeout(20_000);
    socket.startHandshake();
    return socket;
  }

  private static X509Certificate shown(SSLSocket socket) throws SSLException {
    return (X509Certificate) socket.getSession().getPeerCertificates()[0];
  }

  private static boolean answers(SSLSocket socket) throws IOException {
    socket
        .getOutputStream()
        .write(
            "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
                .getBytes(StandardCharsets.ISO_8859_1));
    InputStream in = socket.getInputStream();
    return new String(in.readNBytes(15), StandardCharsets.ISO_8859_1).equals("HTTP/1.1 200 OK");
  }

  // ---------------------------------------------------------------------------------------------
  // Mutual TLS

  @Test
  void answersCallersWithACertificateOfTheirAuthorityOnly() throws Exception {
    ApiServer server = server(issued(OURS), OURS, HttpSettings.Bounds.defaults());
    assertThat(send(shows(issued(OURS)), server.port(), "POST", "/v1/sessions").statusCode())
        .isEqualTo(201);

    SSLContext without = shows(null);
    for (String path : new String[] {"/v1/session", "/v1/admin/cluster", "/metrics", "/console"}) {
      HttpResponse<String> refused = send(without, server.port(), "GET", path);
      assertThat(refused.statusCode()).as(path).isEqualTo(403);
      assertThat(refused.body()).contains("urn:holdfast:problem:forbidden");
    }
    assertThat(send(without, server.port(), "GET", "/health/ready").statusCode()).isEqualTo(200);

    for (TestAuthority.Issued stranger :
        new TestAuthority.Issued[] {
          issued(THEIRS),
          issued(new TestAuthority("our authority")),
          OURS.issue("holdfast", "EC", Duration.ofMinutes(-1), somewhere())
        }) {
      SSLContext context = insistsOn(stranger);
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> send(context, server.port(), "GET", "/health/ready"));
    }
  }

  /** A session that could be resumed would need no certificate. */
  @Test
  void forgetsCallersOfAnAuthorityThatIsTrustedNoMore() throws Exception {
    TestAuthority.Issued own = issued(OURS);
    Path clients =
        Files.writeString(Files.createDirectories(somewhere()).resolve("ca"), OURS.pem());
    var tls = ServerTls.load(new ServerTls.Files(own.certificate(), own.key(), clients));
    ApiServer server = node.start(ApiKeys.NONE, 0, tls);
    SSLContext caller = insistsOn(issued(OURS));
    for (int i = 0; i < 2; i++) {
      assertThat(send(caller, server.port(), "POST", "/v1/sessions").statusCode()).isEqualTo(201);
    }

    Files.writeString(clients, THEIRS.pem());
    tls.reload();

    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> send(caller, server.port(), "POST", "/v1/sessions"));
    assertThat(send(shows(issued(THEIRS)), server.port(), "POST", "/v1/sessions").statusCode())
        .isEqualTo(201);
  }

  private static ApiServer server(
      TestAuthority.Issued own, @Nullable TestAuthority clients, HttpSettings.Bounds bounds)
      throws IOException {
    Path authority =
        clients == null
            ? null
            : Files.writeString(Files.createDirectories(somewhere()).resolve("ca"), clients.pem());
    return node.start(
        bounds, ServerTls.load(new ServerTls.Files(own.certificate(), own.key(), authority)));
  }

  // ---------------------------------------------------------------------------------------------
  // Slowness

  @Test
  void cutsOffWhoNeverEndsTheHandshake() throws Exception {
    var usual = HttpSettings.Bounds.defaults();
    ApiServer server =
        server(
            issued(OURS),
            null,
            new HttpSettings.Bounds(
                usual.bodyBytes(),
                usual.requestLineBytes(),
                usual.headerBytes(),
                usual.connections(),
                usual.requestsInHand(),
                Duration.ofMillis(600),
                usual.answering(),
                usual.idle(),
                usual.streams(),
                usual.heartbeat(),
                usual.deadline(),
                usual.stopping()));
    try (var silent = new Socket(InetAddress.getLoopbackAddress(), server.port());
        var halfWay = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      halfWay.getOutputStream().write(new byte[] {0x16, 3, 1, 2, 0, 1});
      for (Socket socket : new Socket[] {silent, halfWay}) {
        socket.setSoTimeout(10_000);
        assertEnds(socket.getInputStream());
      }
    }
    await()
        .untilAsserted(() ->
            assertThat(send(shows(null), server.port(), "GET", "/metrics").body())
                .contains("holdfast_http_connections_cut_off_total{reason=\"handshake\"} 2"));
  }

  private static void assertEnds(InputStream in) {
    try {
      assertThat(in.readAllBytes()).hasSizeLessThan(100);
    } catch (java.net.SocketTimeoutException open) {
      throw new AssertionError("the connection is still open", open);
    } catch (IOException reset) {
      // Ended as well.
    }
  }

  @Test
  void closesWhereTheRecordsAreNotWhatTheySeem() throws Exception {
    ApiServer server = server(issued(OURS), null, HttpSettings.Bounds.defaults());
    try (var below = new Socket(InetAddress.getLoopbackAddress(), server.port());
        SSLSocket above =
            (SSLSocket) shows(null).getSocketFactory().createSocket(below, "127.0.0.1", 0, false)) {
      below.setSoTimeout(10_000);
      above.startHandshake();
      assertThat(answers(above)).isTrue();
      below.getOutputStream().write(new byte[] {0x17, 3, 3, 0, 32});
      below.getOutputStream().write(new byte[32]);
      assertEnds(below.getInputStream());
    }
  }
}
