package dev.holdfast.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a whole journal and reports what is wrong in it: the {@code verify} command. Memory does
 * not grow with the journal.
 */
public final class JournalAudit {

  /** Findings that a report lists; the rest is only counted. */
  private static final int LISTED = 1_000;

  private final Consumer<JournalEvent> eventDecoder;
  private final Consumer<JournalSnapshot> snapshotDecoder;

  /**
   * An audit that shows each row to a decoder, which refuses it by an exception.
   *
   * @param eventDecoder decodes an event as a recovery would
   * @param snapshotDecoder decodes a snapshot as a recovery would
   */
  public JournalAudit(
      Consumer<JournalEvent> eventDecoder, Consumer<JournalSnapshot> snapshotDecoder) {
    this.eventDecoder = eventDecoder;
    this.snapshotDecoder = snapshotDecoder;
  }

  /** What kind of fault was found. */
  public enum Fault {
    /** A number is missing between two events of an owner. */
    GAP,
    /** A number occurs twice. */
    DUPLICATE,
    /** The log begins above 1, and no snapshot stands for what is missing. */
    NO_BEGINNING,
    /** The snapshot is of an event that the log has not reached, or there is no log at all. */
    SNAPSHOT_AHEAD,
    /** The decoder refuses an event. */
    UNDECODABLE_EVENT,
    /** The decoder refuses a snapshot. */
    UNDECODABLE_SNAPSHOT,
    /** The store's own structures are damaged, or part of it cannot be read. */
    DAMAGED
  }

  /**
   * One fault.
   *
   * @param fault its kind
   * @param owner whose it is, or null if it is the store's
   * @param number the sequence number where it was noticed, 0 if it is the store's
   * @param detail one sentence
   */
  public record Finding(Fault fault, @Nullable Owner owner, long number, String detail) {}

  /**
   * What an audit has read and found.
   *
   * @param owners owners with an event or a snapshot
   * @param events events read
   * @param snapshots snapshots read
   * @param payloadBytes bytes of their payloads
   * @param faults how many faults there are
   * @param findings the first thousand of them
   */
  public record Report(
      long owners,
      long events,
      long snapshots,
      long payloadBytes,
      long faults,
      List<Finding> findings) {

    public Report {
      findings = List.copyOf(findings);
    }

    /** Whether nothing is wrong. */
    public boolean isSound() {
      return faults == 0;
    }
  }

  /** Reads all of {@code store}. Blocking; a store that cannot be read to its end is a finding. */
  public Report run(JournalStore store) {
    Reading reading = new Reading();
    try {
      store.scan(OwnerRange.ALL, reading);
      reading.finish();
    } catch (StoreUnreadable unreadable) {
      reading.found(Fault.DAMAGED, null, 0, "not all of it can be read: " + message(unreadable));
    }
    try {
      for (String damage : store.damages()) {
        reading.found(Fault.DAMAGED, null, 0, damage);
      }
    } catch (StoreUnreadable unreadable) {
      reading.found(Fault.DAMAGED, null, 0, "it cannot be checked: " + message(unreadable));
    }
    return new Report(
        reading.owners,
        reading.events,
        reading.snapshots,
        reading.payloadBytes,
        reading.faults,
        reading.findings);
  }

  private static String message(Exception e) {
    return String.valueOf(e.getMessage());
  }

  /** Follows one owner after another. */
  private final class Reading implements JournalStore.Scan {

    private final List<Finding> findings = new ArrayList<>();
    private long owners;
    private long events;
    private long snapshots;
    private long payloadBytes;
    private long faults;

    private @Nullable Owner owner;

    /** Number of the owner's snapshot, 0 without one. */
    private long snapshotNumber;

    /** Number of the owner's event read last, 0 before the first. */
    private long last;

    @Override
    public void snapshot(SnapshotWrite snapshot) {
      turnTo(snapshot.owner());
      snapshots++;
      payloadBytes += snapshot.snapshot().payload().length;
      snapshotNumber = snapshot.number();
      try {
        snapshotDecoder.accept(snapshot.snapshot());
      } catch (RuntimeException refusal) {
        found(
            Fault.UNDECODABLE_SNAPSHOT,
            owner,
            snapshot.number(),
            snapshot.snapshot().name() + ": " + message(refusal));
      }
    }

    @Override
    public void event(StoredEvent event) {
      turnTo(event.owner());
      events++;
      payloadBytes += event.event().payload().length;
      long number = event.number();
      if (last == 0) {
        if (number > snapshotNumber + 1) {
          found(
              Fault.NO_BEGINNING,
              owner,
              number,
              "the log begins with " + number + ", the snapshot is of " + snapshotNumber);
        }
      } else if (number == last) {
        found(Fault.DUPLICATE, owner, number, "two events have the number " + number);
      } else if (number != last + 1) {
        found(Fault.GAP, owner, number, "event " + number + " follows event " + last);
      }
      last = number;
      try {
        eventDecoder.accept(event.event());
      } catch (RuntimeException refusal) {
        found(
            Fault.UNDECODABLE_EVENT, owner, number, event.event().name() + ": " + message(refusal));
      }
    }

    private void turnTo(Owner next) {
      if (!next.equals(owner)) {
        finish();
        owner = next;
        owners++;
        snapshotNumber = 0;
        last = 0;
      }
    }

    /** Looks at the owner as a whole, once all of it was read. */
    private void finish() {
      if (snapshotNumber > last) {
        found(
            Fault.SNAPSHOT_AHEAD,
            owner,
            snapshotNumber,
            "the snapshot is of " + snapshotNumber + ", the log ends with " + last);
      }
    }

    private void found(Fault fault, @Nullable Owner whose, long number, String detail) {
      faults++;
      if (findings.size() < LISTED) {
        findings.add(new Finding(fault, whose, number, detail));
      }
    }
  }
}
