package dev.holdfast.drill;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one run has shown.
 *
 * @param run its number, from 1
 * @param what what was done, to whom
 * @param affectedUsers users whose node was lost
 * @param neverBack those of them who had no answer by the end
 * @param outagesMillis of each other one: from the fault to the first answer from a new owner
 * @param requests that the load has sent from the fault on
 * @param failedAtLive failed ones that entered at a node to which nothing was done, by kind
 * @param failedAtFaulty those that entered at another one, likewise
 * @param examples a few of the failures at live nodes
 * @param latencyBefore of requests that ended before the fault
 * @param latencyAfter of those that ended after it, the outage included
 * @param operations things asked for in the whole run
 * @param acknowledged attempts of these that were acknowledged
 * @param violations broken promises that the history shows, by kind
 * @param mayRefuse whether the fault is one that callers at any node may be told of
 * @param notes what else was seen, for people
 * @param remarks what else went otherwise than it should
 * @param details a few of them
 * @param vitals of the node that is spared, when all was over; null if none is
 * @param takeovers that the cluster tells of, the newest first
 * @param slices the run in pieces of 100 ms
 */
public record DrillRun(
    int run,
    String what,
    int affectedUsers,
    int neverBack,
    List<Double> outagesMillis,
    long requests,
    Map<String, Long> failedAtLive,
    Map<String, Long> failedAtFaulty,
    List<String> examples,
    Quantiles latencyBefore,
    Quantiles latencyAfter,
    long operations,
    long acknowledged,
    Map<String, Long> violations,
    boolean mayRefuse,
    List<String> notes,
    List<String> remarks,
    List<String> details,
    @Nullable Vitals vitals,
    List<String> takeovers,
    List<Slice> slices) {

  public DrillRun {
    outagesMillis = List.copyOf(outagesMillis);
    failedAtLive = Map.copyOf(failedAtLive);
    failedAtFaulty = Map.copyOf(failedAtFaulty);
    examples = List.copyOf(examples);
    violations = Map.copyOf(violations);
    notes = List.copyOf(notes);
    remarks = List.copyOf(remarks);
    details = List.copyOf(details);
    takeovers = List.copyOf(takeovers);
    slices = List.copyOf(slices);
  }

  /**
   * The requests that began within 100 ms.
   *
   * @param atMillis the slice's begin, from the fault; negative before it
   * @param done requests that were done or refused for what they asked
   * @param failed the others
   * @param p50 of the latency of those done, in milliseconds
   * @param max likewise
   */
  public record Slice(long atMillis, long done, long failed, double p50, double max) {}

  /** {@return the outage over all affected users who came back} */
  public Quantiles outage() {
    return Quantiles.of(outagesMillis);
  }

  /** {@return whether nothing was lost, stale or forked, and nobody at a live node was let down} */
  public boolean holds() {
    return violations.isEmpty()
        && (mayRefuse || failedAtLive.isEmpty())
        && neverBack == 0
        && remarks.isEmpty();
  }
}
