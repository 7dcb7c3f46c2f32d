package dev.holdfast.app;

import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.Ways;
import dev.holdfast.entity.Population;
import dev.holdfast.http.ApiServer;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalMetrics;
import dev.holdfast.telemetry.Figures;
import dev.holdfast.telemetry.HistogramCollector;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.function.ToDoubleFunction;

/** What the parts count, as meters. */
final class Meters {

  private static final double NANOS = 1e-9;

  private Meters() {}

  static void bind(PrometheusMeterRegistry registry, Journal journal, Node node) {
    machine(registry);
    histograms(registry.getPrometheusRegistry(), journal.metrics(), node);
    Gauge.builder("holdfast.shards", node, Node::shards)
        .description("Shards that this node holds")
        .register(registry);
    Population population = node.population();
    Gauge.builder("holdfast.users.in.memory", population, Population::inMemory)
        .description("Users whose actors are in memory on this node")
        .register(registry);
    FunctionCounter.builder("holdfast.users.started", population, Population::started)
        .description("Users' actors started on this node")
        .register(registry);
    FunctionCounter.builder("holdfast.users.reloaded", population, Population::reloads)
        .description("Users read anew since the journal's history may have changed")
        .register(registry);
    Gauge.builder("holdfast.users.unreadable", population, p -> p.unreadable().count())
        .description("Users of this node whose log cannot be read")
        .register(registry);

    way(registry, node, "look", Ways::looks);
    way(registry, node, "here", Ways::here);
    way(registry, node, "peer", Ways::peer);
    way(registry, node, "region", Ways::region);
    FunctionCounter.builder("holdfast.questions.missed", node.ways(), Ways::missed)
        .description("Questions by the way peer that did not find the user there")
        .register(registry);

    JournalMetrics metrics = journal.metrics();
    counter(registry, metrics, "events", "Events written", JournalMetrics::events);
    counter(registry, metrics, "bytes", "Bytes of events written", JournalMetrics::bytes);
    counter(
        registry,
        metrics,
        "conflicts",
        "Writes that lost to another writer of the same user",
        JournalMetrics::conflicts);
    counter(
        registry,
        metrics,
        "refused",
        "Writes that were refused, nothing of them written",
        JournalMetrics::refused);
    counter(
        registry,
        metrics,
        "in.doubt",
        "Writes of which the store did not say whether they are durable",
        JournalMetrics::inDoubt);
    counter(registry, metrics, "snapshots", "Snapshots written", JournalMetrics::snapshots);
    counter(
        registry,
        metrics,
        "snapshots.dropped",
        "Snapshots not written for want of room",
        JournalMetrics::droppedSnapshots);
    counter(
        registry,
        metrics,
        "outages",
        "Times at which the journal stopped taking writes",
        JournalMetrics::outages);
    counter(registry, metrics, "trimmed", "Old events deleted", JournalMetrics::trimmed);
    counter(
        registry, metrics, "purged", "Users removed, nothing was left of", JournalMetrics::purged);
    counter(registry, metrics, "erased", "Erasures carried out", JournalMetrics::erased);
    Gauge.builder("holdfast.journal.longest.log", metrics, JournalMetrics::longestLog)
        .description("Events kept of the user who has most, at the last sweep")
        .register(registry);
    Gauge.builder("holdfast.journal.users.over.cap", metrics, JournalMetrics::ownersOverCap)
        .description("Users with more events than are kept, for want of a snapshot")
        .register(registry);
    counter(registry, metrics, "recoveries", "Users recovered", JournalMetrics::recoveries);
    counter(
        registry,
        metrics,
        "wait.seconds",
        "Time that writes waited for their batch",
        m -> m.waitNanos() * NANOS);
    Gauge.builder("holdfast.journal.queued.writes", metrics, JournalMetrics::queuedWrites)
        .description("Writes that wait for their batch")
        .register(registry);
    Gauge.builder("holdfast.journal.recoveries.waiting", journal, Journal::waitingRecoveries)
        .description("Users that somebody waits for and that are not read yet")
        .register(registry);
    Gauge.builder("holdfast.journal.recoveries.held.bytes", journal, Journal::heldBytes)
        .description("Bytes of users that were read and are not replayed yet")
        .register(registry);
    Gauge.builder("holdfast.journal.available", journal, j -> j.health().isAvailable() ? 1 : 0)
        .description("1 while the journal takes writes")
        .register(registry);
  }

  /** What the JVM and the process take. */
  private static void machine(MeterRegistry registry) {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  private static void histograms(PrometheusRegistry registry, JournalMetrics journal, Node node) {
    registry.register(
        HistogramCollector.of(
            "holdfast_journal_commit_duration_seconds",
            "Batches, from first statement to durable",
            journal::commits));
    registry.register(
        HistogramCollector.of(
            "holdfast_journal_batch_events", "Events in a batch", journal::batchSizes));
    registry.register(
        HistogramCollector.of(
            "holdfast_journal_recovery_duration_seconds",
            "Users that somebody asked for, until they were read",
            journal::recoveryWaits));
    registry.register(
        HistogramCollector.of(
            "holdfast_takeover_duration_seconds",
            "Takeovers that this node has carried out, until all shards had a new home",
            node::takeoverTimes));
  }

  /** {@return what a node tells of itself} */
  static Figures figures(Journal journal, Node node, ApiServer server) {
    JournalMetrics metrics = journal.metrics();
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    return new Figures(
        ManagementFactory.getRuntimeMXBean().getUptime(),
        server.requests(),
        new Figures.Journal(
            journal.health().isAvailable(),
            metrics.queuedWrites(),
            journal.waitingRecoveries(),
            metrics.events(),
            metrics.commits(),
            metrics.batchSizes(),
            metrics.recoveryWaits()),
        new Figures.Memory(
            node.population().inMemory(),
            node.population().unreadable().count(),
            heap.getUsed(),
            heap.getMax()));
  }

  private static void way(
      MeterRegistry registry, Node node, String way, ToDoubleFunction<Ways> count) {
    FunctionCounter.builder("holdfast.questions", node.ways(), count)
        .description(
            "Questions of this node to users: decided on what an actor of it shows (look), to an"
                + " actor of it (here), to another node directly (peer), over the shard region")
        .tag("way", way)
        .register(registry);
  }

  private static void counter(
      MeterRegistry registry,
      JournalMetrics metrics,
      String name,
      String description,
      ToDoubleFunction<JournalMetrics> value) {
    FunctionCounter.builder("holdfast.journal." + name, metrics, value)
        .description(description)
        .register(registry);
  }
}
