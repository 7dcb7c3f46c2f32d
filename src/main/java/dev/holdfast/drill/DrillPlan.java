package dev.holdfast.drill;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to drill.
 *
 * @param faults what is done to the cluster: one of them, drawn by lot in each run
 * @param soak how long it goes on; null for a number of runs
 * @param nodes how many there are
 * @param runs how often something is done, if it is no soak
 * @param rate requests a second, all users together
 * @param users whose requests these are
 * @param warmUp load before the fault, before the first run
 * @param hold how long a fault lasts that is not for good, such as a hang
 * @param watch load after the fault, at least
 * @param data folder of the embedded journal and the token key
 * @param logs folder of what the nodes log
 * @param wire whether the nodes see at once that another has died; without it, the silence tells
 * @param environment of the nodes: all of it but what is different for each
 * @param seed of all that is random in it but the course of time
 */
public record DrillPlan(
    List<Fault> faults,
    @Nullable Soak soak,
    int nodes,
    int runs,
    int rate,
    int users,
    Duration warmUp,
    Duration hold,
    Duration watch,
    Path data,
    Path logs,
    boolean wire,
    Map<String, String> environment,
    long seed) {
  public DrillPlan {
    faults = List.copyOf(faults);
    environment = Map.copyOf(environment);
  }

  /** {@return whether what the nodes say to each other goes through a relay} */
  boolean needsRelay() {
    return faults.stream().anyMatch(Fault::needsRelay) || !wire;
  }
}
