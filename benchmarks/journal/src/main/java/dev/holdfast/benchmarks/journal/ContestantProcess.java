package dev.holdfast.benchmarks.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A contestant as the coordinator sees it. For one thread at a time. */
final class ContestantProcess implements AutoCloseable {

  /** The flags of Holdfast's launcher, and a heap that never grows. */
  private static final List<String> FLAGS =
      List.of(
          "-Xms2g",
          "-Xmx2g",
          "-XX:+UseCompactObjectHeaders",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+ExitOnOutOfMemoryError",
          "-Dlogback.configurationFile=logback-benchmark.xml");

  private static final Duration PATIENCE = Duration.ofMinutes(16);

  private final Kind kind;
  private final String store;
  private final Process process;
  private final Path log;
  private final BufferedWriter orders;
  private final BufferedReader answers;

  /**
   * Starts one.
   *
   * @param store the name of its folder or database
   * @param where its path or URL
   * @param connections that write there, for those that have a choice
   * @param log what it prints
   * @param options for its JVM
   */
  static ContestantProcess start(
      Kind kind, String store, String where, int connections, Path log, List<String> options)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(FLAGS);
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ContestantProgram.class.getName());
    command.add(kind.id());
    command.add(where);
    command.add(Integer.toString(connections));
    Process process =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    var started = new ContestantProcess(kind, store, process, log);
    boolean ready = false;
    try {
      started.answer("ready");
      ready = true;
      return started;
    } finally {
      if (!ready) {
        started.close();
      }
    }
  }

  private ContestantProcess(Kind kind, String store, Process process, Path log) {
    this.kind = kind;
    this.store = store;
    this.process = process;
    this.log = log;
    this.orders = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), UTF_8));
    this.answers = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
  }

  Kind kind() {
    return kind;
  }

  /** The name of its folder or database. */
  String store() {
    return store;
  }

  /** Processor time so far. */
  Duration processorTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /**
   * Gives an order and waits for the answer.
   *
   * @param expected the verb of the answer
   * @throws IOException if the contestant failed; its log says why
   */
  Line order(Line order, String expected) throws IOException {
    orders.write(order.toString());
    orders.newLine();
    orders.flush();
    return answer(expected);
  }

  private Line answer(String expected) throws IOException {
    CompletableFuture<@Nullable String> next = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            next.complete(nextAnswer());
          } catch (IOException e) {
            next.completeExceptionally(e);
          }
        });
    String text;
    try {
      text = next.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(kind.title() + " does not answer, see " + log, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (text == null) {
      throw new IOException(kind.title() + " failed, see " + log);
    }
    Line line = Line.parse(text);
    if (!line.verb().equals(expected)) {
      throw new IOException(kind.title() + " answers: " + text);
    }
    return line;
  }

  /** Passes over what the JVM itself prints. */
  private @Nullable String nextAnswer() throws IOException {
    String line = answers.readLine();
    while (line != null && !line.startsWith(ContestantProgram.ANSWER)) {
      line = answers.readLine();
    }
    return line == null ? null : line.substring(ContestantProgram.ANSWER.length());
  }

  /** Ends the process, in good order if it can. */
  @Override
  public void close() {
    try {
      orders.close();
      if (process.waitFor(20, TimeUnit.SECONDS)) {
        return;
      }
    } catch (IOException gone) {
      // It has ended by itself, or is about to be ended.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
  }

  /** Ends the process at once. */
  void kill() {
    process.destroyForcibly();
  }
}
