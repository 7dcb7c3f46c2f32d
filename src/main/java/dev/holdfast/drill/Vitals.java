package dev.holdfast.drill;

import dev.holdfast.local.NodeProcess;
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

  /** {@return whether they can be seen here: on Linux, with a JDK} */
  static boolean canBeSeen() {
    return Files.isDirectory(PROCESSES.resolve("self/fd")) && NodeProcess.tellsLiveHeap();
  }

  /**
   * {@return those of a JVM, which collects its garbage for it}
   *
   * @throws IOException if it does not tell
   */
  static Vitals of(long pid) throws IOException, InterruptedException {
    long live = NodeProcess.liveHeapBytes(pid);
    Path process = PROCESSES.resolve(Long.toString(pid));
    List<String> status = Files.readAllLines(process.resolve("status"));
    try (Stream<Path> open = Files.list(process.resolve("fd"))) {
      return new Vitals(
          live, number(status, "Threads:"), open.count(), number(status, "VmRSS:") * 1024);
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
