package dev.holdfast.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a whole journal and reports what is wrong in it: the {@code verify} command. Memory does
 * not grow with the journal: there is one owner's state in it at a time.
 *
 * @param <S> an owner's state
 * @param <E> a decoded event
 */
public final class JournalAudit<S, E> {

  /** Findings that a report lists; the rest is only counted. */
  private static final int LISTED = 1_000;

  private final Replayer<S, E> replayer;

  /** An audit that replays what it can. */
  public JournalAudit(Replayer<S, E> replayer) {
    this.replayer = replayer;
  }

  /**
   * What the rows of a journal mean: does what a recovery does. Refuses a row by any {@link
   * RuntimeException}.
   */
  public interface Replayer<S, E> {

    /** {@return the state before the first event} */
    S beginning();

    /** {@return the event, decoded} */
    E decode(JournalEvent event);

    /** {@return the state, decoded} */
    S decode(JournalSnapshot snapshot);

    /** {@return the state after an event} */
    S apply(S state, E event);

    /**
     * {@return whether the state after the event follows from it alone} So a log may begin with it.
     */
    boolean isBeginning(E event);

    /** {@return bytes that are the same for equal states, and others for others} */
    byte[] encode(S state);
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
    /** An event that was decoded cannot be applied to the state before it. */
    INAPPLICABLE_EVENT,
    /** The snapshot is of another state than the events lead to. */
    SNAPSHOT_DISAGREES,
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
   * @param compared snapshots that were compared with what the events lead to
   * @param payloadBytes bytes of their payloads
   * @param faults how many faults there are
   * @param findings the first thousand of them
   */
  public record Report(
      long owners,
      long events,
      long snapshots,
      long compared,
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
    return run(store, _ -> {});
  }

  /**
   * The same.
   *
   * @param progress told of each owner that it comes to
   */
  public Report run(JournalStore store, Consumer<? super Owner> progress) {
    Reading reading = new Reading(progress);
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
        reading.compared,
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
    private final Consumer<? super Owner> progress;
    private long owners;
    private long events;
    private long snapshots;
    private long compared;
    private long payloadBytes;
    private long faults;

    private @Nullable Owner owner;

    /** Number of the owner's snapshot, 0 without one. */
    private long snapshotNumber;

    /** The owner's snapshot, null without one that can be decoded. */
    private @Nullable S snapshot;

    /** After the event read last; null where it is not known. */
    private @Nullable S state;

    /** Number of the owner's event read last, 0 before the first. */
    private long last;

    Reading(Consumer<? super Owner> progress) {
      this.progress = progress;
    }

    @Override
    public void snapshot(SnapshotWrite snapshot) {
      turnTo(snapshot.owner());
      snapshots++;
      payloadBytes += snapshot.snapshot().payload().length;
      snapshotNumber = snapshot.number();
      try {
        this.snapshot = replayer.decode(snapshot.snapshot());
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
      @Nullable E decoded = decode(event);
      if (last == 0) {
        boolean isBeginning = number == 1 || (decoded != null && replayer.isBeginning(decoded));
        // After a snapshot nothing may be left out, not even before an event that needs nothing.
        if (isBeginning && (snapshotNumber == 0 || number <= snapshotNumber + 1)) {
          state = replayer.beginning();
        } else if (number == snapshotNumber + 1) {
          state = snapshot;
        } else if (number > snapshotNumber) {
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
        state = null;
      }
      last = number;
      apply(event, decoded);
      if (number == snapshotNumber && snapshot != null) {
        compare(snapshot);
      }
    }

    private @Nullable E decode(StoredEvent event) {
      try {
        return replayer.decode(event.event());
      } catch (RuntimeException refusal) {
        found(
            Fault.UNDECODABLE_EVENT,
            owner,
            event.number(),
            event.event().name() + ": " + message(refusal));
        return null;
      }
    }

    private void apply(StoredEvent event, @Nullable E decoded) {
      S before = state;
      state = null;
      if (before == null || decoded == null) {
        return;
      }
      try {
        state = replayer.apply(before, decoded);
      } catch (RuntimeException failure) {
        found(
            Fault.INAPPLICABLE_EVENT, owner, event.number(), event.event().name() + ": " + failure);
      }
    }

    /** What the events lead to, if that is known, with the snapshot of the same moment. */
    private void compare(S stored) {
      S replayed = state;
      if (replayed == null) {
        state = stored; // the beginning of the log was deleted: from here on it can be replayed
        return;
      }
      compared++;
      if (!Arrays.equals(replayer.encode(replayed), replayer.encode(stored))) {
        found(
            Fault.SNAPSHOT_DISAGREES,
            owner,
            snapshotNumber,
            "the snapshot of " + snapshotNumber + " is not what the events up to it lead to");
      }
    }

    private void turnTo(Owner next) {
      if (!next.equals(owner)) {
        finish();
        owner = next;
        owners++;
        progress.accept(next);
        snapshotNumber = 0;
        snapshot = null;
        state = null;
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
