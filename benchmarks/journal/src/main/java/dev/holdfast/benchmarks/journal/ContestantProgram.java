package dev.holdfast.benchmarks.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.benchmarks.journal.Contestant.Recovering;
import dev.holdfast.benchmarks.journal.Contestant.RecoveryOrder;
import dev.holdfast.benchmarks.journal.Contestant.WriteOrder;
import dev.holdfast.journal.PostgresOptions;
import dev.holdfast.journal.PostgresStore;
import dev.holdfast.journal.SqliteOptions;
import dev.holdfast.journal.SqliteStore;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * The process of one contestant: takes orders from its input and answers each by one line. Ends
 * with its input, so it outlives nobody.
 */
public final class ContestantProgram {

  /** What an answer begins with. */
  static final String ANSWER = "answer: ";

  private ContestantProgram() {}

  /**
   * Runs it.
   *
   * @param args the kind, the folder or URL of its store, and how many connections write there
   */
  public static void main(String[] args) throws Exception {
    PrintStream answers = System.out;
    System.setOut(System.err); // so that nothing else gets between the answers
    try (Contestant contestant = open(Kind.of(args[0]), args[1], Integer.parseInt(args[2]));
        var orders = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
      answers.println(ANSWER + Line.of("ready"));
      String order = orders.readLine();
      while (order != null) {
        answers.println(ANSWER + obey(contestant, Line.parse(order)));
        order = orders.readLine();
      }
    } catch (Exception | Error failure) {
      failure.printStackTrace();
      System.exit(1);
    }
    // Not by its own end: threads of a library may keep the process.
    System.exit(0);
  }

  private static Contestant open(Kind kind, String where, int connections) throws Exception {
    return switch (kind) {
      case HOLDFAST_SQLITE ->
          new HoldfastContestant(
              SqliteStore.open(Path.of(where), SqliteOptions.defaults()),
              "jdbc:sqlite:" + Path.of(where).resolve(Main.SQLITE_FILE));
      case BARE_SQLITE -> new BareSqliteContestant(Path.of(where));
      case PEKKO_JDBC -> new PekkoJdbcContestant(where);
      case HOLDFAST_POSTGRES -> {
        PostgresOptions usual = PostgresOptions.of(where);
        yield new HoldfastContestant(
            PostgresStore.open(
                new PostgresOptions(usual.url(), usual.schema(), usual.readers(), connections)),
            where + "&currentSchema=" + usual.schema());
      }
      case BARE_POSTGRES -> new BarePostgresContestant(where, connections);
    };
  }

  private static Line obey(Contestant contestant, Line order) throws Exception {
    return switch (order.verb()) {
      case "fill" -> {
        contestant.fill(
            order.number("population"),
            order.number("owners"),
            order.number("events"),
            Boolean.parseBoolean(order.text("snapshot")));
        yield Line.of("filled");
      }
      case "open" -> {
        contestant.open(order.number("owners"));
        yield Line.of("opened");
      }
      case "write" ->
          contestant
              .write(
                  new WriteOrder(
                      order.number("loops"),
                      order.number("rampMillis"),
                      order.number("millis"),
                      order.number("batch"),
                      order.number("connections")))
              .line();
      case "recover" -> recovering(contestant).recover(recovery(order)).line();
      case "reconnect" -> {
        recovering(contestant).reconnect(recovery(order));
        yield Line.of("reconnected");
      }
      case "count" -> Line.of("counted", "events", contestant.stored());
      default -> throw new IllegalArgumentException("not an order: " + order);
    };
  }

  private static Recovering recovering(Contestant contestant) {
    if (contestant instanceof Recovering recovering) {
      return recovering;
    }
    throw new IllegalArgumentException("nobody recovers here");
  }

  private static RecoveryOrder recovery(Line order) {
    return new RecoveryOrder(
        order.number("population"),
        order.number("count"),
        order.number("window"),
        order.number("events"),
        order.number("probes"),
        order.number("probeMillis"),
        order.number("ahead"));
  }
}
