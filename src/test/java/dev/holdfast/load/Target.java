package dev.holdfast.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the load is sent to, by {@code -Dholdfast.load.target}: {@code node}, which is started here
 * with an embedded journal and ended; {@code cluster}, three nodes behind one address, the same; or
 * the URL of a server that runs somewhere.
 */
final class Target implements AutoCloseable {

  private static final String READY = "ready ";
  private static final long STOPPING_SECONDS = 40;

  private final URI url;
  private final @Nullable Process process;
  private final @Nullable Path folder;

  private Target(URI url, @Nullable Process process, @Nullable Path folder) {
    this.url = url;
    this.process = process;
    this.folder = folder;
  }

  /** Starts what there is to start, and waits until it is ready. */
  static Target start() {
    String target = System.getProperty("holdfast.load.target", "node");
    try {
      return switch (target) {
        case "node" -> run("serve");
        case "cluster" -> run("up");
        case String url -> new Target(URI.create(url), null, null);
      };
    } catch (IOException e) {
      throw new UncheckedIOException(target + " cannot be started", e);
    }
  }

  private static Target run(String command) throws IOException {
    Path folder = Files.createTempDirectory("holdfast-load");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseCompactObjectHeaders",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    classPath(),
                    "dev.holdfast.Main",
                    command,
                    "--port",
                    "0",
                    "--data",
                    folder.resolve("data").toString()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith(READY)) {
        return new Target(URI.create(line.substring(READY.length())), process, folder);
      }
    }
    throw new IOException(command + " ended before it was ready");
  }

  /**
   * The program and its libraries, without what only tests need: other versions of the same
   * libraries may be among it.
   */
  private static String classPath() {
    Path target = Path.of("target").toAbsolutePath();
    return target.resolve("classes") + System.getProperty("path.separator") + target + "/lib/*";
  }

  URI url() {
    return url;
  }

  @Override
  public void close() {
    if (process == null || folder == null) {
      return;
    }
    process.destroy();
    try {
      if (!process.waitFor(STOPPING_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
