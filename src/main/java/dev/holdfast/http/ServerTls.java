package dev.holdfast.http;

import dev.holdfast.tls.Pem;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyManagementException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * What the API shows and asks for in TLS: read from PEM files, and read again without a restart.
 * Open connections go on with what they have; each new one gets what is newest.
 *
 * <p>The web server keeps one context for its life. It gets one that hands every connection to the
 * newest of ours: a context that is replaced as a whole, since sessions that could be resumed would
 * carry a client that showed a certificate past the authority that is no longer trusted.
 */
public final class ServerTls {

  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  /**
   * Where it is read from.
   *
   * @param certificate the server's, followed by those that lead to its authority
   * @param key its key, in PKCS#8
   * @param clients authorities of which callers must show a certificate; null if they need none
   */
  public record Files(Path certificate, Path key, @Nullable Path clients) {

    /** {@return all of them} */
    public List<Path> all() {
      return clients == null ? List.of(certificate, key) : List.of(certificate, key, clients);
    }
  }

  /** What was read at one time. */
  private record Read(SSLContext context, Instant expires) {}

  private final Files files;
  private volatile Read newest;
  private volatile Consumer<Socket> onHandshake = _ -> {};

  private ServerTls(Files files, Read first) {
    this.files = files;
    this.newest = first;
  }

  /**
   * Reads the files.
   *
   * @throws IOException if one of them cannot be used; the message says which and why
   */
  public static ServerTls load(Files files) throws IOException {
    return new ServerTls(files, read(files));
  }

  /**
   * Reads the files again. If one of them cannot be used, all stays as it was.
   *
   * @throws IOException in that case
   */
  public void reload() throws IOException {
    newest = read(files);
  }

  private static Read read(Files files) throws IOException {
    Pem.Identity own = Pem.identity(files.certificate(), files.key());
    @Nullable List<X509Certificate> clients =
        files.clients() == null ? null : Pem.certificates(files.clients());
    return new Read(Pem.context(own, clients), own.chain().getFirst().getNotAfter().toInstant());
  }

  /** {@return where it is read from} */
  public Files files() {
    return files;
  }

  /** {@return whether callers must show a certificate} */
  boolean asksForCertificates() {
    return files.clients() != null;
  }

  /** {@return when the certificate that is shown now ends} */
  public Instant expires() {
    return newest.expires();
  }

  /**
   * Has {@code told} run on the thread of each connection, with its socket, before its handshake.
   */
  void beforeEachHandshake(Consumer<Socket> told) {
    onHandshake = told;
  }

  /** {@return a context that makes each connection with what is newest then} */
  SSLContext context() {
    return new Newest(new NewestSpi());
  }

  private static final class Newest extends SSLContext {
    Newest(SSLContextSpi spi) {
      super(spi, null, "TLS");
    }
  }

  private final class NewestSpi extends SSLContextSpi {

    private SSLContext now() {
      return newest.context();
    }

    @Override
    protected void engineInit(
        KeyManager @Nullable [] keys,
        TrustManager @Nullable [] trusted,
        @Nullable SecureRandom random)
        throws KeyManagementException {
      throw new KeyManagementException("it has its certificates");
    }

    @Override
    protected SSLSocketFactory engineGetSocketFactory() {
      return new Sockets(now().getSocketFactory());
    }

    @Override
    protected SSLServerSocketFactory engineGetServerSocketFactory() {
      return now().getServerSocketFactory();
    }

    @Override
    protected SSLEngine engineCreateSSLEngine() {
      return now().createSSLEngine();
    }

    @Override
    protected SSLEngine engineCreateSSLEngine(String host, int port) {
      return now().createSSLEngine(host, port);
    }

    @Override
    protected SSLSessionContext engineGetServerSessionContext() {
      return now().getServerSessionContext();
    }

    @Override
    protected SSLSessionContext engineGetClientSessionContext() {
      return now().getClientSessionContext();
    }

    @Override
    protected SSLParameters engineGetDefaultSSLParameters() {
      return now().getDefaultSSLParameters();
    }

    @Override
    protected SSLParameters engineGetSupportedSSLParameters() {
      return now().getSupportedSSLParameters();
    }
  }

  /** Makes the server's end of connections; of the other ends it makes none. */
  private final class Sockets extends SSLSocketFactory {

    private final SSLSocketFactory made;

    Sockets(SSLSocketFactory made) {
      this.made = made;
    }

    /** Called by the web server, on the thread of the connection, right before the handshake. */
    @Override
    public Socket createSocket(Socket plain, @Nullable InputStream read, boolean closes)
        throws IOException {
      // The web server closes this socket alone, so it must close the one below.
      var socket = (SSLSocket) made.createSocket(plain, read, true);
      socket.setEnabledProtocols(PROTOCOLS);
      // Wanted, not needed: probes have none. Who shows one of another authority gets no further.
      socket.setWantClientAuth(asksForCertificates());
      onHandshake.accept(plain);
      return socket;
    }

    @Override
    public String[] getDefaultCipherSuites() {
      return made.getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
      return made.getSupportedCipherSuites();
    }

    @Override
    public Socket createSocket(Socket plain, String host, int port, boolean closes) {
      throw new UnsupportedOperationException("this is a server");
    }

    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException("this is a server");
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException("this is a server");
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
      throw new UnsupportedOperationException("this is a server");
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException("this is a server");
    }
  }
}
