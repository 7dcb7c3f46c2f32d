package dev.holdfast.peer;

import dev.holdfast.tls.Pem;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * How nodes know each other on connections of their own: both show a certificate of one authority,
 * and the two have the subject's common name or an alternative name in common, as Pekko has it for
 * its connections. The files are read anew for each connection.
 *
 * @param certificate of this node, followed by those that lead to the authority, PEM
 * @param key of the certificate, PEM
 * @param authority or several of them, PEM
 */
public record PeerTls(Path certificate, Path key, Path authority) {

  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  /** Secures a connection to a node that has been reached. */
  SSLSocket ask(Socket plain, String host, int port) throws IOException {
    Pem.Identity own = Pem.identity(certificate, key);
    var socket = (SSLSocket) context(own).getSocketFactory().createSocket(plain, host, port, true);
    socket.setUseClientMode(true);
    return secured(socket, own);
  }

  /** Secures a connection of a node that has come. */
  SSLSocket answer(Socket plain) throws IOException {
    Pem.Identity own = Pem.identity(certificate, key);
    var socket = (SSLSocket) context(own).getSocketFactory().createSocket(plain, null, true);
    socket.setUseClientMode(false);
    socket.setNeedClientAuth(true);
    return secured(socket, own);
  }

  private SSLContext context(Pem.Identity own) throws IOException {
    return Pem.context(own, Pem.certificates(authority));
  }

  private static SSLSocket secured(SSLSocket socket, Pem.Identity own) throws IOException {
    socket.setEnabledProtocols(PROTOCOLS);
    socket.startHandshake();
    var peer = (X509Certificate) socket.getSession().getPeerCertificates()[0];
    if (Collections.disjoint(names(own.chain().getFirst()), names(peer))) {
      throw new IOException("the certificate of the other side is not one of a node's");
    }
    return socket;
  }

  private static Set<String> names(X509Certificate certificate) throws IOException {
    var names = new HashSet<String>();
    try {
      for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        if (part.getType().equalsIgnoreCase("CN")) {
          names.add(String.valueOf(part.getValue()));
        }
      }
      Collection<List<?>> alternative = certificate.getSubjectAlternativeNames();
      if (alternative != null) {
        for (List<?> each : alternative) {
          names.add(String.valueOf(each.get(1)));
        }
      }
    } catch (CertificateParsingException | InvalidNameException e) {
      throw new IOException("the names of a certificate cannot be read", e);
    }
    return names;
  }
}
