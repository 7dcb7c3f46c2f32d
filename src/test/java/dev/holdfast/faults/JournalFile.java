package dev.holdfast.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.drill.History;
import dev.holdfast.drill.Shopper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.sqlite.SQLiteConfig;

/** The events in a journal, as it holds them at one moment. */
final class JournalFile {

  private static final String NAME = "journal.db";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<Row> rows;

  /**
   * An event.
   *
   * @param owner 32 hexadecimal digits
   * @param number of the owner's events, from 1
   */
  record Row(String owner, long number, String name, JsonNode payload) {}

  private JournalFile(List<Row> rows) {
    this.rows = rows;
  }

  /**
   * {@return what a process has left behind in its data folder} Looks at a copy, since whoever
   * opens a journal after a crash repairs it, and that is for the next process to do.
   */
  static JournalFile leftIn(Path data, Path scratch) {
    try {
      Path copy = Files.createTempDirectory(scratch, "journal-");
      for (String suffix : List.of("", "-wal")) {
        Path file = data.resolve(NAME + suffix);
        if (Files.exists(file)) {
          Files.copy(file, copy.resolve(NAME + suffix));
        }
      }
      return new JournalFile(read(copy.resolve(NAME), new SQLiteConfig()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@return what a running process has in its data folder, without standing in its way} */
  static JournalFile of(Path data) {
    var config = new SQLiteConfig();
    config.setReadOnly(true);
    return new JournalFile(read(data.resolve(NAME), config));
  }

  /** {@return what is in the journal of a PostgreSQL database, in the schema it has by default} */
  static JournalFile inPostgres(String url) {
    try (Connection connection = DriverManager.getConnection(url);
        var statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT uuid_send(owner), seq, name, payload FROM holdfast.event"
                    + " ORDER BY position")) {
      return new JournalFile(rows(row));
    } catch (SQLException | IOException e) {
      throw new IllegalStateException("the journal in " + url + " cannot be read", e);
    }
  }

  /** How many events of each step of log-ins there are. */
  record Steps(long started, long admitted, long finished) {}

  /** {@return the steps of log-ins that a running process has journaled} Quicker than the whole. */
  static Steps steps(Path data) {
    var config = new SQLiteConfig();
    config.setReadOnly(true);
    try (Connection connection = config.createConnection("jdbc:sqlite:" + data.resolve(NAME));
        var statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT total(name = 'log-in.started.v1'), total(name = 'log-in.admitted.v1'),"
                    + " total(name = 'log-in.finished.v1') FROM event")) {
      row.next();
      return new Steps(row.getLong(1), row.getLong(2), row.getLong(3));
    } catch (SQLException e) {
      throw new IllegalStateException("the journal in " + data + " cannot be read", e);
    }
  }

  private static List<Row> read(Path file, SQLiteConfig config) {
    try (Connection connection = config.createConnection("jdbc:sqlite:" + file);
        var statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT owner, seq, name, payload FROM event ORDER BY position")) {
      return rows(row);
    } catch (SQLException | IOException e) {
      throw new IllegalStateException("the journal " + file + " cannot be read", e);
    }
  }

  private static List<Row> rows(ResultSet row) throws SQLException, IOException {
    var rows = new ArrayList<Row>();
    while (row.next()) {
      rows.add(
          new Row(
              HexFormat.of().formatHex(row.getBytes(1)),
              row.getLong(2),
              row.getString(3),
              JSON.readTree(row.getBytes(4))));
    }
    return rows;
  }

  /** {@return all events of that name, in the order of their commits} */
  List<Row> named(String name) {
    return rows.stream().filter(row -> row.name().equals(name)).toList();
  }

  int size() {
    return rows.size();
  }

  /** {@return all orders that were placed} */
  List<History.Order> orders() {
    return named("cart.checked-out.v1").stream()
        .map(row -> row.payload().path("order"))
        .map(order ->
            new History.Order(order.path("reference").asText(), Shopper.counters(order, "lines")))
        .toList();
  }

  /** {@return where an owner's events are not numbered 1, 2, 3 and so on} */
  List<String> breaks() {
    var next = new HashMap<String, Long>();
    var breaks = new ArrayList<String>();
    for (Row row : rows) {
      long expected = next.getOrDefault(row.owner(), 1L);
      if (row.number() != expected) {
        breaks.add(row.owner() + " has " + row.number() + " in the place of " + expected);
      }
      next.put(row.owner(), row.number() + 1);
    }
    return breaks;
  }

  /** {@return how far log-ins have come, by the id of each} */
  Map<String, LogIn> logIns() {
    var logIns = new HashMap<String, LogIn>();
    for (Row row : rows) {
      switch (row.name()) {
        case "log-in.started.v1" ->
            note(logIns, row.payload().path("logIn").path("id"), new LogIn(1, 0, 0, 0));
        case "log-in.admitted.v1" ->
            note(logIns, row.payload().path("session"), new LogIn(0, 1, 0, 0));
        case "log-in.finished.v1" ->
            note(logIns, row.payload().path("logIn"), new LogIn(0, 0, 1, 0));
        case "log-in.refused.v1" ->
            note(logIns, row.payload().path("logIn"), new LogIn(0, 0, 0, 1));
        default -> {}
      }
    }
    return logIns;
  }

  private static void note(Map<String, LogIn> logIns, JsonNode id, LogIn seen) {
    logIns.merge(id.asText(), seen, LogIn::and);
  }

  /** How many events of each step of one log-in there are. */
  record LogIn(int started, int admitted, int finished, int refused) {

    private LogIn and(LogIn more) {
      return new LogIn(
          started + more.started,
          admitted + more.admitted,
          finished + more.finished,
          refused + more.refused);
    }

    /** Between the visitor's decision and the user's. */
    boolean isOnlyStarted() {
      return admitted == 0 && finished == 0 && refused == 0;
    }

    /** Between the user's decision and the end. */
    boolean isOnlyAdmitted() {
      return admitted == 1 && finished == 0;
    }

    boolean isComplete() {
      return started == 1 && admitted == 1 && finished == 1 && refused == 0;
    }
  }
}
