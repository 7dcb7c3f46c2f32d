package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.ANN;
import static dev.holdfast.journal.JournalContract.BOB;
import static dev.holdfast.journal.JournalContract.CAT;
import static dev.holdfast.journal.JournalContract.writeOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.journal.JournalAudit.Fault;
import dev.holdfast.journal.JournalAudit.Finding;
import dev.holdfast.journal.JournalAudit.Report;
import dev.holdfast.journal.JournalUnusable.Problem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The audit, on journals with planted faults. */
@Timeout(60)
class JournalAuditTest {

  @TempDir Path folder;

  @Test
  void findsNothingInASoundJournal() throws Exception {
    fill();

    Report report = audit();

    assertThat(report.findings()).isEmpty();
    assertThat(report.isSound()).isTrue();
    assertThat(report.owners()).isEqualTo(3);
    assertThat(report.events()).isEqualTo(5 + 3 + 1 - 2);
    assertThat(report.snapshots()).isEqualTo(1);
  }

  @Test
  void findsAGap() throws Exception {
    fill();
    alter("DELETE FROM event WHERE seq = 2 AND owner = " + sql(BOB));

    assertThat(audit().findings())
        .containsExactly(new Finding(Fault.GAP, BOB, 3, "event 3 follows event 1"));
  }

  @Test
  void findsADuplicate() throws Exception {
    fill();
    alter("DROP INDEX event_key");
    alter(
        "INSERT INTO event SELECT 99, owner, seq, at, due, name, payload FROM event WHERE seq = 2"
            + " AND owner = "
            + sql(BOB));
    alter("CREATE INDEX event_key ON event (owner, seq)");

    assertThat(audit().findings())
        .containsExactly(new Finding(Fault.DUPLICATE, BOB, 2, "two events have the number 2"));
  }

  @Test
  void findsALogWithoutBeginning() throws Exception {
    fill();
    alter("DELETE FROM snapshot");

    assertThat(audit().findings()).extracting(Finding::fault).containsExactly(Fault.NO_BEGINNING);
  }

  @Test
  void findsASnapshotAheadOfTheLog() throws Exception {
    fill();
    alter("UPDATE snapshot SET seq = 6");
    assertThat(audit().findings()).extracting(Finding::fault).containsExactly(Fault.SNAPSHOT_AHEAD);

    alter("DELETE FROM event WHERE owner = " + sql(ANN));
    assertThat(audit().findings()).extracting(Finding::fault).containsExactly(Fault.SNAPSHOT_AHEAD);
  }

  @Test
  void findsWhatADecoderRefuses() throws Exception {
    fill();
    JournalAudit strict =
        new JournalAudit(
            event -> {
              if (event.at() == 3) {
                throw new IllegalArgumentException("unknown");
              }
            },
            snapshot -> {
              throw new IllegalArgumentException("unreadable");
            });

    Report report = audit(strict);

    assertThat(report.findings())
        .containsExactly(
            new Finding(Fault.UNDECODABLE_SNAPSHOT, ANN, 3, "state.v1: unreadable"),
            new Finding(Fault.UNDECODABLE_EVENT, ANN, 3, "event.v1: unknown"),
            new Finding(Fault.UNDECODABLE_EVENT, BOB, 3, "event.v1: unknown"));
  }

  @Test
  void countsMoreFaultsThanItLists() throws Exception {
    try (SqliteStore store = open()) {
      store.write(node(store), List.of(writeOf(ANN, 1, 1_500)), List.of());
    }

    Report report =
        audit(
            new JournalAudit(
                event -> {
                  throw new IllegalArgumentException("no");
                },
                snapshot -> {}));

    assertThat(report.faults()).isEqualTo(1_500);
    assertThat(report.findings()).hasSize(1_000);
  }

  @Test
  void findsDamagedPages() throws Exception {
    try (SqliteStore store = open()) {
      store.write(node(store), List.of(writeOf(ANN, 1, 2_000)), List.of());
    }
    overwritePages(20, 60);

    Report report = audit();

    assertThat(report.findings()).extracting(Finding::fault).contains(Fault.DAMAGED);
  }

  @Test
  void findsADeadlineThatTheAgendaWouldMiss() throws Exception {
    try (SqliteStore store = open()) {
      store.write(
          node(store),
          List.of(new OwnerWrite(ANN, 1, List.of(new JournalEvent("e.v1", new byte[0], 0, 1_000)))),
          List.of());
    }
    alter("UPDATE agenda SET wake = 2000");

    assertThat(audit().findings()).extracting(Finding::fault).containsExactly(Fault.DAMAGED);
  }

  @Test
  void refusesAFolderWithoutJournalAndLeavesNothingBehind() {
    Path missing = folder.resolve("missing");

    JournalUnusable refusal =
        catchThrowableOfType(JournalUnusable.class, () -> SqliteStore.openToRead(missing));

    assertThat(refusal.problem()).isEqualTo(Problem.MISSING);
    assertThat(refusal).hasMessageContaining(missing.toString());
    assertThat(missing).doesNotExist();
    assertThat(
            catchThrowableOfType(JournalUnusable.class, () -> SqliteStore.openToRead(folder))
                .problem())
        .isEqualTo(Problem.MISSING);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void refusesAFolderThatANodeRunsOn() throws Exception {
    try (SqliteStore running = open()) {
      assertThat(running.highest(ANN)).isZero();
      assertThat(
              catchThrowableOfType(JournalUnusable.class, () -> SqliteStore.openToRead(folder))
                  .problem())
          .isEqualTo(Problem.HELD);
    }
  }

  @Test
  void readsWhatAKilledProcessHasLeftAndChangesNothing() throws Exception {
    Path copy = Files.createDirectory(folder.resolve("copy"));
    try (SqliteStore store = open()) {
      store.write(node(store), List.of(writeOf(ANN, 1, 3)), List.of());
      // As a kill leaves them: the log not yet moved into the journal.
      for (String file : List.of("journal.db", "journal.db-wal")) {
        Files.copy(folder.resolve(file), copy.resolve(file));
      }
    }
    byte[] journal = Files.readAllBytes(copy.resolve("journal.db"));
    byte[] log = Files.readAllBytes(copy.resolve("journal.db-wal"));

    Report report;
    try (SqliteStore store = SqliteStore.openToRead(copy)) {
      report = new JournalAudit(event -> {}, snapshot -> {}).run(store);
      assertThat(catchThrowableOfType(NotWritten.class, () -> store.probe(1)).getMessage())
          .contains("read only");
    }

    assertThat(report.events()).isEqualTo(3);
    assertThat(report.isSound()).isTrue();
    assertThat(copy.resolve("journal.db")).hasBinaryContent(journal);
    assertThat(copy.resolve("journal.db-wal")).hasBinaryContent(log);
  }

  /** Ann: 3, 4, 5 and a snapshot of 3; Bob: 1 to 3; Cat: 1. */
  private void fill() throws JournalUnusable {
    try (SqliteStore store = open()) {
      NodeId node = node(store);
      store.write(
          node,
          List.of(writeOf(ANN, 1, 5), writeOf(BOB, 1, 3), writeOf(CAT, 1, 1)),
          List.of(new SnapshotWrite(ANN, 3, 0, new JournalSnapshot("state.v1", new byte[1]))));
      assertThat(store.delete(node, ANN, 2)).isEqualTo(2);
    }
  }

  private SqliteStore open() throws JournalUnusable {
    return SqliteStore.open(folder, SqliteOptions.defaults());
  }

  private static NodeId node(SqliteStore store) {
    NodeId node = NodeId.random();
    assertThat(store.nodes().claim(node, store.nodes().incarnation().number(), Duration.ZERO))
        .isNotNull();
    return node;
  }

  private Report audit() throws JournalUnusable {
    return audit(new JournalAudit(event -> {}, snapshot -> {}));
  }

  private Report audit(JournalAudit audit) throws JournalUnusable {
    try (SqliteStore store = SqliteStore.openToRead(folder)) {
      return audit.run(store);
    }
  }

  private void alter(String sql) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("journal.db"));
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private void overwritePages(int from, int to) throws IOException {
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("journal.db").toFile(), "rw")) {
      assertThat(file.length()).isGreaterThan(to * 4096L);
      file.seek(from * 4096L);
      file.write(new byte[(to - from) * 4096]);
    }
  }

  private static String sql(Owner owner) {
    return "x'" + owner + "'";
  }
}
