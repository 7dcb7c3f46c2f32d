package dev.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * The journal cannot be opened. Nothing of what was found was changed. The message is one sentence
 * for the person who started the program, and names the file.
 */
public final class JournalUnusable extends Exception {

  /** What is wrong with the journal that was found. */
  public enum Problem {
    /** There is no journal where one is expected. */
    MISSING,
    /** Another live process holds the data directory. */
    HELD,
    /** The file is not a journal of this program. */
    FOREIGN,
    /** The file was written by a later version of this program. */
    NEWER,
    /** The file is damaged or incomplete. */
    CORRUPT,
    /** The directory or file cannot be read or written, or the database refuses it. */
    INACCESSIBLE,
    /** The database does not answer, or not yet: it may do so later. */
    UNREACHABLE,
    /** There is something in a journal that is to be filled. */
    NOT_EMPTY
  }

  private final Problem problem;

  public JournalUnusable(Problem problem, String message) {
    this(problem, message, null);
  }

  public JournalUnusable(Problem problem, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.problem = problem;
  }

  /** What is wrong. */
  public Problem problem() {
    return problem;
  }
}
