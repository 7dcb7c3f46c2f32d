package dev.holdfast.drill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a process holds.
 *
 * @param liveBytes objects that are in use, after a full collection
 * @param threads of the operating system
 * @param handles open files and sockets
 * @param residentBytes memory that it takes of the machine
 */
public record Vitals(long liveBytes, long threads, long handles, long residentBytes) {

  private static final Path PROCESSES = Path.of("/proc");
  private static final Path JCMD = Path.of(System.getProperty("java.home"), "bin", "jcmd");

  /** {@return whether they can be seen here: on Linux, with a JDK} */
  static boolean canBeSeen() {
    return Files.isDirectory(PROCESSES.resolve("self/fd")) && Files.isExecutable(JCMD);
  }

  /**
   * {@return those of a JVM, which collects its garbage for it}
   *
   * @throws IOException if it does not tell
   */
  static Vitals of(long pid) throws IOException, InterruptedException {
    long live = liveBytes(pid);
    Path process = PROCESSES.resolve(Long.toString(pid));
    List<String> status = Files.readAllLines(process.resolve("status"));
    try (Stream<Path> open = Files.list(process.resolve("fd"))) {
      return new Vitals(
          live, number(status, "Threads:"), open.count(), number(status, "VmRSS:") * 1024);
    }
  }

  /**
   * The last line of the histogram is that of all classes. A JVM stands still while it writes it,
   * so what it is written to must not be a pipe that waits for that same JVM to read: a file.
   */
  private static long liveBytes(long pid) throws IOException, InterruptedException {
    Path histogram = Files.createTempFile("holdfast-vitals", ".txt");
    try {
      Process jcmd =
          new ProcessBuilder(JCMD.toString(), Long.toString(pid), "GC.class_histogram")
              .redirectErrorStream(true)
              .redirectOutput(histogram.toFile())
              .start();
      int status = jcmd.waitFor();
      List<String> lines = Files.readAllLines(histogram);
      String total = lines.isEmpty() ? "" : lines.getLast();
      if (status != 0 || !total.startsWith("Total")) {
        throw new IOException("process " + pid + " does not tell what it holds: " + total);
      }
      return Long.parseLong(total.strip().split("\\s+", -1)[2]);
    } finally {
      Files.deleteIfExists(histogram);
    }
  }

  private static long number(List<String> status, String name) throws IOException {
    return status.stream()
        .filter(line -> line.startsWith(name))
        .map(line -> Long.parseLong(line.substring(name.length()).strip().split("\\s+", -1)[0]))
        .findFirst()
        .orElseThrow(() -> new IOException("the process does not tell its " + name));
  }

  @Override
  public String toString() {
    return "%.1f MiB of live objects, %d threads, %d open files, %d MiB resident"
        .formatted(liveBytes / 1048576.0, threads, handles, residentBytes >> 20);
  }
}
