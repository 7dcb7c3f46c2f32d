package dev.holdfast.drill;

import dev.holdfast.cluster.Takeover;
import dev.holdfast.drill.Sample.Came;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Does a fault to a cluster under load, again and again, and tells what its users saw of it.
 *
 * <p>All nodes are processes of this machine. Load enters at all of them ({@link Entrances}), and
 * is steady ({@link DrillLoad}). For each user whose owner the fault takes away the time is told
 * from the fault to the first answer from another owner. What was asked for and answered is checked
 * afterwards ({@link HistoryChecker}).
 */
public final class Drill {

  private static final long LOOK_NANOS = 20_000_000;
  private static final long OPENING_SECONDS = 60;
  private static final Duration LATER_WARM_UP = Duration.ofSeconds(10);

  /** Load before the fault, by which the one after it is judged. */
  private static final Duration BEFORE = Duration.ofSeconds(2);

  /** A user who has no answer by then never comes back. */
  private static final Duration GIVEN_UP = Duration.ofSeconds(90);

  private static final int EXAMPLES = 5;
  private static final long NOTICED_NANOS = 500_000_000;
  private static final long SLICE_NANOS = 100_000_000;

  /** So long after a fault is over requests may still fail of which callers may be told. */
  private static final long RECOVERED_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final DrillPlan plan;
  private final Consumer<String> progress;
  private final Random random;

  /**
   * A drill.
   *
   * @param progress told what happens, a line each
   */
  public Drill(DrillPlan plan, Consumer<String> progress) {
    this.plan = plan;
    this.progress = progress;
    this.random = new Random(plan.seed());
  }

  /**
   * Does all runs, one after the other, on one cluster.
   *
   * @param finished told of each
   * @throws IOException if the cluster does not come up, or not back
   */
  public List<DrillRun> run(Consumer<DrillRun> finished) throws IOException, InterruptedException {
    @Nullable Soak soak = plan.soak();
    var runs = new ArrayList<DrillRun>();
    try (var cluster = new DrillCluster(plan);
        var entrances = new Entrances()) {
      cluster.start(plan.nodes()).forEach(entrances::add);
      cluster.awaitBalance();
      progress.accept(plan.nodes() + " nodes are up");
      @Nullable DrillNode spared = soak == null ? null : cluster.nodes().get(1);
      long begun = System.nanoTime();
      long due = begun;
      for (int run = 1; soak == null ? run <= plan.runs() : isBefore(due, begun, soak); run++) {
        Fault fault = plan.faults().get(random.nextInt(plan.faults().size()));
        try (var injection = new Injection(plan, fault, cluster, entrances, random, spared)) {
          DrillRun done = new Run(run, fault, cluster, entrances, injection, spared).perform(due);
          due = injection.at() + (soak == null ? 0 : soak.every().toNanos());
          runs.add(done);
          finished.accept(done);
        }
      }
    }
    return runs;
  }

  /** Whether a fault that is due then is still one of the soak's. */
  private static boolean isBefore(long due, long begun, Soak soak) {
    return Math.max(due, System.nanoTime()) - begun < soak.lasting().toNanos();
  }

  /** One run. */
  private final class Run {
    private final int number;
    private final Fault fault;
    private final DrillCluster cluster;
    private final Entrances entrances;
    private final History history = new History();
    private final DrillLoad load;
    private final Injection injection;
    private final @Nullable DrillNode spared;

    private final List<Sample> samples = new ArrayList<>();

    /** The owner of each user as last told before the fault. */
    private final Map<Integer, String> owners = new HashMap<>();

    private final Map<Integer, Long> back = new HashMap<>();
    private final List<String> notes = new ArrayList<>();
    private Set<Integer> affected = Set.of();

    /** When the fault was over, by {@link System#nanoTime}. */
    private long healed;

    Run(
        int number,
        Fault fault,
        DrillCluster cluster,
        Entrances entrances,
        Injection injection,
        @Nullable DrillNode spared) {
      this.number = number;
      this.fault = fault;
      this.cluster = cluster;
      this.entrances = entrances;
      this.injection = injection;
      this.spared = spared;
      this.load =
          new DrillLoad(
              entrances,
              history,
              "d%08x-%d".formatted(random.nextInt(), number),
              plan.users(),
              plan.rate(),
              random.nextLong());
    }

    /**
     * Does it.
     *
     * @param due the fault does not come before that moment
     */
    DrillRun perform(long due) throws IOException, InterruptedException {
      injection.prepare();
      load.start();
      try {
        if (!load.awaitOpened(OPENING_SECONDS)) {
          throw new IOException("not all users had a session within " + OPENING_SECONDS + " s");
        }
        pass(warmUp(due));
        collect();
        samples.clear();
        if (injection.asked().isPresent()) {
          load.share(); // so early that no repeat from before is still under way at the fault
        }
        pass(BEFORE);
        injection.inject();
        progress.accept("run " + number + ": " + injection.what());
        collect();
        affected = ownedBy(injection.lost());
        Optional<Probes> probes =
            injection
                .asked()
                .map(
                    node -> new Probes(node.http(), load.browsersOf(ownedBy(Set.of(node.name())))));
        watch();
        injection.heal(progress, () -> probes.ifPresent(Probes::end));
        healed = System.nanoTime();
        probes.ifPresent(Probes::await);
        probes.ifPresent(asked -> notes.add(asked.toString()));
        pass(plan.watch());
        if (isSoak()) {
          injection.restore(); // the load never rests for long
        }
      } finally {
        load.stop();
      }
      collect();
      if (!isSoak()) {
        injection.restore();
      }
      load.lookAndRepeat();
      entrances.drain();
      return judge();
    }

    private boolean isSoak() {
      return spared != null;
    }

    private Duration warmUp(long due) {
      if (number == 1) {
        return plan.warmUp();
      }
      return isSoak()
          ? Duration.ofNanos(Math.max(0, due - System.nanoTime() - BEFORE.toNanos()))
          : LATER_WARM_UP;
    }

    private Set<Integer> ownedBy(Set<String> nodes) {
      return owners.entrySet().stream()
          .filter(owner -> nodes.contains(owner.getValue()))
          .map(Map.Entry::getKey)
          .collect(Collectors.toSet());
    }

    private void pass(Duration time) {
      long end = System.nanoTime() + time.toNanos();
      while (System.nanoTime() - end < 0) {
        LockSupport.parkNanos(LOOK_NANOS);
        collect();
      }
    }

    /** Until everybody is back and the fault has lasted as long as it is to. */
    private void watch() throws IOException, InterruptedException {
      long least = injection.at() + injection.lasts().toNanos();
      long most = injection.at() + GIVEN_UP.toNanos();
      while (!injection.isOver()
          || System.nanoTime() - least < 0
          || (!back.keySet().containsAll(affected) && System.nanoTime() - most < 0)) {
        LockSupport.parkNanos(LOOK_NANOS);
        collect();
      }
    }

    private void collect() {
      for (Sample sample : entrances.drain()) {
        samples.add(sample);
        if (sample.user() < 0 || sample.owner().isEmpty()) {
          continue;
        }
        if (!injection.isDone()) {
          owners.put(sample.user(), sample.owner());
        } else if (sample.ended() < injection.at()) {
          owners.put(sample.user(), sample.owner());
        } else if (sample.came() == Came.DONE && !injection.lost().contains(sample.owner())) {
          back.merge(sample.user(), sample.ended(), Math::min);
        }
      }
    }

    private DrillRun judge() throws IOException, InterruptedException {
      List<Violation> violations = HistoryChecker.check(history);
      var kinds = new TreeMap<String, Long>();
      violations.forEach(violation -> kinds.merge(word(violation.kind()), 1L, Long::sum));
      var outages = new ArrayList<Double>();
      for (int user : affected) {
        Long returned = back.get(user);
        if (returned != null) {
          outages.add((returned - injection.at()) / 1e6);
        }
      }
      var live = new TreeMap<String, Long>();
      var faulty = new TreeMap<String, Long>();
      var examples = new ArrayList<String>();
      long requests = 0;
      long failedAfterwards = 0;
      var before = new ArrayList<Double>();
      var after = new ArrayList<Double>();
      for (Sample sample : samples) {
        if (sample.came() == Came.NOT_SENT) {
          continue; // it is part of the request that was sent in the end
        }
        (sample.ended() < injection.at() ? before : after)
            .add((sample.ended() - sample.begun()) / 1e6);
        if (sample.ended() < injection.at()) {
          continue;
        }
        requests++;
        if (sample.failed()) {
          failedAfterwards += sample.begun() - healed > RECOVERED_NANOS ? 1 : 0;
          boolean fault = injection.faulty().contains(sample.node());
          (fault ? faulty : live).merge(word(sample.came()), 1L, Long::sum);
          if (!fault && examples.size() < EXAMPLES) {
            examples.add(
                "%s at %s, %.0f ms after the fault, for %.0f ms: %s"
                    .formatted(
                        word(sample.came()),
                        sample.node(),
                        (sample.begun() - injection.at()) / 1e6,
                        (sample.ended() - sample.begun()) / 1e6,
                        sample.detail()));
          }
        }
      }
      notes.addAll(slowest());
      var remarks = new ArrayList<>(injection.remarks());
      if (failedAfterwards > 0) {
        remarks.add(
            "%d requests failed that began more than %d s after the fault was over"
                .formatted(failedAfterwards, TimeUnit.NANOSECONDS.toSeconds(RECOVERED_NANOS)));
      }
      var took = new ArrayList<String>();
      for (Takeover takeover : cluster.view(cluster.nodes().getFirst()).takeovers()) {
        Duration time = takeover.took();
        took.add(
            "%s: %d parts of the users taken over, %s"
                .formatted(
                    takeover.node(),
                    takeover.shards(),
                    time == null ? "not all of them yet" : "all after " + time.toMillis() + " ms"));
      }
      return new DrillRun(
          number,
          injection.what(),
          affected.size(),
          affected.size() - outages.size(),
          outages,
          requests,
          live,
          faulty,
          examples,
          Quantiles.of(before),
          Quantiles.of(after),
          history.operations().size(),
          history.acknowledged(),
          kinds,
          fault.mayRefuse(),
          notes,
          remarks,
          someOf(violations),
          spared == null ? null : Vitals.of(spared.pid()),
          took.stream().limit(EXAMPLES).toList(),
          slices());
    }

    /** A few of them, the first of each kind before all others. */
    private static List<String> someOf(List<Violation> violations) {
      var kinds = EnumSet.noneOf(Violation.Kind.class);
      List<Violation> firsts = violations.stream().filter(v -> kinds.add(v.kind())).toList();
      return Stream.concat(firsts.stream(), violations.stream())
          .distinct()
          .limit(EXAMPLES)
          .map(Violation::toString)
          .toList();
    }

    /** Those that were answered and took longest, where anybody would have noticed. */
    private List<String> slowest() {
      return samples.stream()
          .filter(sample -> !sample.failed() && sample.ended() >= injection.at())
          .filter(sample -> sample.ended() - sample.begun() > NOTICED_NANOS)
          .sorted(Comparator.comparingLong((Sample sample) -> sample.begun() - sample.ended()))
          .limit(EXAMPLES)
          .map(sample ->
              "answered after %.2f s%s: begun %.2f s after the fault, at %s in the end"
                  .formatted(
                      (sample.ended() - sample.begun()) / 1e9,
                      sample.owner().isEmpty() ? "" : " by " + sample.owner(),
                      (sample.begun() - injection.at()) / 1e9,
                      sample.node()))
          .toList();
    }

    private List<DrillRun.Slice> slices() {
      var bySlice = new TreeMap<Long, List<Sample>>();
      for (Sample sample : samples) {
        if (sample.came() != Came.NOT_SENT) {
          bySlice
              .computeIfAbsent(
                  Math.floorDiv(sample.begun() - injection.at(), SLICE_NANOS),
                  slice -> new ArrayList<>())
              .add(sample);
        }
      }
      var slices = new ArrayList<DrillRun.Slice>();
      bySlice.forEach((slice, within) -> {
        List<Double> millis =
            within.stream()
                .filter(sample -> !sample.failed())
                .map(sample -> (sample.ended() - sample.begun()) / 1e6)
                .toList();
        Quantiles latency = Quantiles.of(millis);
        slices.add(
            new DrillRun.Slice(
                slice * SLICE_NANOS / 1_000_000,
                millis.size(),
                within.size() - millis.size(),
                latency.p50(),
                latency.max()));
      });
      return slices;
    }
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** {@return what a spared node has more and more of, for people} */
  public static List<String> grown(List<DrillRun> runs) {
    return Soak.grown(runs.stream().map(DrillRun::vitals).filter(Objects::nonNull).toList());
  }

  /** What is taken together of all runs. */
  public static Quantiles outage(List<DrillRun> runs) {
    return Quantiles.of(runs.stream().flatMap(run -> run.outagesMillis().stream()).toList());
  }
}
