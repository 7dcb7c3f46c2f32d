package dev.holdfast.journal;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store that takes every batch and keeps nothing, for a journal that is only tried out. There is
 * nobody to fence, no feed and nothing to scan or load.
 */
public final class ForgetfulStore implements JournalStore {

  @Override
  public int batchesAtOnce() {
    return 1;
  }

  @Override
  public Outcome write(NodeId node, List<OwnerWrite> writes, List<SnapshotWrite> snapshots) {
    return new Outcome.Written(List.of());
  }

  @Override
  public List<Recovered> recover(List<Owner> owners, int maxEvents) {
    return owners.stream().map(owner -> new Recovered(owner, null, List.of(), 0)).toList();
  }

  @Override
  public long highest(Owner owner) {
    return 0;
  }

  @Override
  public long read(Owner owner, long from, long to, long max, Consumer<StoredEvent> consumer) {
    return 0;
  }

  @Override
  public int feed(long position, int max, Consumer<StoredEvent> consumer) {
    return 0;
  }

  @Override
  public int delete(NodeId node, Owner owner, long upTo) {
    return 0;
  }

  @Override
  public Trimmed trim(
      NodeId node, OwnerRange range, @Nullable Owner after, KeepRule keep, int work) {
    return new Trimmed(null, true, 0, 0, 0, 0);
  }

  @Override
  public Set<Owner> purge(NodeId node, Map<Owner, Long> newest, long later) {
    return newest.keySet();
  }

  @Override
  public boolean erase(NodeId node, Owner owner, long number, long newest, long deadline) {
    return true;
  }

  @Override
  public List<DueOwner> due(
      List<OwnerRange> ranges, long now, int limit, @Nullable DueOwner after) {
    return List.of();
  }

  @Override
  public void probe(int bytes) {}

  @Override
  public long historyNumber() {
    return 0;
  }

  @Override
  public FeedReaders feedReaders() {
    throw new UnsupportedOperationException("there is no feed");
  }

  @Override
  public @Nullable String ownerSecret() {
    return null;
  }

  @Override
  public boolean replaceOwnerSecret(String expected, String sealed) {
    return false;
  }

  @Override
  public NodeRegistry nodes() {
    throw new UnsupportedOperationException("nodes do not share what is forgotten");
  }

  @Override
  public void scan(OwnerRange range, Scan scan) {}

  @Override
  public void load(Consumer<Scan> rows) {
    throw new UnsupportedOperationException("it would not be kept");
  }

  @Override
  public List<String> damages() {
    return List.of();
  }

  @Override
  public void close() {}
}
