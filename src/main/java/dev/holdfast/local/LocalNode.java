package dev.holdfast.local;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;

/**
 * What stays of a local node over all its processes.
 *
 * @param httpPort where it serves the API
 * @param clusterPort where the other nodes reach it
 * @param log what its processes print
 */
public record LocalNode(String name, int httpPort, int clusterPort, Path log) {

  /** The only address that local nodes listen on. */
  static final String HOST = "127.0.0.1";

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.ofLiteral(HOST), httpPort);
  }

  /** {@return where it serves the API} */
  public URI http() {
    return URI.create("http://" + HOST + ":" + httpPort);
  }
}
