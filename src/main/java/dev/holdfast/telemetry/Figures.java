package dev.holdfast.telemetry;

/**
 * What a node has done since its process started, and how it stands now. What it did only grows, so
 * the difference of two of them is what happened between: rates and latencies of any span.
 *
 * @param upMillis since the process started, by a clock that never jumps
 * @param requests that applications sent; those of administrators and probes are not counted
 * @param journal what was made durable
 * @param memory of the process
 */
public record Figures(long upMillis, Requests requests, Journal journal, Memory memory) {

  /**
   * Requests, from first line to answer.
   *
   * @param reads those that change nothing
   * @param writes all others
   * @param refused of both: answered with 4xx
   * @param failed of both: answered with 5xx
   */
  public record Requests(Distribution reads, Distribution writes, long refused, long failed) {}

  /**
   * The journal of the node.
   *
   * @param takesWrites whether it does now
   * @param queued writes that wait now
   * @param recovering users that somebody waits for and that are not read yet
   * @param events made durable
   * @param commits how long batches took, from first statement to durable
   * @param batches events in each
   * @param recoveries how long users waited until they were read
   */
  public record Journal(
      boolean takesWrites,
      long queued,
      long recovering,
      long events,
      Distribution commits,
      Distribution batches,
      Distribution recoveries) {}

  /**
   * Memory.
   *
   * @param users in memory
   * @param unreadable users whose log cannot be read
   * @param heapUsed bytes, garbage included
   * @param heapMax bytes that it may take
   */
  public record Memory(long users, long unreadable, long heapUsed, long heapMax) {}
}
