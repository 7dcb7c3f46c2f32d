package dev.holdfast.faults;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.local.NodeProcess;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One run of the program. */
final class HoldfastProcess implements AutoCloseable {

  private static final long PATIENCE_SECONDS = 60;
  private static final String READY = "ready ";

  /** The unit of {@code ulimit -f}, as POSIX has it. */
  private static final long BLOCK = 512;

  private final Process process;
  private final Stream out = new Stream();
  private final Stream err = new Stream();
  private final CompletableFuture<URI> ready = new CompletableFuture<>();
  private final List<Thread> readers;

  /** How a run ended and what it had said. */
  record Ended(int status, String out, String err) {}

  /** What it has written so far; one thread adds, others look. */
  private static final class Stream {
    private final StringBuilder text = new StringBuilder();

    synchronized void add(String line) {
      text.append(line).append('\n');
    }

    @Override
    public synchronized String toString() {
      return text.toString();
    }
  }

  private HoldfastProcess(Process process) {
    this.process = process;
    this.readers =
        List.of(
            Thread.ofVirtual().start(() -> read(process.inputReader(UTF_8), out)),
            Thread.ofVirtual().start(() -> read(process.errorReader(UTF_8), err)));
  }

  static HoldfastProcess start(Program.Launch launch) {
    var command = new ArrayList<String>();
    if (launch.maxFileBytes() > 0) {
      // The shell becomes the program, which so has the process id that is known here.
      command.addAll(
          List.of(
              "/bin/sh",
              "-c",
              "ulimit -S -f " + launch.maxFileBytes() / BLOCK + " && exec \"$@\"",
              "holdfast"));
    }
    command.addAll(java());
    Path classes = launch.classes();
    if (classes == null) {
      command.addAll(StartUpCache.options());
      command.addAll(List.of("-jar", property("holdfast.jar")));
    } else {
      // The cache is of other classes.
      command.addAll(
          List.of(
              "-cp", classes + File.pathSeparator + property("holdfast.jar"), "dev.holdfast.Main"));
    }
    command.addAll(launch.arguments());
    var builder = new ProcessBuilder(command);
    NodeProcess.dropSettings(builder.environment());
    builder.environment().putAll(launch.environment());
    try {
      return new HoldfastProcess(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException("the program cannot be started", e);
    }
  }

  /**
   * {@return the JVM of this process with the launcher's flags} It compiles quickly and not as
   * well: the processes of tests live too short to be worth more, and there are several at a time.
   */
  static List<String> java() {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(property("holdfast.jvm.flags").split(" ")));
    command.add("-XX:TieredStopAtLevel=1");
    return command;
  }

  static String property(String name) {
    String value = System.getProperty(name);
    if (value == null) {
      throw new IllegalStateException("set -D" + name + ", as the build does for *IT");
    }
    return value;
  }

  private void read(BufferedReader stream, Stream into) {
    try (stream) {
      String line = stream.readLine();
      while (line != null) {
        into.add(line);
        if (into == out && line.startsWith(READY)) {
          ready.complete(URI.create(line.substring(READY.length())));
        }
        line = stream.readLine();
      }
    } catch (IOException e) {
      // The pipe broke with the process: what was said before is there.
      into.add("(the stream broke: " + e.getMessage() + ")");
    } finally {
      if (into == out) {
        ready.completeExceptionally(new IOException("it ended"));
      }
    }
  }

  /** Waits for the line that says where it serves. */
  HoldfastProcess awaitReady() {
    url();
    return this;
  }

  /** {@return where it serves, as soon as it is ready} */
  URI url() {
    try {
      return ready.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(this + " did not become ready; it said\n" + out + err, e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** SIGKILL: nothing of the process runs any more when this returns. */
  void kill9() {
    process.destroyForcibly();
    awaitEnd();
  }

  /** SIGTERM, and then waits for the end. */
  Ended terminate() {
    signalTermination();
    return awaitEnd();
  }

  /** SIGTERM. */
  void signalTermination() {
    process.destroy();
  }

  Ended awaitEnd() {
    return awaitEnd(Duration.ofSeconds(PATIENCE_SECONDS));
  }

  Ended awaitEnd(Duration patience) {
    try {
      if (!process.waitFor(patience.toSeconds(), TimeUnit.SECONDS)) {
        throw new IllegalStateException(this + " did not end; it said\n" + out + err);
      }
      for (Thread reader : readers) {
        reader.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
      }
      return new Ended(process.exitValue(), out(), err());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** {@return what it has written to standard output so far} */
  String out() {
    return out.toString();
  }

  /** {@return what it has written to standard error so far} */
  String err() {
    return err.toString();
  }

  /** Ends it if it is still there. */
  @Override
  public void close() {
    process.destroyForcibly();
    awaitEnd();
  }

  @Override
  public String toString() {
    return "process " + process.pid();
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("interrupted while waiting for a process", e);
  }
}
