package dev.holdfast.command;

import dev.holdfast.app.WallClock;
import dev.holdfast.journal.JournalStore;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code export}: a whole journal as a file of lines. */
@Command(
    name = "export",
    description = {
      "Writes a whole journal, as of one moment, to a file that import reads: one line of JSON for"
          + " each snapshot and event.",
      "The file holds everything that the journal holds, in the clear."
    },
    mixinStandardHelpOptions = true)
final class ExportCommand implements Callable<Integer> {

  private static final int BUFFER = 1 << 16;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  @Mixin private final JournalOptions journal = new JournalOptions();

  @Parameters(paramLabel = "FILE", description = "A new file, or - for standard output.")
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private String file;

  @Option(names = "--json", description = "Print what was written as JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    boolean toOutput = file.equals("-");
    try (JournalStore store = journal.openToRead()) {
      PortableLine.Trailer written;
      if (toOutput) {
        OutputStream out = new BufferedOutputStream(System.out, BUFFER);
        written = write(store, out);
        out.flush();
        if (System.out.checkError()) { // it tells in no other way
          throw new IOException("standard output took not all of it");
        }
      } else {
        written = writeFile(store, Path.of(file));
      }
      if (!toOutput) {
        report(written);
      }
    }
    return 0;
  }

  /** The whole file, or none. */
  private static PortableLine.Trailer writeFile(JournalStore store, Path path) throws IOException {
    boolean done = false;
    try (FileChannel channel = create(path)) {
      try (OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER)) {
        PortableLine.Trailer written = write(store, out);
        channel.force(true);
        done = true;
        return written;
      } finally {
        if (!done) {
          Files.delete(path);
        }
      }
    }
  }

  private static PortableLine.Trailer write(JournalStore store, OutputStream out)
      throws IOException {
    try (var progress = Progress.of("exporting")) {
      return JournalExport.write(
          store,
          out,
          new HoldfastCommand.Version().getVersion()[0],
          WallClock.system().instant(),
          progress);
    }
  }

  /** For its owner alone, where the file system knows owners. */
  private static FileChannel create(Path path) throws IOException {
    FileAttribute<?>[] attributes =
        FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
            }
            : new FileAttribute<?>[0];
    try {
      return FileChannel.open(
          path, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes);
    } catch (FileAlreadyExistsException e) {
      throw new IOException(path + " exists already", e);
    }
  }

  private void report(PortableLine.Trailer written) {
    var out = spec.commandLine().getOut();
    out.printf(
        Locale.ROOT,
        json
            ? "{\"users\":%d,\"events\":%d,\"snapshots\":%d}%n"
            : "exported %,d users, %,d events, %,d snapshots%n",
        written.owners(),
        written.events(),
        written.snapshots());
    out.flush();
  }
}
