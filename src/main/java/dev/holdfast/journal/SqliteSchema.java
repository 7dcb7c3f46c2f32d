package dev.holdfast.journal;

import dev.holdfast.journal.JournalUnusable.Problem;
import java.io.IOException;
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
import java.util.List;
import java.util.Objects;

/**
 * Brings the journal's file into being and up to date, and refuses what is not a journal.
 *
 * <p>What is refused is not touched: the file's own header is read before SQLite may open it. The
 * header always tells the version, because the schema is changed in rollback-journal mode, where
 * nothing of it is left in a write-ahead log. And a file under the journal's name is always whole,
 * because a new one is made under another name and moved.
 */
final class SqliteSchema {

  /** "Hold", in the header of each journal. */
  static final int APPLICATION_ID = 0x486f6c64;

  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 100;
  private static final int PAGE_SIZE_AT = 16;
  private static final int PAGE_COUNT_AT = 28;
  private static final int USER_VERSION_AT = 60;
  private static final int APPLICATION_ID_AT = 68;

  private static final int LATEST = 6;

  /** The script that leads to version 1, to version 2, and so on. */
  private final List<String> scripts;

  SqliteSchema(List<String> scripts) {
    this.scripts = List.copyOf(scripts);
  }

  /** The schema of this program. */
  static SqliteSchema current() {
    return new SqliteSchema(SchemaScripts.upTo(LATEST, "sqlite"));
  }

  /** The version that this schema leads to. */
  int version() {
    return scripts.size();
  }

  /** Makes the journal if there is none, and brings an older one up to date. */
  void prepare(Path file) throws JournalUnusable {
    try {
      if (Files.notExists(file)) {
        create(file);
      } else if (check(file) < version() || Files.exists(rollback(file))) {
        upgrade(file);
      }
    } catch (IOException | SQLException e) {
      throw new JournalUnusable(
          Problem.INACCESSIBLE, "the journal " + file + " cannot be prepared: " + e, e);
    }
  }

  /**
   * Checks a journal that other processes have open, and which therefore cannot be changed.
   *
   * @throws JournalUnusable also if it is of an older version
   */
  void join(Path file) throws JournalUnusable {
    int found = check(file);
    if (found < version()) {
      throw new JournalUnusable(
          Problem.HELD,
          "the journal "
              + file
              + " was written by an earlier version of this program, which still uses it: stop all"
              + " of its processes first (its schema is "
              + found
              + ", this one needs "
              + version()
              + ")");
    }
  }

  /**
   * Reads the header of an existing file.
   *
   * @return its version
   * @throws JournalUnusable if it is not a journal that this program can read
   */
  int check(Path file) throws JournalUnusable {
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
      throw damaged(file, "it ends after " + size + " bytes");
    }
    if (!Arrays.equals(header.array(), 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new JournalUnusable(Problem.FOREIGN, file + " is not a journal: not an SQLite file");
    }
    if (header.getInt(APPLICATION_ID_AT) != APPLICATION_ID) {
      throw new JournalUnusable(
          Problem.FOREIGN, file + " is not a journal: an SQLite file of another program");
    }
    int found = header.getInt(USER_VERSION_AT);
    if (found > version()) {
      throw new JournalUnusable(
          Problem.NEWER,
          "the journal "
              + file
              + " was written by a later version of this program (its schema is "
              + found
              + ", this one knows up to "
              + version()
              + ")");
    }
    if (found < 1) {
      throw damaged(file, "its schema has no version");
    }
    checkSize(file, header, size);
    return found;
  }

  /** Without a log beside it, the file must be as long as its header says. */
  private static void checkSize(Path file, ByteBuffer header, long size) throws JournalUnusable {
    long pages = Integer.toUnsignedLong(header.getInt(PAGE_COUNT_AT));
    long expected = pages * Short.toUnsignedInt(header.getShort(PAGE_SIZE_AT));
    if (size < expected && Files.notExists(log(file))) {
      throw damaged(file, "it has " + size + " of " + expected + " bytes");
    }
  }

  private static JournalUnusable damaged(Path file, String what) {
    return new JournalUnusable(Problem.CORRUPT, "the journal " + file + " is damaged: " + what);
  }

  private void create(Path file) throws IOException, SQLException, JournalUnusable {
    if (Files.exists(log(file))) {
      throw damaged(file, "it is missing, though its log " + log(file) + " is there");
    }
    // What an attempt that was cut short has left.
    Path draft = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(draft);
    Files.deleteIfExists(draft.resolveSibling(draft.getFileName() + "-journal"));
    Files.createFile(draft);
    try (SqliteSession session = SqliteSession.writing(draft)) {
      session.execute("PRAGMA page_size = " + SqliteStore.PAGE_SIZE);
      session.execute("PRAGMA application_id = " + APPLICATION_ID);
      migrate(session, 0);
    }
    DataDirectory.sync(draft);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    DataDirectory.sync(Objects.requireNonNull(file.toAbsolutePath().getParent()));
  }

  private void upgrade(Path file) throws SQLException {
    try (SqliteSession session = SqliteSession.writing(file)) {
      session.execute("PRAGMA journal_mode = DELETE");
      migrate(session, (int) session.number("PRAGMA user_version"));
    }
  }

  private void migrate(SqliteSession session, int from) throws SQLException {
    session.beginWrite();
    for (String script : scripts.subList(from, scripts.size())) {
      for (String statement : script.strip().split(";\\R", -1)) {
        session.execute(statement);
      }
    }
    session.execute("PRAGMA user_version = " + version());
    session.commit();
  }

  /**
   * What an upgrade that was cut short has left: the next who opens the file undoes it, whatever
   * its header says.
   */
  private static Path rollback(Path file) {
    return file.resolveSibling(file.getFileName() + "-journal");
  }

  /** The write-ahead log beside {@code file}. */
  static Path log(Path file) {
    return file.resolveSibling(file.getFileName() + "-wal");
  }
}
