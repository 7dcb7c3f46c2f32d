package dev.holdfast.journal;

import static dev.holdfast.journal.JournalContract.ANN;
import static dev.holdfast.journal.JournalContract.BOB;
import static dev.holdfast.journal.JournalContract.CAT;
import static dev.holdfast.journal.JournalContract.writeOf;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

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
    Report report =
        audit(
            new TextReplayer() {
              @Override
              public JournalEvent decode(JournalEvent event) {
                if (event.at() == 3) {
                  throw new IllegalArgumentException("unknown");
                }
                return event;
              }

              @Override
              public String decode(JournalSnapshot snapshot) {
                throw new IllegalArgumentException("unreadable");
              }
            });

    assertThat(report.findings())
        .containsExactly(
            new Finding(Fault.UNDECODABLE_SNAPSHOT, ANN, 3, "state.v1: unreadable"),
            new Finding(Fault.UNDECODABLE_EVENT, ANN, 3, "event.v1: unknown"),
            new Finding(Fault.UNDECODABLE_EVENT, BOB, 3, "event.v1: unknown"));
  }

  @Test
  void findsASnapshotThatIsNotWhatTheEventsLeadTo() throws Exception {
    write(ANN, 3, "1;2;3;", event("1"), event("2"), event("3"), event("4"));
    write(BOB, 2, "1;other;", event("1"), event("2"), event("3"));
    write(CAT, 1, "1;", event("1"));

    Report report = audit();

    assertThat(report.compared()).isEqualTo(3);
    assertThat(report.findings())
        .containsExactly(
            new Finding(
                Fault.SNAPSHOT_DISAGREES,
                BOB,
                2,
                "the snapshot of 2 is not what the events up to it lead to"));
  }

  @Test
  void comparesNoSnapshotWhoseEventsAreDeleted() throws Exception {
    write(ANN, 3, "whatever it was", event("1"), event("2"), event("3"), event("4"));
    write(BOB, 2, "whatever it was", event("1"), event("2"), event("3"));
    alter("DELETE FROM event WHERE seq < 3");

    Report report = audit();

    assertThat(report.findings()).isEmpty();
    assertThat(report.snapshots()).isEqualTo(2);
    assertThat(report.compared()).isZero();
  }

  @Test
  void takesAnEventThatNeedsNothingBeforeItForABeginning() throws Exception {
    JournalEvent begin = new JournalEvent("begin.v1", "new".getBytes(UTF_8), 0, Long.MAX_VALUE);
    write(ANN, 4, "new;4;", event("1"), event("2"), begin, event("4"));
    write(BOB, 4, "new;other;", event("1"), event("2"), begin, event("4"));
    alter("DELETE FROM event WHERE seq < 3");

    Report report = audit();

    assertThat(report.compared()).isEqualTo(2);
    assertThat(report.findings())
        .extracting(Finding::fault, Finding::owner)
        .containsExactly(tuple(Fault.SNAPSHOT_DISAGREES, BOB));
  }

  /** A recovery would refuse it: what the snapshot lacks may have been more than that beginning. */
  @Test
  void findsAGapBetweenASnapshotAndABeginning() throws Exception {
    JournalEvent begin = new JournalEvent("begin.v1", "new".getBytes(UTF_8), 0, Long.MAX_VALUE);
    write(ANN, 2, "1;2;", event("1"), event("2"), event("3"), begin, event("5"));
    alter("DELETE FROM event WHERE seq < 4");

    assertThat(audit().findings())
        .extracting(Finding::fault, Finding::number)
        .containsExactly(tuple(Fault.NO_BEGINNING, 4L));
  }

  @Test
  void findsAnEventThatCannotBeApplied() throws Exception {
    JournalEvent broken = new JournalEvent("broken.v1", new byte[0], 0, Long.MAX_VALUE);
    write(ANN, 2, "1;2;", event("1"), event("2"), broken, event("4"));
    write(BOB, 3, "not compared", event("1"), broken, event("3"), broken);

    Report report = audit();

    assertThat(report.compared()).isEqualTo(1);
    assertThat(report.findings())
        .extracting(Finding::fault, Finding::owner, Finding::number)
        .containsExactly(
            tuple(Fault.INAPPLICABLE_EVENT, ANN, 3L),
            tuple(Fault.INAPPLICABLE_EVENT, BOB, 2L),
            tuple(Fault.INAPPLICABLE_EVENT, BOB, 4L));
  }

  @Test
  void countsMoreFaultsThanItLists() throws Exception {
    try (SqliteStore store = open()) {
      store.write(node(store), List.of(writeOf(ANN, 1, 1_500)), List.of());
    }

    Report report =
        audit(
            new TextReplayer() {
              @Override
              public JournalEvent decode(JournalEvent event) {
                throw new IllegalArgumentException("no");
              }
            });

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

  private void writeOneWithDeadline() throws Exception {
    try (SqliteStore store = open()) {
      store.write(
          node(store),
          List.of(new OwnerWrite(ANN, 1, List.of(new JournalEvent("e.v1", new byte[0], 0, 1_000)))),
          List.of());
    }
  }

  @Test
  void findsADeadlineThatTheAgendaWouldMiss() throws Exception {
    writeOneWithDeadline();
    alter("UPDATE agenda SET wake = 2000");

    assertThat(audit().findings()).extracting(Finding::fault).containsExactly(Fault.DAMAGED);
  }

  @Test
  void findsADeadlineThatIsNotOnTheAgenda() throws Exception {
    writeOneWithDeadline();
    alter("DELETE FROM agenda");

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
      report = new JournalAudit<>(new TextReplayer()).run(store);
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

  private void write(Owner owner, long snapshot, String state, JournalEvent... events)
      throws JournalUnusable {
    try (SqliteStore store = open()) {
      store.write(
          node(store),
          List.of(new OwnerWrite(owner, 1, List.of(events))),
          List.of(
              new SnapshotWrite(
                  owner, snapshot, 0, new JournalSnapshot("state.v1", state.getBytes(UTF_8)))));
    }
  }

  private static JournalEvent event(String text) {
    return new JournalEvent("event.v1", text.getBytes(UTF_8), 0, JournalEvent.NO_DEADLINE);
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
    return audit(new TextReplayer());
  }

  private Report audit(TextReplayer texts) throws JournalUnusable {
    try (SqliteStore store = SqliteStore.openToRead(folder)) {
      return new JournalAudit<>(texts).run(store);
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
