package dev.holdfast.local;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Users with carts of five lines, asked for over some connections, for whatever serves the API's
 * calls {@code POST /v1/sessions}, {@code PUT /v1/cart/items/{sku}} and {@code GET /v1/session}.
 *
 * <p>Every answer is checked, for its status and that it holds what was asked for.
 */
public final class ShopLoad implements AutoCloseable {

  private static final int LINES = 5;
  private static final byte[] LAST_SKU = "\"sku-4\"".getBytes(StandardCharsets.US_ASCII);

  /** What is asked for. */
  public enum Kind {
    /** Sets a whole line of some 300 bytes, one that is there already. */
    CHANGE,
    /** Looks at the session with the whole cart. */
    READ
  }

  /**
   * What came of some seconds of load.
   *
   * @param perSecond good answers
   * @param refusedPerSecond answers 429 and 503, which say that nothing happened
   * @param p50Micros latency that half of the good answers did not exceed
   * @param p99Micros latency that 99 % of them did not exceed
   */
  public record Round(
      double perSecond, double refusedPerSecond, double p50Micros, double p99Micros) {}

  private final List<Caller> callers = new ArrayList<>();

  /**
   * Connects.
   *
   * @param servers over which the connections are spread evenly
   * @param connections each for one request at a time
   * @param name that no other load on the same journal has: its users are called by it
   */
  public ShopLoad(List<URI> servers, int connections, String name) throws IOException {
    try {
      for (int i = 0; i < connections; i++) {
        callers.add(new Caller(servers.get(i % servers.size()), name + "-" + i));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens users with a cart of five lines each; they replace those asked for before.
   *
   * @throws IOException with the first answer that is wrong
   */
  public void open(int usersAConnection) throws IOException, InterruptedException {
    each(caller -> caller.open(usersAConnection));
  }

  /** Connects anew, to servers that have come back at the same addresses with the same users. */
  public void reconnect() throws IOException {
    for (Caller caller : callers) {
      caller.reconnect();
    }
  }

  /**
   * Sets the first line of each user so many times, one user after another.
   *
   * @throws IOException with the first answer that is not a good one
   */
  public void changeAll(int times) throws IOException, InterruptedException {
    each(caller -> caller.changeAll(times));
  }

  /**
   * A closed loop: each connection has one request in hand, for a user at random among its own.
   *
   * @throws IOException with the first answer that is not a good one
   */
  public Round closed(Kind kind, Duration time) throws IOException, InterruptedException {
    long began = System.nanoTime();
    long end = began + time.toNanos();
    each(caller -> caller.closed(kind, end));
    return round(began);
  }

  /**
   * An open load: requests are due at their times, however long the answers take; each connection
   * has its share of them, and one that is late sends at once. Latency counts from when a request
   * was due. What is refused is not asked again.
   *
   * @param perSecond requests that become due
   * @throws IOException with the first answer that is neither good nor a refusal
   */
  public Round open(Kind kind, Duration time, double perSecond)
      throws IOException, InterruptedException {
    long began = System.nanoTime();
    long end = began + time.toNanos();
    double each = 1e9 * callers.size() / perSecond;
    each(caller -> caller.open(kind, end, each));
    return round(began);
  }

  /**
   * Looks once at each user, in the order in which they were opened.
   *
   * @throws IOException with the first answer that is not a good one
   */
  public Round once() throws IOException, InterruptedException {
    long began = System.nanoTime();
    each(Caller::once);
    return round(began);
  }

  private Round round(long began) {
    double seconds = (System.nanoTime() - began) / 1e9;
    long[] latencies =
        callers.stream().flatMapToLong(caller -> Arrays.stream(caller.taken())).sorted().toArray();
    long refused = callers.stream().mapToLong(caller -> caller.refused).sum();
    return latencies.length == 0
        ? new Round(0, refused / seconds, 0, 0)
        : new Round(
            latencies.length / seconds,
            refused / seconds,
            latencies[latencies.length / 2] / 1e3,
            latencies[(int) (latencies.length * 0.99)] / 1e3);
  }

  @FunctionalInterface
  private interface Work {
    void on(Caller caller) throws IOException;
  }

  private void each(Work work) throws IOException, InterruptedException {
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

  @Override
  public void close() throws IOException {
    for (Caller caller : callers) {
      caller.connection.close();
    }
  }

  /** One connection and the users that it asks for. For one thread at a time. */
  private static final class Caller {

    private final URI server;
    private final String name;
    private HttpConnection connection;
    private final List<byte[]> changes = new ArrayList<>();
    private final List<byte[]> reads = new ArrayList<>();
    private int users;
    private long[] latencies = new long[1 << 14];
    private int count;
    private long refused;

    Caller(URI server, String name) throws IOException {
      this.server = server;
      this.name = name;
      this.connection = new HttpConnection(server);
    }

    void reconnect() throws IOException {
      connection.close();
      connection = new HttpConnection(server);
    }

    void changeAll(int times) throws IOException {
      begin();
      for (byte[] change : changes) {
        for (int i = 0; i < times; i++) {
          ask(change, System.nanoTime(), false);
        }
      }
    }

    void open(int howMany) throws IOException {
      changes.clear();
      reads.clear();
      for (int i = 0; i < howMany; i++) {
        String user = name + "-" + users++;
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
          if (answer.status() != 201 && answer.status() != 200) {
            throw new IOException("a line was not set: " + answer);
          }
          if (line == 0) {
            changes.add(put);
          }
        }
        reads.add(connection.request("GET", "/v1/session", token, null));
      }
    }

    void closed(Kind kind, long end) throws IOException {
      begin();
      var random = ThreadLocalRandom.current();
      List<byte[]> requests = requests(kind);
      long now = System.nanoTime();
      while (now - end < 0) {
        ask(requests.get(random.nextInt(requests.size())), now, false);
        now = System.nanoTime();
      }
    }

    void open(Kind kind, long end, double nanosBetween) throws IOException {
      begin();
      var random = ThreadLocalRandom.current();
      List<byte[]> requests = requests(kind);
      long first = System.nanoTime() + (long) (random.nextDouble() * nanosBetween);
      long due = first;
      for (long sent = 1; due - end < 0 && System.nanoTime() - end < 0; sent++) {
        for (long early = due - System.nanoTime(); early > 0; early = due - System.nanoTime()) {
          LockSupport.parkNanos(early);
        }
        ask(requests.get(random.nextInt(requests.size())), due, true);
        due = first + (long) (sent * nanosBetween);
      }
    }

    void once() throws IOException {
      begin();
      for (byte[] read : reads) {
        ask(read, System.nanoTime(), false);
      }
    }

    private void begin() {
      count = 0;
      refused = 0;
    }

    private List<byte[]> requests(Kind kind) {
      return switch (kind) {
        case CHANGE -> changes;
        case READ -> reads;
      };
    }

    private void ask(byte[] request, long since, boolean mayRefuse) throws IOException {
      var answer = connection.send(request);
      if (mayRefuse && (answer.status() == 503 || answer.status() == 429)) {
        refused++;
        return;
      }
      if (answer.status() != 200 || !answer.contains(LAST_SKU)) {
        throw new IOException("a wrong answer: " + answer);
      }
      if (count == latencies.length) {
        latencies = Arrays.copyOf(latencies, 2 * count);
      }
      latencies[count++] = System.nanoTime() - since;
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
  }
}
