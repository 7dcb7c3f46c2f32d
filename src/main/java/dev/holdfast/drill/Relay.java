package dev.holdfast.drill;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network between the nodes, without the rights that a real one would need: each node is
 * reached at an address at which the relay listens, and listens itself at another. The relay passes
 * every connection on, and can stop doing so for chosen pairs of nodes, each way by itself.
 *
 * <p>What it does not pass it keeps: nothing is read any more, so the sender's kernel holds it, as
 * it would until its network is back. The end of a connection is kept as well: who is cut off sees
 * nothing of what becomes of the other. Unlike in a real network a connection can still be opened;
 * nothing comes over it then. Where nobody is cut off, connections to a node whose process has
 * ended are refused, as its machine would refuse them.
 *
 * <p>Who has opened a connection is found by its port among the sockets of the nodes' processes, in
 * {@code /proc}; so this works on Linux only.
 */
final class Relay implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
  private static final int BUFFER = 64 * 1024;
  private static final int CONNECTING_MILLIS = 2_000;
  private static final long CLOSING_NANOS = 2_000_000_000;
  private static final long PAUSE_NANOS = 5_000_000;
  private static final Path PROC = Path.of("/proc");

  /** From one node to another. */
  private record Way(String from, String to) {}

  private final Map<String, Long> processes = new ConcurrentHashMap<>();
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by the lock, as what follows. */
  private Set<Way> silent = Set.of();

  private Set<String> refused = Set.of();
  private boolean closed;

  /** {@return whether it works on this machine} */
  static boolean works() {
    return Files.isReadable(PROC.resolve("net/tcp")) && Files.isDirectory(PROC.resolve("self/fd"));
  }

  /** {@return where others reach the node of that number} */
  static String published(int node) {
    return "127.0.1." + node;
  }

  /** {@return where the node of that number listens} */
  static String bound(int node) {
    return "127.0.2." + node;
  }

  /**
   * Listens for a node.
   *
   * @throws IOException if the port cannot be had
   */
  void publish(String node, int number, int port) throws IOException {
    var listener = new Listener(node, number, port);
    listener.open();
    listeners.add(listener);
  }

  /**
   * The process of a node is now this one.
   *
   * @throws IOException if a port of it cannot be had again
   */
  void runs(String node, long pid) throws IOException {
    processes.put(node, pid);
    openOrClose();
  }

  /** The process has ended; that of its node may be another one by now. */
  void ended(String node, long pid) {
    if (processes.remove(node, pid)) {
      try {
        openOrClose();
      } catch (IOException e) {
        LOG.warn("connections to {} cannot be refused", node, e);
      }
    }
  }

  /** A machine refuses connections to a process that has ended, if they get there. */
  private synchronized void openOrClose() throws IOException {
    for (Listener listener : listeners) {
      boolean listens = isReachable(listener.node);
      if (listens == listener.server().isClosed()) {
        if (listens) {
          listener.open();
        } else {
          listener.server().close();
        }
      }
    }
  }

  private boolean isReachable(String node) {
    lock.lock();
    try {
      return !refused.contains(node) && (processes.containsKey(node) || !silent.isEmpty());
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Faults

  /** Nothing goes from these to the others any more, nor back unless {@code oneWay}. */
  void cut(Collection<String> nodes, Collection<String> others, boolean oneWay) {
    var ways = new HashSet<Way>();
    for (String node : nodes) {
      for (String other : others) {
        ways.add(new Way(node, other));
        if (!oneWay) {
          ways.add(new Way(other, node));
        }
      }
    }
    change(ways, Set.of());
  }

  /** All connections with the node are reset, and further ones refused. */
  void refuse(String node) throws IOException {
    change(Set.of(), Set.of(node));
    openOrClose();
    for (Link link : links) {
      if (link.from.equals(node) || link.to.equals(node)) {
        link.reset();
      }
    }
  }

  /** Everything passes again. */
  void heal() throws IOException {
    change(Set.of(), Set.of());
    openOrClose();
  }

  private void change(Set<Way> ways, Set<String> nodes) {
    lock.lock();
    try {
      silent = Set.copyOf(ways);
      refused = Set.copyOf(nodes);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean isRefused(String one, String other) {
    lock.lock();
    try {
      return refused.contains(one) || refused.contains(other);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until something may go this way. */
  private void awaitOpen(String from, String to) {
    lock.lock();
    try {
      while (!closed && silent.contains(new Way(from, to))) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Connections

  private final class Listener {
    private final String node;
    private final int number;
    private final int port;
    private volatile @Nullable ServerSocket server;

    Listener(String node, int number, int port) {
      this.node = node;
      this.number = number;
      this.port = port;
    }

    ServerSocket server() {
      ServerSocket open = server;
      if (open == null) {
        throw new IllegalStateException("not open yet");
      }
      return open;
    }

    void open() throws IOException {
      var place = new InetSocketAddress(InetAddress.ofLiteral(published(number)), port);
      var opened = new ServerSocket();
      opened.setReuseAddress(true);
      long end = System.nanoTime() + CLOSING_NANOS;
      while (!opened.isBound()) {
        try {
          opened.bind(place, 256);
        } catch (BindException e) {
          // The one before is closed for good only when its thread has left accept.
          if (System.nanoTime() - end > 0) {
            throw e;
          }
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      }
      server = opened;
      Thread.ofVirtual().start(() -> accept(opened));
    }

    private void accept(ServerSocket from) {
      while (!from.isClosed()) {
        try {
          Socket socket = from.accept();
          Thread.ofVirtual().start(() -> relay(socket));
        } catch (IOException e) {
          LOG.debug("no further connections for {}", node, e);
        }
      }
    }

    private void relay(Socket accepted) {
      String from = whoIsAt(accepted.getPort(), port);
      var link = new Link(from, node, accepted);
      if (isRefused(from, node)) {
        link.reset();
        return;
      }
      links.add(link);
      awaitOpen(from, node);
      try {
        link.onward.connect(
            new InetSocketAddress(InetAddress.ofLiteral(bound(number)), port), CONNECTING_MILLIS);
        link.onward.setTcpNoDelay(true);
        accepted.setTcpNoDelay(true);
      } catch (IOException nobody) {
        link.reset();
        links.remove(link);
        return;
      }
      Thread.ofVirtual().start(() -> pump(link, accepted, link.onward, from, node));
      pump(link, link.onward, accepted, node, from);
      links.remove(link);
    }
  }

  private void pump(Link link, Socket source, Socket sink, String from, String to) {
    byte[] buffer = new byte[BUFFER];
    try {
      InputStream in = source.getInputStream();
      OutputStream out = sink.getOutputStream();
      int read = in.read(buffer);
      while (read >= 0) {
        awaitOpen(from, to);
        out.write(buffer, 0, read);
        read = in.read(buffer);
      }
      awaitOpen(from, to);
      sink.shutdownOutput();
    } catch (IOException end) {
      awaitOpen(from, to);
      link.reset();
    }
  }

  /** One connection and the one that it is passed on to. */
  private static final class Link {
    private final String from;
    private final String to;
    private final Socket accepted;
    private final Socket onward = new Socket();

    Link(String from, String to, Socket accepted) {
      this.from = from;
      this.to = to;
      this.accepted = accepted;
    }

    void reset() {
      for (Socket socket : List.of(accepted, onward)) {
        try {
          if (!socket.isClosed()) {
            socket.setSoLinger(true, 0);
          }
          socket.close();
        } catch (IOException e) {
          LOG.debug("a connection could not be reset", e);
        }
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Who is it

  /** {@return the node whose process has that port, or the empty string if none has} */
  private String whoIsAt(int port, int listener) {
    try {
      String socket = "socket:[" + inode(port, listener) + "]";
      for (Map.Entry<String, Long> process : processes.entrySet()) {
        if (has(process.getValue(), socket)) {
          return process.getKey();
        }
      }
    } catch (IOException e) {
      LOG.warn("it is not known who has opened a connection", e);
    }
    return "";
  }

  /** Several connections may have one local port, to different ports of others. */
  private static String inode(int local, int remote) throws IOException {
    String from = String.format(Locale.ROOT, ":%04X", local);
    String to = String.format(Locale.ROOT, ":%04X", remote);
    for (String file : List.of("net/tcp6", "net/tcp")) {
      Path table = PROC.resolve(file);
      if (!Files.isReadable(table)) {
        continue;
      }
      for (String line : Files.readAllLines(table)) {
        String[] fields = line.strip().split(" +", -1);
        if (fields.length > 9
            && fields[1].endsWith(from)
            && fields[2].endsWith(to)
            && !fields[9].equals("0")) {
          return fields[9];
        }
      }
    }
    return "none";
  }

  private static boolean has(long pid, String socket) throws IOException {
    Path open = PROC.resolve(pid + "/fd");
    if (!Files.isDirectory(open)) {
      return false;
    }
    try (Stream<Path> all = Files.list(open)) {
      return all.anyMatch(descriptor -> {
        try {
          return Files.readSymbolicLink(descriptor).toString().equals(socket);
        } catch (IOException gone) {
          return false;
        }
      });
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    for (Listener listener : listeners) {
      try {
        listener.server().close();
      } catch (IOException e) {
        LOG.debug("a port could not be given back", e);
      }
    }
    links.forEach(Link::reset);
  }
}
