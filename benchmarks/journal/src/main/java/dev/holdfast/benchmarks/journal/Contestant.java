package dev.holdfast.benchmarks.journal;

import java.sql.SQLException;
import java.util.Arrays;

/** One way to keep events, in a process of its own. */
interface Contestant extends AutoCloseable {

  /**
   * Puts owners into the store, in bulk: first the first event of all, then the second, and so on,
   * in a new random order each time, as if they had come over hours.
   *
   * @param population its seed
   * @param owners how many
   * @param events of each
   * @param snapshot whether each has a snapshot after its first event
   */
  void fill(long population, int owners, int events, boolean snapshot) throws Exception;

  /** Makes ready to write for {@code owners} owners. */
  void open(int owners) throws Exception;

  /** Writes in closed loops. */
  WriteRound write(WriteOrder order) throws Exception;

  /** Events in the store, counted there. */
  long stored() throws SQLException;

  @Override
  void close() throws SQLException;

  /**
   * How to write.
   *
   * @param loops each with one event in hand; they are of owners of their own
   * @param rampMillis before anything is counted
   * @param millis that count
   * @param batch owners in a batch, for those that make their batches themselves
   * @param connections that write, for those that open them themselves
   */
  record WriteOrder(int loops, long rampMillis, long millis, int batch, int connections) {}

  /**
   * What was written.
   *
   * @param written acknowledged in all, with those that were not measured
   * @param perSecond acknowledged while it counted
   * @param batches for those who know: how many while it counted, else 0
   */
  record WriteRound(long written, double perSecond, Latencies latencies, double eventsABatch) {

    Line line() {
      return Line.of(
          "written",
          "written",
          written,
          "perSecond",
          perSecond,
          "p50",
          latencies.p50(),
          "p99",
          latencies.p99(),
          "max",
          latencies.max(),
          "eventsABatch",
          eventsABatch);
    }
  }

  /** One whose owners can be recovered by actors. */
  interface Recovering extends Contestant {

    /** Recovers owners by sending each actor one message. */
    RecoveryRound recover(RecoveryOrder order) throws Exception;

    /** Recovers owners again and again until it works, after the server was restarted. */
    void reconnect(RecoveryOrder order) throws Exception;
  }

  /**
   * Whom to recover.
   *
   * @param population its seed
   * @param count how many of it; may be none
   * @param window asked for at a time
   * @param events that each must have after its snapshot
   * @param probes most that are asked for one after another meanwhile; exactly so many if there is
   *     nobody else
   * @param probeMillis from one to the next
   * @param ahead nobody waits for them: they are read ahead so many at a time, for those who can;
   *     none if they are asked for like the others
   */
  record RecoveryOrder(
      long population,
      int count,
      int window,
      int events,
      int probes,
      long probeMillis,
      int ahead) {}

  /**
   * What was recovered.
   *
   * @param perSecond owners, but for those who were probed
   * @param probed how many probes there were
   * @param latencies of the probes
   */
  record RecoveryRound(double perSecond, int probed, Latencies latencies) {

    Line line() {
      return Line.of(
          "recovered",
          "perSecond",
          perSecond,
          "probed",
          probed,
          "p50",
          latencies.p50(),
          "p99",
          latencies.p99(),
          "max",
          latencies.max());
    }
  }

  /** In milliseconds. */
  record Latencies(double p50, double p99, double max) {

    /** Of nanoseconds, which it sorts. */
    static Latencies of(long[] nanos) {
      Arrays.sort(nanos);
      return nanos.length == 0
          ? new Latencies(0, 0, 0)
          : new Latencies(
              nanos[nanos.length / 2] / 1e6,
              nanos[(int) (nanos.length * 0.99)] / 1e6,
              nanos[nanos.length - 1] / 1e6);
    }
  }
}
