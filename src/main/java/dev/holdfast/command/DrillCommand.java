package dev.holdfast.command;

import dev.holdfast.app.WallClock;
import dev.holdfast.drill.Drill;
import dev.holdfast.drill.DrillPlan;
import dev.holdfast.drill.DrillReport;
import dev.holdfast.drill.DrillRun;
import dev.holdfast.drill.Fault;
import dev.holdfast.drill.Quantiles;
import dev.holdfast.drill.Soak;
import dev.holdfast.local.NodeProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drill}: does a fault to a cluster under load and tells what its users saw. */
@Command(
    name = "drill",
    description = {
      "Starts a cluster of real processes on this machine, drives load, does a fault to it, and"
          + " tells what the users saw: how long those of a lost node waited, which requests"
          + " failed, and whether anything acknowledged was lost, stale or done twice.",
      "Exit status 0: every promise held, and no request failed that entered at a node to which"
          + " nothing was done; 1: not; 2: wrong usage, or something is missing here that the"
          + " fault needs."
    },
    mixinStandardHelpOptions = true)
final class DrillCommand implements Callable<Integer> {

  private static final int MOST_NODES = 9;
  private static final String ALL = "all";
  private static final String SOAK = "soak";
  private static final int SOAK_NODES = 3;
  private static final int HOLD = 20;
  private static final int WATCH = 5;

  /** As long as those who cut it off need, and a little more. */
  private static final int SOAK_HOLD = 10;

  /** So few that users of earlier faults do not add up to something. */
  private static final String SOAK_USERS_IN_MEMORY = "500";

  private static final String BASELINE = "baseline";

  /** Visitors go on logging in as the same users: no session is to end for another. */
  private static final String SESSIONS = "1000";

  private static final String SCHEMA = "holdfast_drill";

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before anything runs
  private CommandSpec spec;

  /** Pekko's defaults, and neither the wire nor the downing of Holdfast. */
  private static final String PEKKOS_OWN =
      """
      pekko.cluster {
        gossip-interval = 1s
        leader-actions-interval = 1s
        unreachable-nodes-reaper-interval = 1s
        failure-detector {
          implementation-class = "org.apache.pekko.remote.PhiAccrualFailureDetector"
          heartbeat-interval = 1s
          acceptable-heartbeat-pause = 3s
          expected-response-after = 1s
        }
        downing-provider-class = "org.apache.pekko.cluster.sbr.SplitBrainResolverProvider"
        split-brain-resolver {
          active-strategy = keep-majority
          stable-after = 20s
          down-all-when-unstable = on
        }
      }
      """;

  /** For the help. */
  static final class Faults extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    Faults() {
      super(Stream.of(Fault.values()).map(Fault::word).toList());
    }
  }

  @Parameters(
      index = "0",
      paramLabel = "FAULT",
      completionCandidates = Faults.class,
      description =
          "One of ${COMPLETION-CANDIDATES}; or "
              + ALL
              + ", one after the other; or "
              + SOAK
              + ", faults by lot for a long time, while one node is spared and must not grow.")
  private String fault = "";

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description =
          "How many nodes, 2 to "
              + MOST_NODES
              + " (3; 5 for crash-two, partition-two and scale-in).")
  private @Nullable Integer nodes;

  @Option(names = "--runs", paramLabel = "N", description = "How often it is done (1).")
  private int runs = 1;

  @Option(names = "--minutes", paramLabel = "M", description = "How long a soak goes on (30).")
  private int minutes = 30;

  @Option(
      names = "--every",
      paramLabel = "SECONDS",
      description = "From one fault of a soak to the next, at least (20).")
  private int every = 20;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description = "Things that all users together do a second (200).")
  private int rate = 200;

  @Option(names = "--users", paramLabel = "U", description = "How many users (100).")
  private int users = 100;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "Load before the first fault (40): JVMs that still compile are slow.")
  private int warmUp = 40;

  @Option(
      names = "--hold",
      paramLabel = "SECONDS",
      description =
          "How long a fault lasts that is not for good ("
              + HOLD
              + "; "
              + SOAK_HOLD
              + " in a soak).")
  private @Nullable Integer hold;

  @Option(
      names = "--watch",
      paramLabel = "SECONDS",
      description = "Load after the fault is healed (" + WATCH + "; in a soak it goes on anyhow).")
  private @Nullable Integer watch;

  @Option(
      names = "--postgres",
      paramLabel = "URL",
      description = {
        "Keep the journal in PostgreSQL, in a schema "
            + SCHEMA
            + " of its own, instead of a"
            + " temporary folder.",
        "A password is better given as HOLDFAST_POSTGRES: arguments are seen by everybody."
      },
      defaultValue = "${env:HOLDFAST_POSTGRES}")
  private @Nullable String postgres;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Write report.json, report.html and the nodes' logs there.")
  private @Nullable Path report;

  @Option(
      names = "--baseline",
      description =
          "Do it first to nodes that find dead ones as Pekko does by itself, and then to those of"
              + " Holdfast.")
  private boolean baseline;

  @Option(names = "--seed", paramLabel = "N", description = "Of all that is left to chance.")
  private @Nullable Long seed;

  @Option(names = "--json", description = "Print the report as JSON instead.")
  private boolean json;

  /** What is asked for, or one part of it. */
  private record Task(
      String word, String text, List<Fault> faults, @Nullable Soak soak, int nodes) {

    /** {@return what it needs and is missing here, for people; empty if it can be done} */
    String missing(boolean embedded, boolean baseline) {
      return soak != null && !Soak.works()
          ? word + " needs Linux and a JDK, to see what a process holds"
          : faults.stream()
              .map(each -> each.missing(embedded, baseline))
              .filter(each -> !each.isEmpty())
              .findFirst()
              .orElse("");
    }
  }

  private List<Task> tasks() {
    if (fault.equals(SOAK)) {
      int count = nodes == null ? SOAK_NODES : nodes;
      List<Fault> drawn = Soak.faults(count);
      if (drawn.isEmpty()) {
        throw wrong("%s needs at least %d nodes".formatted(SOAK, SOAK_NODES));
      }
      var soak = new Soak(Duration.ofMinutes(minutes), Duration.ofSeconds(every));
      String text =
          "for %d minutes, a fault every %d s: %s"
              .formatted(
                  minutes,
                  every,
                  drawn.stream().map(Fault::word).collect(Collectors.joining(", ")));
      return List.of(new Task(SOAK, text, drawn, soak, count));
    }
    List<Fault> faults =
        fault.equals(ALL)
            ? List.of(Fault.values())
            : List.of(Fault.of(fault).orElseThrow(() -> wrong("there is no fault " + fault)));
    return faults.stream()
        .map(one -> {
          if (nodes != null && nodes < one.leastNodes()) {
            throw wrong("%s needs at least %d nodes".formatted(one.word(), one.leastNodes()));
          }
          return new Task(
              one.word(), one.text(), List.of(one), null, nodes == null ? one.nodes() : nodes);
        })
        .toList();
  }

  private int hold() {
    return hold != null ? hold : fault.equals(SOAK) ? SOAK_HOLD : HOLD;
  }

  private int watch() {
    return watch != null ? watch : fault.equals(SOAK) ? 1 : WATCH;
  }

  @Override
  public Integer call() throws Exception {
    if (nodes != null && (nodes < 2 || nodes > MOST_NODES)) {
      throw wrong("--nodes is " + nodes + "; it must be 2 to " + MOST_NODES);
    }
    if (runs < 1 || rate < 1 || users < 1 || warmUp < 0 || hold() < 1 || watch() < 1) {
      throw wrong("--runs, --rate, --users, --hold and --watch must be positive");
    }
    if (minutes < 1 || every < 1) {
      throw wrong("--minutes and --every must be positive");
    }
    List<Task> tasks = tasks();
    var reports = new ArrayList<DrillReport>();
    for (Task task : tasks) {
      String missing = task.missing(!onPostgres(), baseline);
      if (missing.isEmpty()) {
        if (baseline) {
          reports.add(drill(task, BASELINE, PEKKOS_OWN));
        }
        reports.add(drill(task, "holdfast", ""));
      } else if (tasks.size() == 1) {
        throw wrong(missing);
      } else {
        System.err.println("drill: left out: " + missing);
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    if (report != null) {
      DrillReport.write(reports, report);
    }
    if (json) {
      for (DrillReport one : reports) {
        out.println(one.json());
      }
    } else if (report != null) {
      out.println("report: " + report.resolve("report.html"));
    }
    out.flush();
    return reports.stream()
            .filter(one -> !one.settings().equals(BASELINE))
            .allMatch(DrillReport::holds)
        ? 0
        : 1;
  }

  private DrillReport drill(Task task, String settings, String config)
      throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    long chance = seed == null ? new SecureRandom().nextLong() : seed;
    String journal = onPostgres() ? "postgresql" : "embedded";
    String at = WallClock.system().instant().truncatedTo(ChronoUnit.SECONDS).toString();
    if (!json) {
      out.printf(
          Locale.ROOT,
          "drill %s: %s; %d nodes%s, journal %s, %d users who do %d things a second%n",
          task.word(),
          task.text(),
          task.nodes(),
          config.isEmpty() ? "" : " with Pekko's default detection",
          journal,
          users,
          rate);
      out.flush();
    }
    try (var data = TemporaryFolder.create("holdfast-drill")) {
      Path logs = (report == null ? data.path() : report).resolve("logs").resolve(task.word());
      Map<String, String> environment = environment();
      if (task.soak() != null) {
        environment.put("HOLDFAST_CLUSTER_USERS_IN_MEMORY", SOAK_USERS_IN_MEMORY);
      }
      if (!config.isEmpty()) {
        Path file = data.path().resolve("baseline.conf");
        Files.writeString(file, config);
        environment.put("HOLDFAST_CONFIG", file.toString());
      }
      var plan =
          new DrillPlan(
              task.faults(),
              task.soak(),
              task.nodes(),
              runs,
              rate,
              users,
              Duration.ofSeconds(warmUp),
              Duration.ofSeconds(hold()),
              Duration.ofSeconds(watch()),
              Files.createDirectories(data.path().resolve("data")),
              logs.toAbsolutePath(),
              config.isEmpty(),
              environment,
              chance);
      List<DrillRun> done =
          new Drill(plan, line -> System.err.println("drill: " + line))
              .run(run -> {
                if (!json) {
                  print(run, out);
                }
              });
      Quantiles outage = Drill.outage(done);
      if (!json && done.size() > 1 && outage.count() > 0) {
        out.printf(
            Locale.ROOT,
            "all %d runs: the users of lost nodes were back after %s%n",
            done.size(),
            outage);
        out.flush();
      }
      List<String> grown = Drill.grown(done);
      if (!json) {
        grown.forEach(out::println);
        out.flush();
      }
      return new DrillReport(
          task.word(),
          task.text(),
          settings,
          task.nodes(),
          journal,
          users,
          rate,
          at,
          chance,
          outage,
          grown,
          done);
    }
  }

  private static void print(DrillRun run, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "run %d: %s; %s%n",
        run.run(),
        run.what(),
        run.affectedUsers() == 0
            ? "the slowest request took %.2f s".formatted(run.latencyAfter().max() / 1e3)
            : run.affectedUsers()
                + " users affected, back after "
                + run.outage()
                + (run.neverBack() == 0 ? "" : "; " + run.neverBack() + " never"));
    out.printf(
        Locale.ROOT,
        "  of %,d requests after the fault failed: at live nodes %s, at others %s%n",
        run.requests(),
        counts(run.failedAtLive()),
        counts(run.failedAtFaulty()));
    run.examples().forEach(example -> out.println("    " + example));
    out.printf(
        Locale.ROOT,
        "  %,d things done, %,d answers that acknowledge; broken promises: %s%n",
        run.operations(),
        run.acknowledged(),
        counts(run.violations()));
    if (run.vitals() != null) {
      out.println("  the spared node has " + run.vitals());
    }
    run.notes().forEach(note -> out.println("  " + note));
    run.remarks().forEach(remark -> out.println("  " + remark));
    run.details().forEach(detail -> out.println("    " + detail));
    out.flush();
  }

  private static String counts(Map<String, Long> counts) {
    return counts.isEmpty()
        ? "0"
        : counts.entrySet().stream()
            .map(count -> count.getValue() + " " + count.getKey())
            .collect(Collectors.joining(", "));
  }

  private boolean onPostgres() {
    return postgres != null && !postgres.isBlank();
  }

  private Map<String, String> environment() {
    var environment = new HashMap<>(System.getenv());
    NodeProcess.dropSettings(environment);
    environment.put("HOLDFAST_LIMITS_SESSIONS", SESSIONS);
    if (onPostgres()) {
      environment.put("HOLDFAST_POSTGRES", String.valueOf(postgres));
      environment.put("HOLDFAST_POSTGRES_SCHEMA", SCHEMA);
    } else {
      environment.put("HOLDFAST_JOURNAL_SHARED", "true");
    }
    return environment;
  }

  private ParameterException wrong(String why) {
    return new ParameterException(spec.commandLine(), why);
  }
}
