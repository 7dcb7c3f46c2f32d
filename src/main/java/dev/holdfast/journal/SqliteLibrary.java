package dev.holdfast.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where SQLite's native library is unpacked before it is loaded, once in a process.
 *
 * <p>The driver unpacks it into the system's temporary folder and removes it at an orderly end. A
 * process that is killed leaves it there, a megabyte each time. So it goes into the journal's own
 * folder, where the next process clears it away. Set {@code org.sqlite.tmpdir} for another place,
 * such as one from which code may be run if the journal's folder is mounted {@code noexec}.
 */
final class SqliteLibrary {

  static final String FOLDER = "native";

  private static final String PROPERTY = "org.sqlite.tmpdir";

  private SqliteLibrary() {}

  /**
   * Has the library unpacked below {@code directory}, unless this process has chosen a place
   * before.
   *
   * @param directory a folder that only this process uses
   */
  static synchronized void unpackInto(Path directory) throws IOException {
    if (System.getProperty(PROPERTY) == null) {
      Path folder = Files.createDirectories(directory.resolve(FOLDER));
      for (Path leftover : filesIn(folder)) {
        Files.delete(leftover);
      }
      System.setProperty(PROPERTY, folder.toString());
    }
  }

  private static List<Path> filesIn(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
