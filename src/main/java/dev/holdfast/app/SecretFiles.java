package dev.holdfast.app;

import dev.holdfast.http.Hashes;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files with secrets that are replaced while the node runs. Each is read every two seconds: reading
 * a few kilobytes is cheap, and sees every way in which a file changes, also that of Kubernetes,
 * which swaps a link far above it.
 *
 * <p>What has changed is taken over once it has been the same for two looks in a row, so a file
 * that is just being written is not taken for whole. What cannot be used is told in the log, once,
 * and by a meter; what was read before stays in use.
 */
final class SecretFiles implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SecretFiles.class);

  /** Between two looks. */
  static final Duration LOOK = Duration.ofSeconds(2);

  private static final int MOST_BYTES = 1 << 20;

  /** Takes over what stands in the files now. */
  interface Reader {
    /**
     * Reads them.
     *
     * @throws IOException if one cannot be read, or holds nothing that can be used; the message
     *     tells nothing of what is in it
     */
    void read() throws IOException;
  }

  /** What belongs together, and how far it has come. */
  private final class Watched {
    private final String what;
    private final List<Path> files;
    private final Reader reader;
    private final Counter taken;
    private byte @Nullable [] inUse;
    private byte @Nullable [] seen;
    private byte @Nullable [] refusedAs;
    private volatile boolean refused;

    Watched(String what, List<Path> files, Reader reader) {
      this.what = what;
      this.files = List.copyOf(files);
      this.reader = reader;
      this.taken =
          Counter.builder("holdfast.secrets.reloaded")
              .description("Times at which changed secrets were taken over from their files")
              .tag("what", what)
              .register(metrics);
      Gauge.builder("holdfast.secrets.refused", this, watched -> watched.refused ? 1 : 0)
          .description("1 while the files of these secrets hold nothing that can be used")
          .tag("what", what)
          .register(metrics);
    }

    void look() {
      byte[] now;
      try {
        now = fingerprint(files);
      } catch (IOException e) {
        now = String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8);
      }
      if (Arrays.equals(now, inUse)) {
        refused = false; // also when what could not be used was taken back
        seen = now;
      } else if (!Arrays.equals(now, seen)) {
        seen = now;
      } else if (!refused || !Arrays.equals(now, refusedAs)) {
        take(now);
      }
    }

    private void take(byte[] now) {
      try {
        reader.read();
        if (inUse != null) {
          taken.increment();
          LOG.info("{} have changed, and those in the file are in use now", what);
        }
        inUse = now;
        refused = false;
      } catch (IOException | RuntimeException e) {
        refusedAs = now;
        refused = true;
        // Not the exception itself: who knows what a library puts into its message.
        LOG.error(
            "{} cannot be taken over from their files, those in use stay: {}",
            what,
            e instanceof IOException ? e.getMessage() : e.getClass().getSimpleName());
      }
    }
  }

  private final MeterRegistry metrics;
  private final List<Watched> all = new ArrayList<>();
  private final List<Runnable> others = new ArrayList<>();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-secrets").factory());

  SecretFiles(MeterRegistry metrics) {
    this.metrics = metrics;
  }

  /**
   * Has them read again when they change, and once at the beginning: they may have changed since
   * they were read to start with. Before {@link #start}.
   *
   * @param what they are, in the plural, for people
   */
  void watch(String what, List<Path> files, Reader reader) {
    all.add(new Watched(what, files, reader));
  }

  /** Has something done after each look. Before {@link #start}. */
  void afterEachLook(Runnable other) {
    others.add(other);
  }

  void start() {
    start(LOOK);
  }

  void start(Duration every) {
    var _ =
        thread.scheduleWithFixedDelay(
            this::look, every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
  }

  void look() {
    try {
      all.forEach(Watched::look);
      others.forEach(Runnable::run);
    } catch (RuntimeException e) {
      // Without this the executor would never look again.
      LOG.error("a look at the files with secrets failed; the next one comes", e);
    }
  }

  private static byte[] fingerprint(List<Path> files) throws IOException {
    MessageDigest digest = Hashes.sha256();
    for (Path file : files) {
      if (Files.size(file) > MOST_BYTES) {
        throw new IOException(file + " is too large");
      }
      digest.update(Files.readAllBytes(file));
      digest.update((byte) 0);
    }
    return digest.digest();
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
