package dev.holdfast.command;

import dev.holdfast.http.Hashes;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.JournalUnusable;
import dev.holdfast.journal.Owner;
import dev.holdfast.user.OwnerKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the lines of an exported journal into an empty one. All of them, or none: what is wrong
 * with a line is told with its number, and the journal stays empty.
 */
final class JournalImport {

  /** What is read is not an exported journal, or not a whole one. */
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    private Refused(long line, String what, @Nullable Throwable cause) {
      super("line " + line + ": " + what, cause);
    }
  }

  private final InputStream in;
  private final Consumer<? super Owner> progress;
  private final MessageDigest digest = Hashes.sha256();
  private long number;

  private @Nullable Owner owner;
  private long owners;
  private long events;
  private long snapshots;

  /** Of the owner's snapshot, 0 without one. */
  private long snapshotNumber;

  /** Of the owner's event read last, 0 before the first. */
  private long last;

  private JournalImport(InputStream in, Consumer<? super Owner> progress) {
    this.in = in;
    this.progress = progress;
  }

  /**
   * Fills {@code store}.
   *
   * @param in is read to its end, and should be buffered
   * @param rekeyed by which known users get new owner keys; null for all to keep theirs
   * @param progress told of each owner that it comes to
   * @return what was read, as the last line says it
   * @throws Refused if a line is not what it should be; nothing is in the journal then
   * @throws JournalUnusable if the journal is not empty, or in use
   */
  static PortableLine.Trailer read(
      InputStream in,
      JournalStore store,
      @Nullable OwnerKeys rekeyed,
      Consumer<? super Owner> progress)
      throws IOException, JournalUnusable {
    JournalImport run = new JournalImport(in, progress);
    PortableLine.Trailer[] end = new PortableLine.Trailer[1];
    try {
      store.load(scan -> {
        try {
          if (rekeyed == null) {
            end[0] = run.readInto(scan);
          } else {
            var other = new RekeyedScan(scan, rekeyed);
            end[0] = run.readInto(other);
            other.finish();
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return end[0];
  }

  private PortableLine.Trailer readInto(JournalStore.Scan scan) throws IOException {
    byte[] first = nextLine();
    if (!(parsed(first) instanceof PortableLine.Header header)) {
      throw refused("an exported journal begins with the line that says so", null);
    }
    if (header.format() != PortableLine.FORMAT) {
      throw refused(
          "it is of form " + header.format() + ", this program knows " + PortableLine.FORMAT, null);
    }
    String identity = header.identity();
    scan.journal(
        // Of a program that knew of no identity; it knew of no owner secret either.
        identity == null ? UUID.randomUUID().toString().replace("-", "") : identity,
        header.forgotten(),
        header.ownerSecret());
    add(first);
    while (true) {
      byte[] line = nextLine();
      switch (parsed(line)) {
        case PortableLine.Header _ -> throw refused("another beginning", null);
        case PortableLine.Snapshot(var snapshot) -> {
          turnTo(snapshot.owner());
          if (snapshotNumber != 0 || last != 0) {
            throw refused("an owner's one snapshot stands before its events", null);
          }
          snapshotNumber = snapshot.number();
          snapshots++;
          scan.snapshot(snapshot);
        }
        case PortableLine.Event(var event) -> {
          turnTo(event.owner());
          check(event.number());
          last = event.number();
          events++;
          scan.event(event);
        }
        case PortableLine.Trailer trailer -> {
          finishOwner();
          check(trailer);
          return trailer;
        }
      }
      add(line);
    }
  }

  private void check(long event) {
    if (event < 1) {
      throw refused("numbers begin at 1, not " + event, null);
    }
    if (last != 0 && event != last + 1) {
      throw refused("event " + event + " follows event " + last, null);
    }
    if (last == 0 && snapshotNumber != 0 && event > snapshotNumber + 1) {
      throw refused("event " + event + " follows the snapshot of " + snapshotNumber, null);
    }
  }

  private void turnTo(Owner next) {
    Owner before = owner;
    if (next.equals(before)) {
      return;
    }
    if (before != null && next.compareTo(before) < 0) {
      throw refused("owners must ascend, and " + next + " follows " + before, null);
    }
    finishOwner();
    owner = next;
    owners++;
    progress.accept(next);
    snapshotNumber = 0;
    last = 0;
  }

  private void finishOwner() {
    if (owner != null && last < snapshotNumber) {
      throw refused(
          "the snapshot of " + snapshotNumber + " before is ahead of its owner's events", null);
    }
  }

  private void check(PortableLine.Trailer trailer) throws IOException {
    var counted =
        new PortableLine.Trailer(
            owners, events, snapshots, HexFormat.of().formatHex(digest.digest()));
    if (!trailer.equals(counted)) {
      throw refused("the lines before are not those that were written: their sum is another", null);
    }
    if (in.read() >= 0) {
      throw refused("there is something behind the last line", null);
    }
  }

  private PortableLine parsed(byte[] line) {
    try {
      return PortableLine.read(line);
    } catch (IOException e) {
      throw refused("not JSON", e);
    } catch (IllegalArgumentException e) {
      throw refused(String.valueOf(e.getMessage()), e);
    }
  }

  private void add(byte[] line) {
    digest.update(line);
    digest.update((byte) '\n');
  }

  private byte[] nextLine() throws IOException {
    number++;
    ByteArrayOutputStream line = new ByteArrayOutputStream(512);
    int next = in.read();
    while (next >= 0 && next != '\n') {
      if (line.size() == PortableLine.LONGEST) {
        throw refused("longer than " + PortableLine.LONGEST + " bytes", null);
      }
      line.write(next);
      next = in.read();
    }
    if (next < 0) {
      throw refused("the file ends here, without its last line: it was cut off", null);
    }
    return line.toByteArray();
  }

  private Refused refused(String what, @Nullable Throwable cause) {
    return new Refused(number, what, cause);
  }
}
