package dev.holdfast.benchmarks.journal;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalEvent;
import dev.holdfast.journal.JournalSettings;
import dev.holdfast.journal.JournalSnapshot;
import dev.holdfast.journal.JournalStore;
import dev.holdfast.journal.JournalStore.Outcome.Written;
import dev.holdfast.journal.NodeId;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerWrite;
import dev.holdfast.journal.SnapshotWrite;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** Holdfast's journal, as a node has it. */
final class HoldfastContestant implements Contestant.Recovering {

  private final JournalStore store;
  private final String url;
  private final NodeId node = NodeId.random();
  private final Journal journal;
  private final Stage stage;

  /**
   * A journal on {@code store}, which it closes.
   *
   * @param url where the store's tables can be seen
   */
  HoldfastContestant(JournalStore store, String url) {
    this.store = store;
    this.url = url;
    if (store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO) == null) {
      throw new IllegalStateException("somebody else uses this journal");
    }
    // With the settings that Holdfast itself runs with.
    Config config =
        ConfigFactory.systemProperties()
            .withFallback(ConfigFactory.parseResources("holdfast-contestant.conf"))
            .withFallback(ConfigFactory.parseResources("application.conf"))
            .withFallback(ConfigFactory.defaultReferenceUnresolved())
            .resolve();
    this.journal =
        Journal.start(
            store,
            node,
            JournalSettings.from(config),
            InstantSource.system(),
            () -> {
              System.err.println("fenced");
              Runtime.getRuntime().halt(4);
            });
    this.stage = new Stage(config, (id, failed) -> HoldfastSubject.create(id, journal, failed));
  }

  @Override
  public void fill(long population, int owners, int events, boolean snapshot) throws Exception {
    var them = new Population(population, owners);
    Filling.run(
        owners,
        events,
        (indexes, number) -> {
          List<OwnerWrite> writes = new ArrayList<>();
          List<SnapshotWrite> snapshots = new ArrayList<>();
          for (int i : indexes) {
            writes.add(new OwnerWrite(them.owner(i), number, List.of(event())));
            if (snapshot && number == 1) {
              snapshots.add(
                  new SnapshotWrite(them.owner(i), 1, System.currentTimeMillis(), SNAPSHOT));
            }
          }
          if (!(store.write(node, writes, snapshots) instanceof Written written)
              || !written.conflicts().isEmpty()) {
            throw new IllegalStateException("the store did not take it");
          }
        });
  }

  @Override
  public void open(int owners) throws Exception {
    stage.open(owners);
  }

  @Override
  public WriteRound write(WriteOrder order) throws Exception {
    long[] events = new long[2];
    long[] batches = new long[2];
    int[] time = {0};
    Stage.Written written =
        stage.write(
            order,
            () -> {
              events[time[0]] = journal.metrics().events();
              batches[time[0]++] = journal.metrics().batches();
            });
    return new WriteRound(
        written.written(),
        written.perSecond(),
        written.latencies(),
        (double) (events[1] - events[0]) / Math.max(1, batches[1] - batches[0]));
  }

  @Override
  public RecoveryRound recover(RecoveryOrder order) throws Exception {
    return stage.recover(
        order, ids -> journal.prefetch(ids.stream().map(Owner::parse).toList()).join());
  }

  @Override
  public void reconnect(RecoveryOrder order) throws Exception {
    stage.reconnect(order);
  }

  @Override
  public long stored() throws SQLException {
    return count(url, "event");
  }

  /** Rows of a table. */
  static long count(String url, String table) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
      row.next();
      return row.getLong(1);
    }
  }

  @Override
  public void close() {
    stage.close();
    journal.close();
  }

  private static JournalEvent event() {
    long now = System.currentTimeMillis();
    return new JournalEvent(
        Payloads.EVENT_NAME, Payloads.EVENT, now, now + Payloads.DEADLINE_MILLIS);
  }

  private static final JournalSnapshot SNAPSHOT =
      new JournalSnapshot(Payloads.SNAPSHOT_NAME, Payloads.SNAPSHOT);
}
