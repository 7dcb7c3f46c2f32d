package dev.holdfast.peer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How connections between nodes begin and end. */
public final class Sockets {

  private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

  private static final int CONNECTING_MILLIS = 500;

  private Sockets() {}

  /**
   * Connects, within half a second.
   *
   * @param address whose name is resolved anew
   */
  public static void connect(Socket socket, InetSocketAddress address) throws IOException {
    socket.setTcpNoDelay(true);
    socket.setKeepAlive(true);
    socket.connect(
        new InetSocketAddress(address.getHostString(), address.getPort()), CONNECTING_MILLIS);
  }

  /** Ends a connection, on which another thread may wait. */
  public static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.debug("a connection between nodes could not be closed", e);
    }
  }
}
