package dev.holdfast.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Keys and certificates for TLS out of PEM files (RFC 7468). No message repeats what is in one. */
public final class Pem {

  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
  private static final char[] NO_PASSWORD = {};

  private Pem() {}

  /** A certificate with those that lead to its authority, and its key. */
  public record Identity(PrivateKey key, List<X509Certificate> chain) {}

  /**
   * Reads the certificates of a file.
   *
   * @throws IOException if it cannot be read, or holds none
   */
  public static List<X509Certificate> certificates(Path file) throws IOException {
    byte[] text = Files.readAllBytes(file);
    try {
      var found = new ArrayList<X509Certificate>();
      for (Certificate each :
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(text))) {
        found.add((X509Certificate) each);
      }
      if (!found.isEmpty()) {
        return found;
      }
    } catch (GeneralSecurityException unreadable) {
      throw new IOException(file + " holds no certificate that can be read", unreadable);
    }
    throw new IOException(file + " holds no certificate");
  }

  /**
   * Reads a certificate, the first of its file, and its key.
   *
   * @throws IOException if one of them cannot be read, or they do not belong together
   */
  public static Identity identity(Path certificate, Path key) throws IOException {
    List<X509Certificate> chain = certificates(certificate);
    PublicKey shown = chain.getFirst().getPublicKey();
    PrivateKey secret = key(key, shown.getAlgorithm());
    if (!belongTogether(secret, shown)) {
      throw new IOException(key + " is not the key of the first certificate in " + certificate);
    }
    return new Identity(secret, chain);
  }

  private static PrivateKey key(Path file, String algorithm) throws IOException {
    String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    Matcher found = KEY.matcher(text);
    if (!found.find()) {
      throw new IOException(
          file
              + " holds no key in PKCS#8 without a password (BEGIN PRIVATE KEY); `openssl pkcs8"
              + " -topk8 -nodes` makes one of any other");
    }
    try {
      return KeyFactory.getInstance(algorithm)
          .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(found.group(1))));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(file + " holds no " + algorithm + " key that can be read");
    }
  }

  private static boolean belongTogether(PrivateKey secret, PublicKey shown) throws IOException {
    byte[] text = "holdfast".getBytes(StandardCharsets.US_ASCII);
    String algorithm =
        switch (shown.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> shown.getAlgorithm();
        };
    try {
      Signature signing = Signature.getInstance(algorithm);
      signing.initSign(secret);
      signing.update(text);
      byte[] signed = signing.sign();
      Signature checking = Signature.getInstance(algorithm);
      checking.initVerify(shown);
      checking.update(text);
      return checking.verify(signed);
    } catch (GeneralSecurityException e) {
      throw new IOException("keys of the kind " + algorithm + " cannot be used for TLS", e);
    }
  }

  /**
   * {@return a context for one side of connections}
   *
   * @param own what this side shows; null for nothing
   * @param authorities whom the other side's certificate must come from; null: nobody's does
   */
  public static SSLContext context(
      @Nullable Identity own, @Nullable List<X509Certificate> authorities) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keyManagers(own), trustManagers(authorities), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("the certificates cannot be used for TLS", e);
    }
  }

  /**
   * {@return a context for a client of a server}
   *
   * @param authorities a file of those that the server's certificate must come from
   * @param certificate of the client, or null; then there must be no {@code key}
   * @throws IOException if one of the files cannot be used
   */
  public static SSLContext client(Path authorities, @Nullable Path certificate, @Nullable Path key)
      throws IOException {
    @Nullable Identity own = certificate == null || key == null ? null : identity(certificate, key);
    return context(own, certificates(authorities));
  }

  private static KeyManager[] keyManagers(@Nullable Identity own)
      throws IOException, GeneralSecurityException {
    if (own == null) {
      return new KeyManager[0];
    }
    KeyStore store = empty();
    store.setKeyEntry("own", own.key(), NO_PASSWORD, own.chain().toArray(Certificate[]::new));
    var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }

  private static TrustManager[] trustManagers(@Nullable List<X509Certificate> authorities)
      throws IOException, GeneralSecurityException {
    if (authorities == null) {
      return new TrustManager[0];
    }
    KeyStore store = empty();
    int number = 0;
    for (X509Certificate each : authorities) {
      store.setCertificateEntry("authority-" + number++, each);
    }
    var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyStore empty() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }
}
