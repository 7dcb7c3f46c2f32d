package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.NotWritten.Reason;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process of its own that writes one event after another for each of many owners, with a snapshot
 * now and then, and tells what was acknowledged.
 */
final class WriterProcess implements AutoCloseable {

  static final int OWNERS = 64;

  /** Its exit status when it found itself fenced. */
  static final int FENCED = 3;

  private static final int FAILED = 4;

  /** So short a log that many a kill falls into its being moved. */
  private static final int MOVE_AT = 64;

  private static final String NODE = "node ";

  private final Process process;
  private final Thread reading;
  private final Map<Integer, Long> acknowledged = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicLong longestPause = new AtomicLong();
  private volatile long lastHeard;
  private volatile String node = "";

  private WriterProcess(Process process) {
    this.process = process;
    this.reading = Thread.ofPlatform().name("writer-output").start(this::read);
  }

  static WriterProcess onSqlite(Path folder) throws IOException {
    return new WriterProcess(ForkedJvm.start(WriterProcess.class, "sqlite", folder.toString()));
  }

  /**
   * One of several on the same folder; it writes for {@link #OWNERS} owners from {@code first} on.
   */
  static WriterProcess onSharedSqlite(Path folder, int first) throws IOException {
    return new WriterProcess(
        ForkedJvm.start(WriterProcess.class, "shared", folder.toString(), Integer.toString(first)));
  }

  static WriterProcess onPostgres(PostgresOptions options) throws IOException {
    return new WriterProcess(
        ForkedJvm.start(WriterProcess.class, "postgres", options.url(), options.schema()));
  }

  private void read() {
    try (BufferedReader lines = ForkedJvm.lines(process)) {
      String line = lines.readLine();
      while (line != null) {
        // The last line may be cut off by a kill.
        if (line.endsWith(".")) {
          String text = line.substring(0, line.length() - 1);
          if (text.startsWith(NODE)) {
            node = text.substring(NODE.length());
          } else {
            String[] words = text.split(" ", 2);
            acknowledged.merge(Integer.valueOf(words[0]), Long.valueOf(words[1]), Math::max);
            count.incrementAndGet();
            long now = System.nanoTime();
            longestPause.accumulateAndGet(now - lastHeard, Math::max);
            lastHeard = now;
          }
        }
        line = lines.readLine();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The process, as the journal knows it. */
  NodeId node() {
    return new NodeId(node);
  }

  /** The highest number of each owner that was acknowledged; whole once the process has ended. */
  Map<Integer, Long> acknowledged() {
    return acknowledged;
  }

  int count() {
    return count.get();
  }

  /** Begins anew to look for the longest time without an acknowledgement. */
  void forgetPauses() {
    lastHeard = System.nanoTime();
    longestPause.set(0);
  }

  Duration longestPause() {
    return Duration.ofNanos(longestPause.get());
  }

  /** Waits until so many more writes were acknowledged. */
  void awaitMore(int writes) {
    int enough = count.get() + writes;
    await().until(() -> count.get() >= enough || !process.isAlive());
    assertThat(process.isAlive()).isTrue();
  }

  void kill() {
    // By its handle: the process's own method would close the stream that is still read.
    assertThat(process.toHandle().destroyForcibly()).isTrue();
  }

  void freeze() throws IOException, InterruptedException {
    Signals.freeze(process.pid());
  }

  void thaw() throws IOException, InterruptedException {
    Signals.thaw(process.pid());
  }

  /** Waits until it has ended and all that it had said was read; its exit status. */
  int awaitEnd() {
    await().atMost(Duration.ofSeconds(20)).until(() -> !process.isAlive() && !reading.isAlive());
    return process.exitValue();
  }

  @Override
  public void close() {
    process.toHandle().destroyForcibly();
    awaitEnd();
  }

  // ---------------------------------------------------------------------------------------------

  public static void main(String[] args) throws Exception {
    JournalStore store =
        switch (args[0]) {
          case "sqlite" -> SqliteStore.open(Path.of(args[1]), SqliteOptions.defaults(), MOVE_AT);
          case "shared" ->
              SqliteStore.open(Path.of(args[1]), SqliteOptions.defaults().sharing(), MOVE_AT);
          case "postgres" -> PostgresStore.open(new PostgresOptions(args[1], args[2], 2, 2));
          default -> throw new IllegalArgumentException(args[0]);
        };
    NodeId node = NodeId.random();
    int first = 0;
    if (args[0].equals("shared")) {
      first = Integer.parseInt(args[2]);
      join(store.nodes(), node);
    } else {
      store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO);
    }
    Journal journal =
        Journal.start(
            store,
            node,
            JournalSettings.from(ConfigFactory.load()),
            InstantSource.system(),
            () -> Runtime.getRuntime().halt(FENCED));
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.US_ASCII);
    out.print(NODE + node.value() + ".\n");
    for (int i = first; i < first + OWNERS; i++) {
      write(journal, i, store.highest(JournalContract.owner(i)) + 1, out);
    }
    new CountDownLatch(1).await();
  }

  /** Claims the incarnation of the first cluster, or becomes one of its nodes. */
  static void join(NodeRegistry nodes, NodeId node) {
    NodeRegistry.Incarnation current = nodes.incarnation();
    while (current.released()
        ? nodes.claim(node, current.number(), Duration.ofDays(1)) == null
        : !nodes.register(node, current.number())) {
      current = nodes.incarnation();
    }
  }

  private static void write(Journal journal, int index, long number, PrintStream out) {
    Owner owner = JournalContract.owner(index);
    int events = 1 + (int) (number % 3);
    var _ =
        journal
            .write(JournalContract.writeOf(owner, number, events))
            .whenComplete((done, failure) -> {
              if (failure == null) {
                long last = number + events - 1;
                out.print(index + " " + last + ".\n");
                if (last % 10 == 0) {
                  journal.offerSnapshot(
                      new SnapshotWrite(
                          owner, last, last, new JournalSnapshot("s.v1", new byte[200])),
                      journal.historyNumber());
                }
                write(journal, index, last + 1, out);
              } else {
                goOnAfter(failure, () -> write(journal, index, number, out));
              }
            });
  }

  private static void goOnAfter(Throwable failure, Runnable again) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    Reason reason = cause instanceof NotWritten no ? no.reason() : Reason.UNAVAILABLE;
    if (reason == Reason.STALLED) {
      // It was frozen for longer than a batch may take: this write is known not to be there.
      CompletableFuture.delayedExecutor(20, TimeUnit.MILLISECONDS).execute(again);
    } else if (reason != Reason.FENCED) {
      System.err.println("the writer fails: " + failure);
      Runtime.getRuntime().halt(FAILED);
    }
  }
}
