package dev.holdfast.peer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketOption;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How connections between nodes begin and end. */
public final class Sockets {

  private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

  private static final int CONNECTING_MILLIS = 500;

  /** In seconds, and the number of questions that may go unanswered. */
  private static final Map<SocketOption<Integer>, Integer> KEEPING_ALIVE =
      Map.of(
          ExtendedSocketOptions.TCP_KEEPIDLE,
          15,
          ExtendedSocketOptions.TCP_KEEPINTERVAL,
          5,
          ExtendedSocketOptions.TCP_KEEPCOUNT,
          3);

  private Sockets() {}

  /**
   * Connects, within half a second.
   *
   * @param address whose name is resolved anew
   */
  public static void connect(Socket socket, InetSocketAddress address) throws IOException {
    prepare(socket);
    socket.connect(
        new InetSocketAddress(address.getHostString(), address.getPort()), CONNECTING_MILLIS);
  }

  /**
   * What each end of a connection between nodes has: what is written goes at once, and the kernel
   * ends it half a minute after its other end has gone without a word, as with the power of its
   * machine. Nothing else would: who only listens never finds out.
   */
  public static void prepare(Socket socket) throws IOException {
    socket.setTcpNoDelay(true);
    socket.setKeepAlive(true);
    for (Map.Entry<SocketOption<Integer>, Integer> option : KEEPING_ALIVE.entrySet()) {
      if (socket.supportedOptions().contains(option.getKey())) {
        socket.setOption(option.getKey(), option.getValue());
      }
    }
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
