package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Brings the journal's file into being and up to date, and refuses what is not a journal.
 *
 * <p>What is refused is not touched: the file's own header is read before SQLite may open it. The
 * header always tells the version, because the schema is changed in rollback-journal mode, where
 * nothing of it is left in a write-ahead log. And a file under the journal's name is always whole,
 * because a new one is made under another name and moved.
 */
final class SqliteSchema {

  /** The version of {@code schema/sqlite/} that this program writes. */
  static final int VERSION = 1;

  /** "Hold", in the header of each journal. */
  static final int APPLICATION_ID = 0x486f6c64;

  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 100;
  private static final int PAGE_SIZE_AT = 16;
  private static final int PAGE_COUNT_AT = 28;
  private static final int USER_VERSION_AT = 60;
  private static final int APPLICATION_ID_AT = 68;

  private SqliteSchema() {}

  /** Makes the journal if there is none, and brings an older one up to date. */
  static void prepare(Path file) throws JournalUnusable {
    try {
      if (!Files.exists(file)) {
        create(file);
      } else if (check(file) < VERSION) {
        upgrade(file);
      }
    } catch (IOException | SQLException e) {
      throw new JournalUnusable(
          Problem.INACCESSIBLE, "the journal " + file + " cannot be prepared: " + e, e);
    }
  }

  /**
   * Reads the header of an existing file.
   *
   * @return its version
   * @throws JournalUnusable if it is not a journal that this program can read
   */
  static int check(Path file) throws JournalUnusable {
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    long size;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      size = channel.size();
      int read = 0;
      while (read >= 0 && header.hasRemaining()) {
        read = channel.read(header);
      }
    } catch (NoSuchFileException e) {
      throw new JournalUnusable(Problem.MISSING, "there is no journal " + file, e);
    } catch (IOException e) {
      throw new JournalUnusable(
          Problem.INACCESSIBLE, "the journal " + file + " cannot be read: " + e, e);
    }
    if (size < HEADER) {
      throw new JournalUnusable(
          Problem.CORRUPT, "the journal " + file + " is damaged: it ends after " + size + " bytes");
    }
    if (!Arrays.equals(header.array(), 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new JournalUnusable(Problem.FOREIGN, file + " is not a journal: not an SQLite file");
    }
    if (header.getInt(APPLICATION_ID_AT) != APPLICATION_ID) {
      throw new JournalUnusable(
          Problem.FOREIGN, file + " is not a journal: an SQLite file of another program");
    }
    int version = header.getInt(USER_VERSION_AT);
    if (version > VERSION) {
      throw new JournalUnusable(
          Problem.NEWER,
          "the journal "
              + file
              + " was written by a later version of this program (schema "
              + version
              + ", this one knows up to "
              + VERSION
              + ")");
    }
    checkSize(file, header, size);
    return version;
  }

  /** Without a log beside it, the file must be as long as its header says. */
  private static void checkSize(Path file, ByteBuffer header, long size) throws JournalUnusable {
    int pageSize = Short.toUnsignedInt(header.getShort(PAGE_SIZE_AT));
    long expected =
        Integer.toUnsignedLong(header.getInt(PAGE_COUNT_AT)) * (pageSize == 1 ? 65_536 : pageSize);
    if (size < expected && !Files.exists(log(file))) {
      throw new JournalUnusable(
          Problem.CORRUPT,
          "the journal " + file + " is damaged: it has " + size + " of " + expected + " bytes");
    }
  }

  private static void create(Path file) throws IOException, SQLException, JournalUnusable {
    if (Files.exists(log(file))) {
      throw new JournalUnusable(
          Problem.CORRUPT, "the journal " + file + " is missing, though its log is there");
    }
    Path draft = file.resolveSibling(file.getFileName() + ".new");
    for (String leftover : new String[] {"", "-journal"}) {
      Files.deleteIfExists(draft.resolveSibling(draft.getFileName() + leftover));
    }
    Files.createFile(draft);
    try (SqliteSession session = SqliteSession.writing(draft)) {
      session.execute("PRAGMA page_size = 4096");
      session.execute("PRAGMA application_id = " + APPLICATION_ID);
      migrate(session, 0);
    }
    DataDirectory.sync(draft);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      DataDirectory.sync(folder);
    }
  }

  private static void upgrade(Path file) throws SQLException, IOException {
    try (SqliteSession session = SqliteSession.writing(file)) {
      session.execute("PRAGMA journal_mode = DELETE");
      migrate(session, (int) session.number("PRAGMA user_version"));
    }
  }

  private static void migrate(SqliteSession session, int from) throws SQLException, IOException {
    session.beginWrite();
    for (int version = from + 1; version <= VERSION; version++) {
      for (String statement : statements(version)) {
        session.execute(statement);
      }
    }
    session.execute("PRAGMA user_version = " + VERSION);
    session.commit();
  }

  private static String[] statements(int version) throws IOException {
    String name = "/schema/sqlite/" + version + ".sql";
    try (@Nullable InputStream script = SqliteSchema.class.getResourceAsStream(name)) {
      if (script == null) {
        throw new IllegalStateException("the program lacks its own " + name);
      }
      String text = new String(script.readAllBytes(), StandardCharsets.UTF_8);
      return text.strip().split(";\\R", -1);
    }
  }

  /** The write-ahead log beside {@code file}. */
  static Path log(Path file) {
    return file.resolveSibling(file.getFileName() + "-wal");
  }
}
