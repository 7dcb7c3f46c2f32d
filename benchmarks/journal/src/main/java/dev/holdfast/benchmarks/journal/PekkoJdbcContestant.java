package dev.holdfast.benchmarks.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.holdfast.benchmarks.journal.PekkoSubject.Mapping;
import dev.holdfast.benchmarks.journal.Subject.Event;
import dev.holdfast.benchmarks.journal.Subject.State;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.EventSeq;
import org.apache.pekko.persistence.typed.SnapshotAdapter;

/**
 * pekko-persistence-jdbc with its own group commit, its own schema for PostgreSQL and one pool of
 * connections for both plugins, as its documentation recommends. The rest of its settings are in
 * {@code pekko-jdbc-contestant.conf}, with what was tried.
 */
final class PekkoJdbcContestant implements Contestant.Recovering {

  private static final String SCHEMA = "/schema/postgres/postgres-create-schema.sql";

  private static final String INSERT_EVENT =
      """
      INSERT INTO event_journal (persistence_id, sequence_number, deleted, writer, write_timestamp,
        adapter_manifest, event_ser_id, event_ser_manifest, event_payload)
      VALUES (?, ?, false, 'earlier', ?, '', ?, ?, ?)\
      """;

  private static final String INSERT_SNAPSHOT =
      """
      INSERT INTO snapshot (persistence_id, sequence_number, created, snapshot_ser_id,
        snapshot_ser_manifest, snapshot_payload)
      VALUES (?, ?, ?, ?, ?, ?)\
      """;

  private final String url;
  private final Stage stage;

  PekkoJdbcContestant(String url) throws SQLException, IOException {
    // The driver then makes one statement of many rows of a batch.
    this.url = url + "&reWriteBatchedInserts=true";
    createSchema();
    Config config =
        ConfigFactory.systemProperties()
            .withFallback(ConfigFactory.parseMap(Map.of("benchmark.url", this.url)))
            .withFallback(ConfigFactory.parseResources("pekko-jdbc-contestant.conf"))
            .withFallback(ConfigFactory.defaultReferenceUnresolved())
            .resolve();
    var mapping = new Mapping(new Events(), new Snapshots());
    this.stage = new Stage(config, (id, failed) -> PekkoSubject.create(id, mapping, failed));
  }

  private void createSchema() throws SQLException, IOException {
    String schema;
    try (InputStream in = PekkoJdbcContestant.class.getResourceAsStream(SCHEMA)) {
      if (in == null) {
        throw new IOException("pekko-persistence-jdbc has no " + SCHEMA);
      }
      schema = new String(in.readAllBytes(), UTF_8);
    }
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (String one : schema.split(";", -1)) {
        if (!one.isBlank()) {
          statement.execute(one);
        }
      }
    }
  }

  @Override
  public void fill(long population, int owners, int events, boolean snapshot) throws Exception {
    var them = new Population(population, owners);
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement insert = connection.prepareStatement(INSERT_EVENT);
        PreparedStatement insertSnapshot = connection.prepareStatement(INSERT_SNAPSHOT)) {
      connection.setAutoCommit(false);
      Filling.run(
          owners,
          events,
          (indexes, number) -> {
            for (int i : indexes) {
              insert.setString(1, them.id(i));
              insert.setLong(2, number);
              insert.setLong(3, System.currentTimeMillis());
              insert.setInt(4, PayloadSerializer.ID);
              insert.setString(5, Payloads.EVENT_NAME);
              insert.setBytes(6, Payloads.EVENT);
              insert.addBatch();
              if (snapshot && number == 1) {
                insertSnapshot.setString(1, them.id(i));
                insertSnapshot.setLong(2, number);
                insertSnapshot.setLong(3, System.currentTimeMillis());
                insertSnapshot.setInt(4, PayloadSerializer.ID);
                insertSnapshot.setString(5, Payloads.SNAPSHOT_NAME);
                insertSnapshot.setBytes(6, Payloads.SNAPSHOT);
                insertSnapshot.addBatch();
              }
            }
            insert.executeBatch();
            if (snapshot && number == 1) {
              insertSnapshot.executeBatch();
            }
            connection.commit();
          });
    }
  }

  @Override
  public void open(int owners) throws Exception {
    stage.open(owners);
  }

  @Override
  public WriteRound write(WriteOrder order) throws Exception {
    Stage.Written written = stage.write(order, () -> {});
    return new WriteRound(written.written(), written.perSecond(), written.latencies(), 0);
  }

  @Override
  public RecoveryRound recover(RecoveryOrder order) throws Exception {
    return stage.recover(order, _ -> {});
  }

  @Override
  public void reconnect(RecoveryOrder order) throws Exception {
    stage.reconnect(order);
  }

  @Override
  public long stored() throws SQLException {
    return HoldfastContestant.count(url, "event_journal");
  }

  @Override
  public void close() {
    stage.close();
  }

  private static final class Events extends EventAdapter<Event, Event> {

    @Override
    public Event toJournal(Event event) {
      return event;
    }

    @Override
    public String manifest(Event event) {
      return "";
    }

    @Override
    public EventSeq<Event> fromJournal(Event event, String manifest) {
      return EventSeq.single(event);
    }
  }

  private static final class Snapshots implements SnapshotAdapter<State> {

    @Override
    public Object toJournal(State state) {
      return state;
    }

    @Override
    public State fromJournal(Object from) {
      return (State) from;
    }
  }
}
