package dev.holdfast.local;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file that a node's processes write to, and the one before it: twice the limit at most, and
 * what is written within a second.
 *
 * <p>The processes write to the file themselves, at its end wherever that is, so that their last
 * words are there whatever becomes of {@code up}. So an old log is copied and the file cut, and
 * what is written in between is lost.
 */
final class NodeLog {

  private static final int LAST_WORDS = 16 * 1024;

  private final Path file;
  private final long limit;

  /**
   * @param limit bytes of one file
   */
  NodeLog(Path file, long limit) {
    this.file = file;
    this.limit = limit;
  }

  /** Makes the file and its folder if they are missing, for the user's eyes only. */
  void create() throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null && !Files.isDirectory(folder)) {
      Files.createDirectories(folder, only("rwx------"));
    }
    if (!Files.exists(file)) {
      Files.createFile(file, only("rw-------"));
    }
  }

  private FileAttribute<?>[] only(String permissions) {
    if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return new FileAttribute<?>[0];
    }
    Set<PosixFilePermission> set = PosixFilePermissions.fromString(permissions);
    return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(set)};
  }

  /** Keeps what is there as the older log, and begins anew, if it is over the limit. */
  void rotate() throws IOException {
    if (Files.notExists(file) || Files.size(file) <= limit) {
      return;
    }
    Path older = file.resolveSibling(file.getFileName() + ".1");
    Path draft = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.copy(
          file, draft, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    } catch (IOException full) {
      Files.deleteIfExists(draft);
      throw full;
    }
    try (FileChannel log = FileChannel.open(file, StandardOpenOption.WRITE)) {
      log.truncate(0);
    }
    Files.move(draft, older, StandardCopyOption.ATOMIC_MOVE);
  }

  /** {@return the last thing that the program itself said there, or null} */
  @Nullable String lastWords() {
    try (var log = new RandomAccessFile(file.toFile(), "r")) {
      byte[] end = new byte[(int) Math.min(log.length(), LAST_WORDS)];
      log.seek(log.length() - end.length);
      log.readFully(end);
      String last = null;
      for (String line : new String(end, StandardCharsets.UTF_8).split("\n", -1)) {
        if (line.startsWith("holdfast: ")) {
          last = line.substring("holdfast: ".length());
        }
      }
      return last;
    } catch (IOException unreadable) {
      return null;
    }
  }
}
