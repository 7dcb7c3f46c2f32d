package dev.holdfast.local;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Measures streams of changes ({@code GET /v1/session/events}) on one node: what they take of its
 * heap, and how long after a change was sent each of them has told it. Two devices of each user
 * watch, and carts are changed at a steady rate.
 */
public final class StreamBenchmark {

  private static final int DEVICES = 2;
  private static final int OPENERS = 32;
  private static final int WRITERS = 16;
  private static final int MOST = 9_999;
  private static final int TIMEOUT_MILLIS = 60_000;
  private static final long ALL_TOLD_SECONDS = 30;
  private static final String SESSION = "event: session";
  private static final String CHANGE = "event: cart.line-set";

  /**
   * How to measure.
   *
   * @param streams open at a time, two of each user
   * @param changesPerSecond of carts, each told by two streams
   * @param warmUp of changes that do not count
   * @param time of those that count
   */
  public record Plan(int streams, double changesPerSecond, Duration warmUp, Duration time) {}

  /**
   * What was measured.
   *
   * @param told how often a stream told a change; each change is told by both streams of its user
   * @param p50Micros from the change's first byte sent until half of the streams had told it
   * @param p99Micros the same for 99 % of them
   * @param longestMicros the same for all of them
   * @param heapBytesAStream live bytes of the node's heap that a stream takes
   */
  public record Result(
      int streams,
      long told,
      double p50Micros,
      double p99Micros,
      double longestMicros,
      double heapBytesAStream) {}

  private final Plan plan;
  private final Consumer<String> progress;
  private final int users;
  private final String[] tokens;
  private final List<Socket> sockets = new ArrayList<>();
  private final CountDownLatch shown;

  /** When the change in hand of each user was sent, by {@link System#nanoTime}. */
  private final AtomicLongArray sentAt;

  /** How many of the user's streams have yet to tell it. */
  private final AtomicIntegerArray untold;

  private final ConcurrentLinkedQueue<Long> latencies = new ConcurrentLinkedQueue<>();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLong broken = new AtomicLong();
  private volatile boolean counts;
  private volatile boolean over;

  /**
   * A measurement.
   *
   * @param progress is told what is being done
   */
  public StreamBenchmark(Plan plan, Consumer<String> progress) {
    this.plan = plan;
    this.progress = progress;
    this.users = plan.streams() / DEVICES;
    this.tokens = new String[users * DEVICES];
    this.shown = new CountDownLatch(users * DEVICES);
    this.sentAt = new AtomicLongArray(users);
    this.untold = new AtomicIntegerArray(users);
  }

  /**
   * Starts a node, measures it and ends it.
   *
   * @param data an empty folder
   * @throws IOException if the node cannot be started or gives a wrong answer, or if a stream
   *     breaks off or does not tell a change
   */
  public Result run(Path data, List<String> jvmOptions) throws IOException, InterruptedException {
    Map<String, String> room =
        Map.of(
            "HOLDFAST_HTTP_STREAMS",
            Integer.toString(plan.streams()),
            "HOLDFAST_HTTP_CONNECTIONS",
            Integer.toString(plan.streams() + 1_000));
    ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
    try (NodeProcess node = NodeProcess.start(data, jvmOptions, room)) {
      progress.accept("opening " + tokens.length + " sessions");
      inParallel(OPENERS, opener -> openSessions(node.url(), opener));
      progress.accept("opening as many streams");
      long before = node.liveHeapBytes();
      for (int i = 0; i < tokens.length; i++) {
        int stream = i;
        Socket socket = connect(node.url(), tokens[i]);
        sockets.add(socket);
        readers.execute(() -> read(socket, stream % users));
      }
      if (!shown.await(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IOException(shown.getCount() + " streams have shown no session");
      }
      long after = node.liveHeapBytes();
      progress.accept("warming up for " + plan.warmUp().toSeconds() + " s");
      change(node.url(), plan.warmUp());
      counts = true;
      progress.accept("changing carts for " + plan.time().toSeconds() + " s");
      change(node.url(), plan.time());
      return result((double) (after - before) / tokens.length);
    } finally {
      over = true;
      for (Socket socket : sockets) {
        socket.close();
      }
      readers.shutdownNow();
    }
  }

  private Result result(double heap) throws IOException {
    if (broken.get() > 0) {
      throw new IOException(broken.get() + " streams have broken off");
    }
    long[] sorted = latencies.stream().mapToLong(Long::longValue).sorted().toArray();
    if (sorted.length == 0) {
      throw new IOException("no change was told");
    }
    return new Result(
        tokens.length,
        sorted.length,
        sorted[sorted.length / 2] / 1e3,
        sorted[(int) (sorted.length * 0.99)] / 1e3,
        sorted[sorted.length - 1] / 1e3,
        heap);
  }

  @FunctionalInterface
  private interface Work {
    void of(int number) throws IOException;
  }

  private static void inParallel(int count, Work work) throws IOException, InterruptedException {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running = new ArrayList<Future<?>>();
      for (int i = 0; i < count; i++) {
        int number = i;
        running.add(
            threads.submit(() -> {
              work.of(number);
              return null;
            }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a caller failed: " + e.getCause(), e.getCause());
    }
  }

  private void openSessions(URI node, int opener) throws IOException {
    try (var connection = new HttpConnection(node)) {
      for (int i = opener; i < tokens.length; i += OPENERS) {
        HttpConnection.Response opened =
            connection.send(
                connection.request(
                    "POST", "/v1/sessions", null, "{\"user\":\"watched-" + i % users + "\"}"));
        @Nullable String token = opened.sessionToken();
        if (opened.status() != 201 || token == null) {
          throw new IOException("a session was not opened: " + opened);
        }
        tokens[i] = token;
      }
    }
  }

  private static Socket connect(URI node, String token) throws IOException {
    var socket = new Socket();
    socket.connect(new InetSocketAddress(node.getHost(), node.getPort()), TIMEOUT_MILLIS);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket
        .getOutputStream()
        .write(
            "GET /v1/session/events HTTP/1.1\r\nHost: %s\r\nSession-Token: %s\r\n\r\n"
                .formatted(node.getAuthority(), token)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** Reads a stream to its end. Events are known by the line with their names. */
  private void read(Socket socket, int user) {
    try (InputStream in = new BufferedInputStream(socket.getInputStream(), 2_048)) {
      var line = new StringBuilder();
      for (int c = in.read(); c >= 0; c = in.read()) {
        if (c != '\n') {
          line.append((char) c);
          continue;
        }
        if (line.indexOf(CHANGE) == 0) {
          told(user);
        } else if (line.indexOf(SESSION) == 0) {
          shown.countDown();
        }
        line.setLength(0);
      }
      throw new IOException("the stream has ended");
    } catch (IOException e) {
      if (!over) {
        broken.incrementAndGet();
      }
    }
  }

  private void told(int user) {
    if (counts) {
      latencies.add(System.nanoTime() - sentAt.get(user));
    }
    untold.decrementAndGet(user);
  }

  private static String line(int quantity) {
    return "{\"quantity\":%d,\"unitPrice\":{\"amount\":\"4.95\",\"currency\":\"EUR\"}}"
        .formatted(quantity);
  }

  /** Changes carts of users whose last change has been told by all of their streams. */
  private void change(URI node, Duration time) throws IOException, InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    double each = 1e9 * WRITERS / plan.changesPerSecond();
    inParallel(WRITERS, _ -> write(node, end, each));
    long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(ALL_TOLD_SECONDS);
    for (int user = 0; user < users; user++) {
      while (untold.get(user) > 0) {
        if (System.nanoTime() - patience > 0) {
          throw new IOException("a change was not told by all streams of its user");
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
    }
  }

  private void write(URI node, long end, double nanosBetween) throws IOException {
    try (var connection = new HttpConnection(node)) {
      long due =
          System.nanoTime() + (long) (ThreadLocalRandom.current().nextDouble() * nanosBetween);
      while (due - end < 0) {
        for (long early = due - System.nanoTime(); early > 0; early = due - System.nanoTime()) {
          LockSupport.parkNanos(early);
        }
        int number = next.getAndIncrement();
        int user = number % users;
        if (untold.compareAndSet(user, 0, DEVICES)) {
          sentAt.set(user, System.nanoTime());
          HttpConnection.Response put =
              connection.send(
                  connection.request(
                      "PUT", "/v1/cart/items/tea", tokens[user], line(1 + number / users % MOST)));
          if (put.status() != 200 && put.status() != 201) {
            throw new IOException("a cart was not changed: " + put);
          }
        }
        due += (long) nanosBetween;
      }
    }
  }
}
