package dev.holdfast.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * A data folder that one {@code up} holds. The lock is the kernel's: it goes with the process, and
 * nothing is left to clean.
 */
final class HeldFolder implements AutoCloseable {

  private static final String LOCK = "up.lock";

  private final FileChannel channel;

  private HeldFolder(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes hold of a folder, which is made if it is missing, for its user only.
   *
   * @throws IOException if another {@code up} holds it, or it cannot be used; the message says
   *     which
   */
  static HeldFolder hold(Path folder) throws IOException {
    try {
      if (!Files.isDirectory(folder)) {
        Files.createDirectories(folder, forTheUserOnly(folder));
      }
    } catch (FileSystemException e) {
      throw new IOException("the data folder " + folder + " cannot be made: " + e.getReason(), e);
    }
    FileChannel channel =
        FileChannel.open(
            folder.resolve(LOCK),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    FileLock lock = lock(channel);
    if (lock == null) {
      String holder = read(channel);
      channel.close();
      throw new IOException(
          "the data folder "
              + folder
              + " is in use by another `up`"
              + (holder.isEmpty() ? "" : ", process " + holder)
              + "; end that one, or name another folder with --data");
    }
    channel.truncate(0);
    channel.write(
        ByteBuffer.wrap(
            Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
        0);
    return new HeldFolder(channel);
  }

  private static FileAttribute<?>[] forTheUserOnly(Path folder) {
    return folder.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
        }
        : new FileAttribute<?>[0];
  }

  private static @Nullable FileLock lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException heldHere) {
      return null;
    }
  }

  private static String read(FileChannel channel) throws IOException {
    var bytes = ByteBuffer.allocate(20);
    channel.read(bytes, 0);
    String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    return text.matches("[0-9]+") ? text : "";
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
