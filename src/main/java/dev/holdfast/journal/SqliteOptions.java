package dev.holdfast.journal;

/**
 * How an embedded journal's file is used.
 *
 * @param readers connections that read, at least 1; a reading call waits for a free one
 * @param maxBytes size at which the file counts as full, in bytes, or {@link #UNLIMITED}; writes
 *     that would make it larger fail with {@link NotWritten.Reason#FULL} while nothing is lost
 * @param shared whether other processes of this machine may use the journal at the same time, which
 *     must all say so
 */
public record SqliteOptions(int readers, long maxBytes, boolean shared) {

  /** As large as the disk allows. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  public SqliteOptions {
    if (readers < 1) {
      throw new IllegalArgumentException("a journal needs at least one reader, not " + readers);
    }
    if (maxBytes < 1 << 20) {
      throw new IllegalArgumentException("a journal needs at least 1 MiB, not " + maxBytes);
    }
  }

  /** For a process that is alone with the journal. */
  public SqliteOptions(int readers, long maxBytes) {
    this(readers, maxBytes, false);
  }

  /** The same, for a journal that other processes may use at the same time. */
  public SqliteOptions sharing() {
    return new SqliteOptions(readers, maxBytes, true);
  }

  /** Two readers and no limit, alone. */
  public static SqliteOptions defaults() {
    return new SqliteOptions(2, UNLIMITED);
  }
}
