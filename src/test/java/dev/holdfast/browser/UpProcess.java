package dev.holdfast.browser;

import dev.holdfast.local.NodeProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** {@code up} with three nodes, as a process of its own. */
final class UpProcess implements AutoCloseable {

  private static final String READY = "ready ";
  private static final long PATIENCE_SECONDS = 120;

  private final Process process;
  private final CompletableFuture<URI> url = new CompletableFuture<>();

  private UpProcess(Process process) {
    this.process = process;
    Thread.ofVirtual().start(this::read);
  }

  static UpProcess start(Path data) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(System.getProperty("holdfast.jvm.flags").split(" ", -1)));
    command.addAll(
        List.of(
            "-Xmx384m", "-jar", System.getProperty("holdfast.jar"), "up", "--port", "0", "--data"));
    command.add(data.toString());
    var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    NodeProcess.dropSettings(builder.environment());
    var up = new UpProcess(builder.start());
    up.url();
    return up;
  }

  private void read() {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(READY)) {
          url.complete(URI.create(line.substring(READY.length())));
        }
      }
    } catch (IOException gone) {
      // It ended, which the next line tells.
    }
    url.completeExceptionally(new IOException("up ended"));
  }

  URI url() throws Exception {
    return url.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      process.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException stuck) {
      process.destroyForcibly();
      throw new IllegalStateException("up did not end", stuck);
    }
  }
}
