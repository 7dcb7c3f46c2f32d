package dev.holdfast.local;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One node behind the front: whether it may be sent requests, which its {@code /health/ready} is
 * asked every 150 ms, and the connections to it that wait for the next request.
 */
final class Backend implements AutoCloseable {

  private static final Duration CONNECTING = Duration.ofSeconds(2);

  /** Well below the time after which a node closes an idle connection by itself. */
  private static final Duration IDLE = Duration.ofSeconds(20);

  /** A node that takes longer than this to say that it is ready is of no use to anybody. */
  private static final Duration PROBE = Duration.ofSeconds(1);

  private static final long PROBE_INTERVAL_MILLIS = 150;
  private static final int PROBE_BYTES = 16 * 1024;

  private final String name;
  private final InetSocketAddress address;
  private final Watch watch;
  private final Runnable changed;
  private final byte[] probe;
  private final Deque<Wire> idle = new ConcurrentLinkedDeque<>();
  private final AtomicInteger inHand = new AtomicInteger();
  private final Semaphore probeNow = new Semaphore(0);
  private final Thread prober;
  private volatile boolean ready;
  private volatile boolean closed;
  private @Nullable Wire probing;

  /**
   * @param changed told when the node has become ready or is so no more
   */
  Backend(String name, InetSocketAddress address, Watch watch, Runnable changed) {
    this.name = name;
    this.address = address;
    this.watch = watch;
    this.changed = changed;
    this.probe =
        "GET /health/ready HTTP/1.1\r\nHost: %s:%d\r\n\r\n"
            .formatted(address.getHostString(), address.getPort())
            .getBytes(StandardCharsets.US_ASCII);
    this.prober = Thread.ofVirtual().name("front-probe-" + name).unstarted(this::probe);
  }

  void start() {
    prober.start();
  }

  String name() {
    return name;
  }

  boolean isReady() {
    return ready;
  }

  // ---------------------------------------------------------------------------------------------
  // Requests

  int inHand() {
    return inHand.get();
  }

  void enter() {
    inHand.incrementAndGet();
  }

  void leave() {
    inHand.decrementAndGet();
  }

  /**
   * {@return a connection on which nothing has been sent since its last answer} One that the node
   * has closed meanwhile is not given out.
   *
   * @throws IOException if none can be made; nothing has been sent then
   */
  Wire connection() throws IOException {
    for (Wire wire = idle.pollFirst(); wire != null; wire = idle.pollFirst()) {
      if (wire.endLimit() && !wire.hasNews()) {
        return wire;
      }
      wire.close();
    }
    return Wire.connect(address, watch, CONNECTING);
  }

  /** Takes a connection back whose last answer is complete. */
  void release(Wire wire) {
    wire.limit(IDLE);
    idle.addFirst(wire);
    if (closed) {
      closeIdle();
    }
  }

  /** No more requests for it until it has said again that it is ready: it is asked at once. */
  void suspect() {
    become(false);
    probeNow.release();
  }

  private void closeIdle() {
    for (Wire wire = idle.pollFirst(); wire != null; wire = idle.pollFirst()) {
      wire.close();
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Readiness

  private void probe() {
    try {
      while (!closed) {
        boolean answered = ask();
        // A connection that is kept for this may have been closed meanwhile: that says nothing.
        become(answered || (!closed && ask()));
        if (probeNow.tryAcquire(PROBE_INTERVAL_MILLIS, TimeUnit.MILLISECONDS)) {
          probeNow.drainPermits();
        }
        if (!ready) {
          closeIdle();
        }
      }
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    } finally {
      if (probing != null) {
        probing.close();
      }
    }
  }

  private boolean ask() {
    Wire wire = probing;
    try {
      if (wire == null) {
        wire = Wire.connect(address, watch, PROBE);
        probing = wire;
      }
      wire.limit(PROBE);
      wire.write(probe);
      Head head = wire.head(PROBE_BYTES, PROBE_BYTES);
      boolean yes = status(head) == 200;
      if (Framing.ofAnswer(head, "GET", status(head)) instanceof Framing.Sized(long bytes)
          && !head.lists("Connection", "close")) {
        for (long left = bytes; left > 0; ) {
          int taken = (int) Math.min(left, wire.available());
          wire.take(taken);
          left -= taken;
          if (left > 0 && !wire.fill()) {
            throw new IOException("the connection ended within an answer");
          }
        }
        wire.noLimit();
      } else {
        wire.close();
        probing = null;
      }
      return yes;
    } catch (IOException none) {
      if (wire != null) {
        wire.close();
      }
      probing = null;
      return false;
    }
  }

  /** {@return the status of an answer, such as 200} */
  static int status(Head head) throws Head.Malformed {
    String line = head.start();
    if (!line.matches("HTTP/1\\.1 [1-5][0-9]{2}(?: .*)?")) {
      throw new Head.Malformed("this is no answer of HTTP/1.1");
    }
    return Integer.parseInt(line, 9, 12, 10);
  }

  private void become(boolean now) {
    boolean before = ready;
    ready = now;
    if (before != now) {
      changed.run();
    }
  }

  @Override
  public void close() {
    closed = true;
    prober.interrupt();
    closeIdle();
  }
}
