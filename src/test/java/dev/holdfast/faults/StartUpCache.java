package dev.holdfast.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The JVM's start-up cache for the packaged program, made once for all tests in the way in which
 * the launcher makes it, so that processes start about as quickly here as with users.
 */
final class StartUpCache {

  private static final long PATIENCE_SECONDS = 120;

  private StartUpCache() {}

  /** {@return the JVM options by which a process uses it} */
  static List<String> options() {
    return List.of("-Xlog:aot*=off", "-Xlog:cds*=off", "-XX:AOTCache=" + Made.FILE);
  }

  /** Made when it is first asked for. */
  private static final class Made {
    static final Path FILE = make();

    private static Path make() {
      Path jar = Path.of(HoldfastProcess.property("holdfast.jar"));
      Path file = jar.resolveSibling("holdfast-tests.aot");
      List<String> command = new ArrayList<>(HoldfastProcess.java());
      command.addAll(List.of("-XX:AOTCacheOutput=" + file, "-jar", jar.toString(), "rehearse"));
      try {
        Files.deleteIfExists(file);
        Path log = jar.resolveSibling("rehearsal-tests.log");
        Process rehearsal =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!rehearsal.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          rehearsal.destroyForcibly();
          throw new IllegalStateException("the rehearsal does not end; see " + log);
        }
        if (rehearsal.exitValue() != 0 || !Files.exists(file)) {
          throw new IllegalStateException("the rehearsal failed:\n" + Files.readString(log));
        }
        return file;
      } catch (IOException e) {
        throw new UncheckedIOException("the start-up cache cannot be made", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while the start-up cache was made", e);
      }
    }
  }
}
