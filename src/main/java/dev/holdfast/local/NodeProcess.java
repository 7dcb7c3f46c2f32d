package dev.holdfast.local;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A node in a process of its own, started with the JVM and the options of this one. */
public final class NodeProcess implements AutoCloseable {

  private static final String READY = "ready ";
  private static final double JVM_SHARE_OF_MEMORY = 25;
  private static final long STOPPING_SECONDS = 30;
  private static final Path JCMD = Path.of(System.getProperty("java.home"), "bin", "jcmd");

  private final Process process;
  private final URI url;

  private NodeProcess(Process process, URI url) {
    this.process = process;
    this.url = url;
  }

  /**
   * Starts {@code serve} and waits until it is ready. It has no settings but these, and ends with
   * this process.
   *
   * @param data its folder
   * @param jvmOptions further options of its JVM
   * @param environment its settings
   * @throws IOException if it ends before it is ready; it has said why on standard error
   */
  public static NodeProcess start(
      Path data, List<String> jvmOptions, Map<String, String> environment) throws IOException {
    List<String> command = program(jvmOptions, JVM_SHARE_OF_MEMORY);
    command.addAll(List.of("serve", "--port", "0", "--data", data.toString()));
    var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    // What this process was told is of another node, and perhaps of another journal.
    dropSettings(builder.environment());
    builder.environment().put("HOLDFAST_UNTIL_EOF", "true");
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(READY)) {
          return new NodeProcess(process, URI.create(line.substring(READY.length())));
        }
      }
      throw new IOException("the node ended before it was ready");
    } catch (IOException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  /** Takes all settings of Holdfast out of an environment. */
  public static void dropSettings(Map<String, String> environment) {
    environment.keySet().removeIf(name -> name.startsWith("HOLDFAST_"));
  }

  /**
   * {@return the command line of this program without its arguments, with the JVM and the options
   * of this process}
   *
   * @param jvmOptions further options
   * @param percent of the machine's memory that its heap may take, if that is less than what a JVM
   *     takes by itself and this process was told nothing about its heap
   */
  public static List<String> program(List<String> jvmOptions, double percent) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (percent < JVM_SHARE_OF_MEMORY) {
      // Before what this process was told, which wins.
      command.add("-XX:MaxRAMPercentage=" + percent);
    }
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      // A debugger's port can be had once, and a cache written by one process.
      if (!option.startsWith("-agentlib:jdwp") && !option.startsWith("-XX:AOTCacheOutput")) {
        command.add(option);
      }
    }
    command.addAll(jvmOptions);
    command.add("-cp");
    command.add(absolute(System.getProperty("java.class.path")));
    command.add("dev.holdfast.Main");
    return command;
  }

  private static String absolute(String classPath) {
    return Arrays.stream(classPath.split(File.pathSeparator, -1))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  public URI url() {
    return url;
  }

  public long pid() {
    return process.pid();
  }

  /** {@return the processor time that it has used, in milliseconds} */
  public long processorMillis() {
    return process.info().totalCpuDuration().map(time -> time.toMillis()).orElse(0L);
  }

  /**
   * {@return the bytes of live objects in its heap, after a full collection}
   *
   * @throws IOException if this Java has no {@code jcmd}
   */
  public long liveHeapBytes() throws IOException, InterruptedException {
    return liveHeapBytes(pid());
  }

  /**
   * {@return the bytes of live objects in the heap of any Java process, after a full collection}
   *
   * @throws IOException if this Java has no {@code jcmd}, or there is no such process
   */
  public static long liveHeapBytes(long pid) throws IOException, InterruptedException {
    // A JVM stands still while it writes the histogram, so that must not go into a pipe which waits
    // for that same JVM to read it.
    Path histogram = Files.createTempFile("holdfast-heap", ".txt");
    try {
      int status =
          new ProcessBuilder(JCMD.toString(), Long.toString(pid), "GC.class_histogram")
              .redirectErrorStream(true)
              .redirectOutput(histogram.toFile())
              .start()
              .waitFor();
      List<String> lines = Files.readAllLines(histogram);
      String total = lines.isEmpty() ? "" : lines.getLast(); // of all classes
      String[] fields = total.split(" +", -1);
      if (status != 0 || !total.startsWith("Total") || fields.length < 3) {
        throw new IOException("process " + pid + " does not tell the size of its heap: " + total);
      }
      return Long.parseLong(fields[2]);
    } finally {
      Files.deleteIfExists(histogram);
    }
  }

  /** {@return whether this Java can tell it: it has {@code jcmd}} */
  public static boolean tellsLiveHeap() {
    return Files.isExecutable(JCMD);
  }

  /** SIGKILL. */
  public void kill() {
    process.destroyForcibly();
  }

  /** Ends it as an operator would, and waits for that. */
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
