package dev.holdfast.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** Chooses ports of this machine that are free, each once. */
public final class Ports {

  /**
   * Below those that the operating system gives to outgoing connections: a node that is down for a
   * moment must find its port again.
   */
  private static final int FIRST = 20_000;

  private static final int LAST = 31_999;
  private static final int ATTEMPTS = 1_000;

  private final Set<Integer> taken = new HashSet<>();

  /**
   * {@return a port that is free now}
   *
   * @param wanted it is that one if possible; 0 for none
   * @throws IOException if none is found
   */
  public int choose(int wanted) throws IOException {
    int port = wanted;
    for (int i = 0; i < ATTEMPTS; i++) {
      if (port > 0 && port <= 65_535 && !taken.contains(port) && isFree(port)) {
        taken.add(port);
        return port;
      }
      port = ThreadLocalRandom.current().nextInt(FIRST, LAST + 1);
    }
    throw new IOException("no port from " + FIRST + " to " + LAST + " is free");
  }

  private static boolean isFree(int port) {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral(LocalNode.HOST), port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }
}
