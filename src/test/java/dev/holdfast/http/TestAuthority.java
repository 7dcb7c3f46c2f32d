package dev.holdfast.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;

/**
 * An authority that gives out certificates for 127.0.0.1 and localhost, good for both ends of a
 * connection. Writes X.509 (RFC 5280) by itself: the JDK has no public way to.
 */
public final class TestAuthority {

  private static final DateTimeFormatter UTC_TIME =
      DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String name;
  private final boolean forThisMachine;
  private final KeyPair keys = keys("EC");

  public TestAuthority(String name) {
    this(name, true);
  }

  private TestAuthority(String name, boolean forThisMachine) {
    this.name = name;
    this.forThisMachine = forThisMachine;
  }

  /** One whose certificates have their subject as their only name. */
  public static TestAuthority ofSubjects(String name) {
    return new TestAuthority(name, false);
  }

  /** Where a certificate, its key and its authority's certificate are. */
  public record Issued(Path certificate, Path key, Path authority) {}

  /** Its own certificate, in PEM. */
  public String pem() {
    return pem("CERTIFICATE", certificate(name, keys, Duration.ofDays(3), true));
  }

  /** Gives out a certificate and writes all three files into a folder, in place of earlier ones. */
  public Issued issue(String subject, String algorithm, Path folder) {
    return issue(subject, algorithm, Duration.ofDays(1), folder);
  }

  /** The same with a certificate that is good for so long; less than none: it has ended. */
  public Issued issue(String subject, String algorithm, Duration validity, Path folder) {
    KeyPair own = keys(algorithm);
    try {
      Files.createDirectories(folder);
      return new Issued(
          Files.writeString(
              folder.resolve("tls.crt"),
              pem("CERTIFICATE", certificate(subject, own, validity, false))),
          Files.writeString(
              folder.resolve("tls.key"), pem("PRIVATE KEY", own.getPrivate().getEncoded())),
          Files.writeString(folder.resolve("ca.crt"), pem()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static KeyPair keys(String algorithm) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(algorithm.equals("RSA") ? 2048 : 256);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(what, Base64.getMimeEncoder().encodeToString(bytes), what);
  }

  private byte[] certificate(String subject, KeyPair own, Duration validity, boolean authority) {
    byte[] ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));
    Instant now = Instant.now();
    Instant end = now.plus(validity);
    Instant start = (end.isBefore(now) ? end : now).minus(Duration.ofHours(1));
    byte[] body =
        sequence(
            der(0xa0, integer(BigInteger.TWO)),
            integer(new BigInteger(64, RANDOM).setBit(62)),
            ecdsaWithSha256,
            name(name),
            sequence(time(start), time(end)),
            name(subject),
            own.getPublic().getEncoded(),
            der(0xa3, extensions(subject, authority)));
    try {
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(keys.getPrivate());
      signature.update(body);
      return sequence(body, ecdsaWithSha256, bits(signature.sign()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private byte[] extensions(String subject, boolean authority) {
    return authority
        ? sequence(
            extension("2.5.29.19", sequence(der(0x01, (byte) 0xff))),
            extension("2.5.29.15", der(0x03, (byte) 1, (byte) 0x06)))
        : sequence(
            extension("2.5.29.15", der(0x03, (byte) 5, (byte) 0xa0)),
            extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
            extension("2.5.29.17", sequence(joined(names(subject)))));
  }

  private List<byte[]> names(String subject) {
    byte[] own = der(0x82, subject.getBytes(StandardCharsets.US_ASCII));
    return forThisMachine
        ? List.of(
            der(0x87, (byte) 127, (byte) 0, (byte) 0, (byte) 1),
            der(0x82, "localhost".getBytes(StandardCharsets.US_ASCII)),
            own)
        : List.of(own);
  }

  // ---------------------------------------------------------------------------------------------
  // DER

  private static byte[] der(int tag, byte... content) {
    var out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 128) {
      out.write(content.length);
    } else if (content.length < 256) {
      out.write(0x81);
      out.write(content.length);
    } else {
      out.write(0x82);
      out.write(content.length >> 8);
      out.write(content.length);
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] sequence(byte[]... parts) {
    return der(0x30, joined(List.of(parts)));
  }

  private static byte[] joined(List<byte[]> parts) {
    var out = new ByteArrayOutputStream();
    parts.forEach(out::writeBytes);
    return out.toByteArray();
  }

  private static byte[] integer(BigInteger value) {
    return der(0x02, value.toByteArray());
  }

  private static byte[] bits(byte[] value) {
    return der(0x03, joined(List.of(new byte[1], value)));
  }

  private static byte[] time(Instant time) {
    return der(0x17, UTC_TIME.format(time).getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] name(String common) {
    return sequence(
        der(0x31, sequence(oid("2.5.4.3"), der(0x0c, common.getBytes(StandardCharsets.UTF_8)))));
  }

  private static byte[] extension(String id, byte[] value) {
    return sequence(oid(id), der(0x04, value));
  }

  private static byte[] oid(String dotted) {
    var out = new ByteArrayOutputStream();
    String[] arcs = dotted.split("\\.", -1);
    out.write(Integer.parseInt(arcs[0], 10) * 40 + Integer.parseInt(arcs[1], 10));
    for (int i = 2; i < arcs.length; i++) {
      int arc = Integer.parseInt(arcs[i], 10);
      for (int shift = 28; shift > 0; shift -= 7) {
        if (arc >> shift != 0) {
          out.write(0x80 | ((arc >> shift) & 0x7f));
        }
      }
      out.write(arc & 0x7f);
    }
    return der(0x06, out.toByteArray());
  }
}
