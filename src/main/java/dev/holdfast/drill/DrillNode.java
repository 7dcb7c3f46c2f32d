package dev.holdfast.drill;

import dev.holdfast.local.NodeProcess;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One node of the cluster under drill: its process, which is started, killed, stopped and started
 * again under the same name and on the same ports, but never by itself.
 */
final class DrillNode {

  static final String HOST = "127.0.0.1";

  private static final Duration ENDING = Duration.ofSeconds(45);

  /** Hears of the processes of a node. */
  interface Lifecycle {

    void begins(long pid) throws IOException;

    void ends(long pid);
  }

  private final String name;
  private final int httpPort;
  private final List<String> command;
  private final Map<String, String> environment;
  private final File log;
  private final Lifecycle lifecycle;
  private volatile @Nullable Process process;

  /**
   * @param jvmOptions further options of its JVM
   * @param share of the machine's memory that its heap may take, in percent
   * @param lifecycle told of each process
   * @param environment all of its settings but the port of its API and its name
   */
  DrillNode(
      String name,
      int httpPort,
      List<String> jvmOptions,
      double share,
      Map<String, String> environment,
      Path log,
      Lifecycle lifecycle) {
    this.name = name;
    this.httpPort = httpPort;
    this.command = NodeProcess.program(jvmOptions, share);
    this.command.add("serve");
    this.environment = new HashMap<>(environment);
    this.environment.put("HOLDFAST_NODE", name);
    this.environment.put("HOLDFAST_HOST", HOST);
    this.environment.put("HOLDFAST_PORT", Integer.toString(httpPort));
    this.environment.put("HOLDFAST_UNTIL_EOF", "true");
    this.log = log.toFile();
    this.lifecycle = lifecycle;
  }

  String name() {
    return name;
  }

  URI http() {
    return URI.create("http://" + HOST + ":" + httpPort);
  }

  /**
   * Starts a process and returns at once.
   *
   * @throws IOException if none can be started
   */
  void start() throws IOException {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(environment);
    // Standard input stays a pipe: its end tells the process that this one is gone.
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log));
    Process begun = builder.start();
    process = begun;
    lifecycle.begins(begun.pid());
    var _ = begun.onExit().thenRun(() -> lifecycle.ends(begun.pid()));
  }

  private Process running() {
    Process running = process;
    if (running == null) {
      throw new IllegalStateException(name + " was not started");
    }
    return running;
  }

  long pid() {
    return running().pid();
  }

  /** {@return its exit status, once it has ended} */
  int status() {
    return running().exitValue();
  }

  boolean isAlive() {
    Process running = process;
    return running != null && running.isAlive();
  }

  /** SIGKILL. */
  void kill() {
    running().destroyForcibly();
  }

  /** SIGTERM. */
  void terminate() {
    running().destroy();
  }

  /** SIGSTOP: it does nothing any more, and is not told. */
  void hang() throws IOException, InterruptedException {
    signal("STOP");
  }

  /** SIGCONT: it goes on as if nothing had been. */
  void wake() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String signal) throws IOException, InterruptedException {
    Process kill =
        new ProcessBuilder("sh", "-c", "kill -" + signal + " " + pid()).inheritIO().start();
    if (kill.waitFor() != 0) {
      throw new IOException("SIG" + signal + " could not be sent to " + name);
    }
  }

  /** {@return whether it has ended by then} */
  boolean awaitEnd(Duration patience) throws InterruptedException {
    return running().waitFor(patience.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Ends it, in good order if it does so in time. */
  void close() throws InterruptedException {
    Process running = process;
    if (running != null && running.isAlive()) {
      running.destroy();
      if (!awaitEnd(ENDING)) {
        running.destroyForcibly().waitFor();
      }
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
