package dev.holdfast.journal;

import dev.holdfast.journal.NotWritten.Reason;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * What an error of SQLite says about a transaction.
 *
 * <p>A transaction is in the journal if its last frame, the one that marks the commit, is in the
 * write-ahead log. From this follows what is known:
 *
 * <ul>
 *   <li>An error <b>before COMMIT</b>: that frame was never written. Known not written, whatever
 *       the error.
 *   <li><b>SQLITE_FULL on COMMIT</b>: a frame did not find room. The frame of the commit is the
 *       last one, so it is missing or cut off, and its checksum does not match. Known not written.
 *   <li><b>SQLITE_BUSY on COMMIT</b>: SQLite did not begin to commit. Known not written.
 *   <li><b>Any other error on COMMIT</b>, such as a failed sync: the frame may be in the file
 *       though SQLite disowns it, and would be found after a crash. In doubt, until the next commit
 *       has overwritten it.
 * </ul>
 */
final class SqliteErrors {

  private static final int PRIMARY_CODE = 0xff;

  private SqliteErrors() {}

  /** The failure of a transaction that had not come to its commit. */
  static NotWritten beforeCommit(SQLException e) {
    return new NotWritten(reason(e), describe(e), e);
  }

  /** The failure of a commit. */
  static JournalFailure onCommit(SQLException e) {
    SQLiteErrorCode code = primary(e);
    if (code == SQLiteErrorCode.SQLITE_FULL || code == SQLiteErrorCode.SQLITE_BUSY) {
      return new NotWritten(reason(e), describe(e), e);
    }
    return new InDoubt(describe(e), e);
  }

  private static Reason reason(SQLException e) {
    return switch (primary(e)) {
      case SQLITE_FULL -> Reason.FULL;
      // CONSTRAINT: the number was free when it was looked up, and taken when it was written.
      case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CONSTRAINT -> Reason.CORRUPT;
      default -> Reason.UNAVAILABLE;
    };
  }

  private static SQLiteErrorCode primary(SQLException e) {
    if (e instanceof SQLiteException sqlite) {
      return SQLiteErrorCode.getErrorCode(sqlite.getResultCode().code & PRIMARY_CODE);
    }
    return SQLiteErrorCode.UNKNOWN_ERROR;
  }

  private static String describe(SQLException e) {
    return "SQLite: " + e.getMessage();
  }
}
