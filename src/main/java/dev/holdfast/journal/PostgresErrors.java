package dev.holdfast.journal;

import dev.holdfast.journal.NotWritten.Reason;
import java.sql.SQLException;
import java.util.Set;

/**
 * What an error of PostgreSQL says about a statement that commits by itself.
 *
 * <p>An <b>error that the server sent</b> ended the statement, and its transaction with it: known
 * not written. It is not enough where the session ends with it: a server that shuts down, or that
 * gives up waiting for its standby, ends sessions whose transaction is committed. So such an error,
 * like a <b>connection that broke</b>, leaves the outcome open until it was read. (SQLSTATE classes
 * and codes: PostgreSQL's documentation, appendix A.)
 */
final class PostgresErrors {

  private static final String UNIQUE_VIOLATION = "23505";
  static final String READ_ONLY = "25006";
  private static final String DISK_FULL = "53100";

  /** Two statements met: the same one may go through a moment later. */
  private static final Set<String> TRANSIENT = Set.of("40001", "40P01", UNIQUE_VIOLATION);

  /**
   * The server was reached and does not want this client: 08004, and 08P01 for what it did not
   * understand.
   */
  private static final Set<String> REFUSED = Set.of("08004", "08P01");

  /** Damaged rows or index: XX001 and XX002. */
  private static final Set<String> CORRUPT = Set.of("XX001", "XX002");

  private PostgresErrors() {}

  /** Whether the statement may have been committed all the same. */
  static boolean leavesOpen(SQLException e) {
    String state = state(e);
    return state.isEmpty()
        || state.startsWith("08")
        || state.startsWith("57P")
        // The session was ended for the time its transaction took.
        || state.equals("25P03")
        || state.equals("25P04");
  }

  /** Whether the connection is of no use any more. */
  static boolean endsSession(SQLException e) {
    // A server that turned read-only is no longer the primary: look for another one.
    return leavesOpen(e) || state(e).equals(READ_ONLY);
  }

  /** Whether no server was reached that takes connections; one that refuses the user was. */
  static boolean isAway(SQLException e) {
    String state = state(e);
    return state.startsWith("57P") || (state.startsWith("08") && !REFUSED.contains(state));
  }

  static boolean isTransient(SQLException e) {
    return TRANSIENT.contains(state(e));
  }

  /** The failure of a statement of which nothing was written. */
  static NotWritten notWritten(SQLException e) {
    String state = state(e);
    Reason reason =
        state.equals(DISK_FULL)
            ? Reason.FULL
            : CORRUPT.contains(state) ? Reason.CORRUPT : Reason.UNAVAILABLE;
    return new NotWritten(reason, describe(e), e);
  }

  /** The failure of a statement that writes and commits by itself. */
  static JournalFailure failure(SQLException e) {
    return leavesOpen(e) ? new InDoubt(describe(e), e) : notWritten(e);
  }

  /** One sentence; the driver's messages hold no parameters' values. */
  static String describe(SQLException e) {
    return "PostgreSQL: " + e.getMessage() + (state(e).isEmpty() ? "" : " (" + state(e) + ")");
  }

  private static String state(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }
}
