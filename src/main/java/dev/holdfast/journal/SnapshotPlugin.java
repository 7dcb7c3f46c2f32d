package dev.holdfast.journal;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.persistence.SelectedSnapshot;
import org.apache.pekko.persistence.SnapshotMetadata;
import org.apache.pekko.persistence.SnapshotSelectionCriteria;
import org.apache.pekko.persistence.snapshot.japi.SnapshotStore;
import org.jspecify.annotations.Nullable;
import scala.concurrent.Future;

/**
 * Pekko's way to load snapshots: {@code holdfast.journal.snapshots}. The snapshot on this level is
 * {@link JournalSnapshot}; a snapshot adapter of the entity maps it. Where the owner cannot be
 * read, it is {@link NotReplayed}, with the number 0.
 *
 * <p>It only loads. {@code EventSourcedBehavior} delays replies until its snapshot is stored, so
 * snapshots are written by {@link Journal#offerSnapshot} instead, and saving or deleting one here
 * fails.
 */
public final class SnapshotPlugin extends SnapshotStore {

  private final Journal journal = JournalSetup.journalOf(context().system());

  @Override
  public Future<Optional<SelectedSnapshot>> doLoadAsync(
      String persistenceId, SnapshotSelectionCriteria criteria) {
    return ScalaFutures.mapped(
        journal
            .recoveries()
            .begin(Owner.parse(persistenceId))
            .thenApply(recovered -> select(persistenceId, recovered.snapshot(), criteria))
            .exceptionally(failure -> Optional.of(instead(persistenceId, failure))),
        selected -> selected);
  }

  private static SelectedSnapshot instead(String persistenceId, Throwable failure) {
    return SelectedSnapshot.create(
        new SnapshotMetadata(persistenceId, 0, 0),
        NotReplayed.because(ScalaFutures.unwrapped(failure)));
  }

  private static Optional<SelectedSnapshot> select(
      String persistenceId, @Nullable SnapshotWrite stored, SnapshotSelectionCriteria criteria) {
    return Optional.ofNullable(stored)
        .map(snapshot ->
            SelectedSnapshot.create(
                new SnapshotMetadata(persistenceId, snapshot.number(), snapshot.at()),
                snapshot.snapshot()))
        .filter(selected ->
            selected.metadata().sequenceNr() <= criteria.maxSequenceNr()
                && selected.metadata().timestamp() <= criteria.maxTimestamp());
  }

  @Override
  public Future<Void> doSaveAsync(SnapshotMetadata metadata, Object snapshot) {
    return refused();
  }

  @Override
  public Future<Void> doDeleteAsync(SnapshotMetadata metadata) {
    return refused();
  }

  @Override
  public Future<Void> doDeleteAsync(String persistenceId, SnapshotSelectionCriteria criteria) {
    return refused();
  }

  private static Future<Void> refused() {
    return ScalaFutures.mapped(
        CompletableFuture.<Void>failedFuture(
            new UnsupportedOperationException("snapshots are written by Journal.offerSnapshot")),
        _ -> null);
  }
}
