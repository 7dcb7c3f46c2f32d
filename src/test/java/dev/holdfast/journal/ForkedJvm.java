package dev.holdfast.journal;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A process of its own that runs a main class of these tests. Whoever starts one ends it. */
final class ForkedJvm {

  private ForkedJvm() {}

  /** Starts {@code main}; what it writes to its error output goes to ours. */
  static Process start(Class<?> main, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName()));
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** The next line of its output, or null at the end. */
  static @Nullable String nextLine(Process process) throws IOException {
    return lines(process).readLine();
  }

  static BufferedReader lines(Process process) {
    return process.inputReader(StandardCharsets.UTF_8);
  }
}
