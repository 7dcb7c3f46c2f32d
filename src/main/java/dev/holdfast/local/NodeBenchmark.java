package dev.holdfast.local;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/**
 * Measures one node with its embedded journal: durable changes of a cart line, reads of a session,
 * and the heap that an idle user takes.
 *
 * <p>Load is a closed loop: so many connections, each with one request in hand, each request for a
 * user at random among those of its connection. Every answer is checked, for its status and that it
 * holds what was asked for. Writes and reads alternate, round by round, after a warm-up of both;
 * what is told are the medians of the rounds with their least and greatest.
 */
public final class NodeBenchmark {

  private static final int LINES = 5;
  private static final int HEAP_USERS_A_STEP = 10_000;

  /**
   * How to measure.
   *
   * @param connections each with one request in hand
   * @param usersAConnection the users that a connection asks for
   * @param warmUp of both kinds of requests together
   * @param round of each kind
   */
  public record Plan(
      int connections, int usersAConnection, Duration warmUp, Duration round, int rounds) {}

  /**
   * One kind of requests in one round.
   *
   * @param perSecond answered requests
   * @param p50Micros latency that half of them did not exceed
   * @param p99Micros latency that 99 % did not exceed
   */
  public record Round(double perSecond, double p50Micros, double p99Micros) {}

  /**
   * What was measured.
   *
   * @param heapBytesAUser of an idle known user with one session and a cart of five lines
   */
  public record Result(List<Round> writes, List<Round> reads, double heapBytesAUser) {
    public Result {
      writes = List.copyOf(writes);
      reads = List.copyOf(reads);
    }
  }

  private final Plan plan;
  private final Consumer<String> progress;

  /**
   * A measurement.
   *
   * @param progress is told what is being done
   */
  public NodeBenchmark(Plan plan, Consumer<String> progress) {
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Starts a node, measures it and ends it.
   *
   * @param data an empty folder
   * @throws IOException if the node cannot be started, or gives a wrong answer
   */
  public Result run(Path data, List<String> jvmOptions) throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.start(data, jvmOptions)) {
      List<Caller> callers = new ArrayList<>();
      try {
        progress.accept("opening " + plan.connections() * plan.usersAConnection() + " users");
        for (int i = 0; i < plan.connections(); i++) {
          callers.add(new Caller(node.url(), i));
        }
        each(callers, caller -> caller.open(plan.usersAConnection()));
        progress.accept("warming up for " + plan.warmUp().toSeconds() + " s");
        for (int i = 0; i < 4; i++) {
          load(callers, i % 2 == 0, plan.warmUp().dividedBy(4));
        }
        var writes = new ArrayList<Round>();
        var reads = new ArrayList<Round>();
        for (int i = 1; i <= plan.rounds(); i++) {
          writes.add(load(callers, true, plan.round()));
          reads.add(load(callers, false, plan.round()));
          progress.accept(
              "round %d: %,.0f changes/s, %,.0f reads/s"
                  .formatted(i, writes.getLast().perSecond(), reads.getLast().perSecond()));
        }
        progress.accept("measuring the heap of idle users");
        return new Result(writes, reads, heapBytesAUser(node, callers));
      } finally {
        for (Caller caller : callers) {
          caller.close();
        }
      }
    }
  }

  /** What so many more users add to the live heap, when the first ones have been paid for. */
  private double heapBytesAUser(NodeProcess node, List<Caller> callers)
      throws IOException, InterruptedException {
    int each = HEAP_USERS_A_STEP / callers.size();
    each(callers, caller -> caller.open(each));
    long before = node.liveHeapBytes();
    each(callers, caller -> caller.open(each));
    long after = node.liveHeapBytes();
    return (double) (after - before) / ((long) each * callers.size());
  }

  private static Round load(List<Caller> callers, boolean writes, Duration time)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    long began = System.nanoTime();
    each(callers, caller -> caller.load(writes, end));
    double seconds = (System.nanoTime() - began) / 1e9;
    long[] latencies =
        callers.stream().flatMapToLong(caller -> Arrays.stream(caller.taken())).sorted().toArray();
    return new Round(
        latencies.length / seconds,
        latencies[latencies.length / 2] / 1e3,
        latencies[(int) (latencies.length * 0.99)] / 1e3);
  }

  @FunctionalInterface
  private interface Work {
    void on(Caller caller) throws IOException;
  }

  private static void each(List<Caller> callers, Work work)
      throws IOException, InterruptedException {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running = new ArrayList<Future<?>>();
      for (Caller caller : callers) {
        running.add(
            threads.submit(() -> {
              work.on(caller);
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

  /** One connection and the users that it asks for. For one thread at a time. */
  private static final class Caller implements AutoCloseable {

    private final HttpConnection connection;
    private final int number;
    private final List<byte[]> puts = new ArrayList<>();
    private final List<byte[]> gets = new ArrayList<>();
    private int users;
    private long[] latencies = new long[1 << 16];
    private int count;

    Caller(URI server, int number) throws IOException {
      this.connection = new HttpConnection(server);
      this.number = number;
    }

    /** Opens users with a cart of five lines each; they replace those asked for before. */
    void open(int howMany) throws IOException {
      puts.clear();
      gets.clear();
      for (int i = 0; i < howMany; i++) {
        String user = "bench-" + number + "-" + users++;
        var opened =
            connection.send(
                connection.request("POST", "/v1/sessions", null, "{\"user\":\"" + user + "\"}"));
        String token = opened.sessionToken();
        if (opened.status() != 201 || token == null) {
          throw new IOException("a session was not opened: " + opened);
        }
        for (int line = 0; line < LINES; line++) {
          byte[] put = connection.request("PUT", "/v1/cart/items/sku-" + line, token, line(line));
          var answer = connection.send(put);
          if (answer.status() != 201) {
            throw new IOException("a line was not set: " + answer);
          }
          if (line == 0) {
            puts.add(put);
          }
        }
        gets.add(connection.request("GET", "/v1/session", token, null));
      }
    }

    void load(boolean writes, long end) throws IOException {
      var random = ThreadLocalRandom.current();
      List<byte[]> requests = writes ? puts : gets;
      count = 0;
      long now = System.nanoTime();
      while (now < end) {
        var answer = connection.send(requests.get(random.nextInt(requests.size())));
        long answered = System.nanoTime();
        if (answer.status() != 200 || !answer.body().contains("\"sku-4\"")) {
          throw new IOException("a wrong answer: " + answer);
        }
        if (count == latencies.length) {
          latencies = Arrays.copyOf(latencies, 2 * count);
        }
        latencies[count++] = answered - now;
        now = answered;
      }
    }

    long[] taken() {
      return Arrays.copyOf(latencies, count);
    }

    /** A line of some 300 bytes. */
    private static String line(int number) {
      return """
      {"quantity":%d,"unitPrice":{"amount":"%d.95","currency":"EUR"},\
      "name":"A well made thing of which the shop has more than one","attributes":{"color":"red",\
      "size":"42","image":"/images/products/%d/front-view-large.jpg","vendor":"a vendor of things",\
      "note":"wrapped as a gift with a card that says what it has to say"}}\
      """
          .formatted(number + 1, 10 + number, number);
    }

    @Override
    public void close() throws IOException {
      connection.close();
    }
  }
}
