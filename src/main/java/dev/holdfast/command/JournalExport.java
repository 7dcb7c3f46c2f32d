package dev.holdfast.command;

import dev.holdfast.http.Hashes;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.SnapshotWrite;
import dev.holdfast.journal.StoredEvent;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Writes a whole journal as lines, as of one moment, one row after another. */
final class JournalExport implements JournalStore.Scan {

  private final OutputStream out;
  private final String program;
  private final Instant at;
  private final Consumer<? super Owner> progress;
  private final MessageDigest digest = Hashes.sha256();
  private @Nullable Owner owner;
  private long owners;
  private long events;
  private long snapshots;

  private JournalExport(
      OutputStream out, String program, Instant at, Consumer<? super Owner> progress) {
    this.out = out;
    this.program = program;
    this.at = at;
    this.progress = progress;
  }

  /**
   * Writes all of {@code store} to {@code out}.
   *
   * @param program that does it, with its version
   * @param progress told of each owner that it comes to
   * @return what was written, as the last line says it
   */
  static PortableLine.Trailer write(
      JournalStore store,
      OutputStream out,
      String program,
      Instant at,
      Consumer<? super Owner> progress)
      throws IOException {
    JournalExport export = new JournalExport(out, program, at, progress);
    try {
      store.scan(OwnerRange.ALL, export);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    var trailer =
        new PortableLine.Trailer(
            export.owners,
            export.events,
            export.snapshots,
            HexFormat.of().formatHex(export.digest.digest()));
    out.write(trailer.bytes());
    out.write('\n');
    out.flush();
    return trailer;
  }

  @Override
  public void journal(String identity, long forgotten, @Nullable String ownerSecret) {
    line(
        new PortableLine.Header(
            PortableLine.FORMAT, program, at.toString(), identity, forgotten, ownerSecret));
  }

  @Override
  public void snapshot(SnapshotWrite snapshot) {
    count(snapshot.owner());
    snapshots++;
    line(new PortableLine.Snapshot(snapshot));
  }

  @Override
  public void event(StoredEvent event) {
    count(event.owner());
    events++;
    line(new PortableLine.Event(event));
  }

  private void count(Owner next) {
    if (!next.equals(owner)) {
      owner = next;
      owners++;
      progress.accept(next);
    }
  }

  private void line(PortableLine line) {
    byte[] bytes = line.bytes();
    digest.update(bytes);
    digest.update((byte) '\n');
    try {
      out.write(bytes);
      out.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
