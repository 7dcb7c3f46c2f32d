package dev.holdfast.journal;

/**
 * How an embedded journal's file is used.
 *
 * @param readers connections that read, at least 1; a reading call waits for a free one
 * @param maxBytes size at which the file counts as full, in bytes, or {@link #UNLIMITED}; writes
 *     that would make it larger fail with {@link NotWritten.Reason#FULL} while nothing is lost
 */
public record SqliteOptions(int readers, long maxBytes) {

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

  /** Two readers and no limit. */
  public static SqliteOptions defaults() {
    return new SqliteOptions(2, UNLIMITED);
  }
}
