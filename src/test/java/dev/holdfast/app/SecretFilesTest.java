package dev.holdfast.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

@Timeout(30)
final class SecretFilesTest {

  private static final Duration EVERY = Duration.ofMillis(20);

  @TempDir private Path folder;
  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final SecretFiles files = new SecretFiles(metrics);
  private final List<String> read = new CopyOnWriteArrayList<>();
  private final AtomicInteger looks = new AtomicInteger();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  @BeforeEach
  void listen() {
    log.start();
    ((Logger) LoggerFactory.getLogger(SecretFiles.class)).addAppender(log);
  }

  @AfterEach
  void stop() {
    files.close();
    ((Logger) LoggerFactory.getLogger(SecretFiles.class)).detachAppender(log);
  }

  /** Takes over whatever does not begin with an x. */
  private void watch(Path file) {
    files.watch(
        "keys",
        List.of(file),
        () -> {
          String text = Files.readString(file);
          if (text.startsWith("x")) {
            throw new IllegalArgumentException("cannot read " + text);
          }
          read.add(text);
        });
    files.afterEachLook(looks::incrementAndGet);
    files.start(EVERY);
    await().until(() -> read.size() == 1 || looks.get() > 3);
  }

  private void awaitLooks(int more) {
    int until = looks.get() + more;
    await().until(() -> looks.get() >= until);
  }

  @Test
  void takesOverWhatHasChangedAndNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("keys"), "one");
    watch(file);
    awaitLooks(5);
    assertThat(read).containsExactly("one");

    Files.writeString(file, "two");
    await().until(() -> read.size() == 2);
    awaitLooks(5);
    assertThat(read).containsExactly("one", "two");
    assertThat(metrics.get("holdfast.secrets.reloaded").counter().count()).isEqualTo(1);
  }

  /** As Kubernetes does: the file is a link into a link to a folder, and that one is swapped. */
  @Test
  void seesALinkSwappedFarAboveTheFile() throws IOException {
    Path first = Files.createDirectory(folder.resolve("..1"));
    Path second = Files.createDirectory(folder.resolve("..2"));
    Files.writeString(first.resolve("keys"), "one");
    Files.writeString(second.resolve("keys"), "two");
    Path data = Files.createSymbolicLink(folder.resolve("..data"), first.getFileName());
    watch(Files.createSymbolicLink(folder.resolve("keys"), Path.of("..data", "keys")));

    Path next = Files.createSymbolicLink(folder.resolve("..next"), second.getFileName());
    Files.move(next, data, StandardCopyOption.ATOMIC_MOVE);

    await().until(() -> read.contains("two"));
  }

  @Test
  void keepsWhatItHasWhereTheFileIsBrokenAndSaysSoOnceAndWithoutItsContent() throws IOException {
    Path file = Files.writeString(folder.resolve("keys"), "one");
    watch(file);
    for (int i = 0; i < 2; i++) {
      Files.writeString(file, "x-secret-" + i);
      await().until(() -> refused() == 1);
      awaitLooks(5);
      Files.writeString(file, "one");
      await().until(() -> refused() == 0);
    }
    assertThat(read).containsExactly("one");
    assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage).hasSize(2);
    assertThat(log.list)
        .allMatch(line -> line.getThrowableProxy() == null)
        .noneMatch(line -> line.getFormattedMessage().contains("secret"));
  }

  @Test
  void keepsWhatItHasWhereTheFileIsGoneAndTakesOverTheNextOne() throws IOException {
    Path file = Files.writeString(folder.resolve("keys"), "one");
    watch(file);
    Files.delete(file);
    await().until(() -> refused() == 1);
    Files.writeString(file, "two");
    await().until(() -> read.contains("two"));
    assertThat(refused()).isZero();
  }

  /** The first half of a list of keys is a list of keys, too. */
  @Test
  void waitsUntilAFileIsWrittenToItsEnd() throws IOException {
    Path file = Files.writeString(folder.resolve("keys"), "one");
    files.watch("keys", List.of(file), () -> read.add(Files.readString(file)));
    files.look();
    files.look();
    for (String half : List.of("t", "tw", "two")) {
      Files.writeString(file, half);
      files.look();
      assertThat(read).containsExactly("one");
    }
    files.look();
    assertThat(read).containsExactly("one", "two");
  }

  private double refused() {
    return metrics.get("holdfast.secrets.refused").gauge().value();
  }
}
