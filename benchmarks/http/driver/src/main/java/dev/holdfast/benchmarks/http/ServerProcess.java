package dev.holdfast.benchmarks.http;

import dev.holdfast.local.NodeProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program that says {@code ready URL} on its standard output when it serves there. */
final class ServerProcess implements AutoCloseable {

  private static final String READY = "ready ";
  private static final long STOPPING_SECONDS = 30;

  private final Process process;
  private final URI url;
  private final Duration start;

  private ServerProcess(Process process, URI url, Duration start) {
    this.process = process;
    this.url = url;
    this.start = start;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param log what it prints on standard error
   * @throws IOException if it ends before
   */
  static ServerProcess start(List<String> command, Map<String, String> environment, Path log)
      throws IOException {
    var builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    long began = System.nanoTime();
    Process process = builder.start();
    try {
      BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(READY)) {
          return new ServerProcess(
              process,
              URI.create(line.substring(READY.length())),
              Duration.ofNanos(System.nanoTime() - began));
        }
      }
      throw new IOException(command.getLast() + " ended before it was ready, see " + log);
    } catch (IOException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  URI url() {
    return url;
  }

  /** From the start of the process to its being ready. */
  Duration start() {
    return start;
  }

  /** Processor time so far. */
  Duration processorTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** Live bytes of its heap, after a full collection. */
  long liveHeapBytes() throws IOException, InterruptedException {
    return NodeProcess.liveHeapBytes(process.pid());
  }

  /** Ends it with SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** Ends it in good order if it can. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOPPING_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
