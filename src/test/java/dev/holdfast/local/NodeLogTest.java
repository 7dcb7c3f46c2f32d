package dev.holdfast.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The log of a node's processes. */
@Timeout(20)
class NodeLogTest {

  @TempDir private Path dir;

  @Test
  void isForTheUserOnly() throws IOException {
    Path file = dir.resolve("logs/node-1.log");
    new NodeLog(file, 100).create();
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(Files.getPosixFilePermissions(dir.resolve("logs")))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void keepsOneOlderFileAndTheWritersPlace() throws IOException {
    Path file = dir.resolve("node-1.log");
    var log = new NodeLog(file, 10);
    log.create();
    try (var writer = Files.newOutputStream(file, StandardOpenOption.APPEND)) {
      writer.write("0123456789".getBytes(StandardCharsets.US_ASCII));
      log.rotate();
      assertThat(dir.resolve("node-1.log.1")).doesNotExist();
      writer.write("a".getBytes(StandardCharsets.US_ASCII));
      log.rotate();
      writer.write("the next".getBytes(StandardCharsets.US_ASCII));
      log.rotate();
    }
    assertThat(file).hasContent("the next");
    assertThat(dir.resolve("node-1.log.1")).hasContent("0123456789a");
    assertThat(Files.getPosixFilePermissions(dir.resolve("node-1.log.1")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(dir).isDirectoryNotContaining(path -> path.toString().endsWith(".new"));
  }

  @Test
  void rotatesNothingWhereSomebodyHasTakenItAway() throws IOException {
    Path file = dir.resolve("node-1.log");
    var log = new NodeLog(file, 10);
    log.create();
    Files.delete(file);
    log.rotate();
    assertThat(dir).isEmptyDirectory();
  }

  @Test
  void tellsTheLastWordsOfTheProgram() throws IOException {
    Path file = dir.resolve("node-1.log");
    var log = new NodeLog(file, 100_000);
    log.create();
    assertThat(log.lastWords()).isNull();
    Files.writeString(file, "INFO holdfast: no\nholdfast: first\nholdfast: last\nready\n");
    assertThat(log.lastWords()).isEqualTo("last");
    Files.writeString(file, "x".repeat(50_000) + "\nholdfast: at the end\n");
    assertThat(log.lastWords()).isEqualTo("at the end");
  }
}
