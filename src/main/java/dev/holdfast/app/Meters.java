package dev.holdfast.app;

import dev.holdfast.entity.Population;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalMetrics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToDoubleFunction;

/** What the parts count, as meters. */
final class Meters {

  private static final double NANOS = 1e-9;

  private Meters() {}

  static void bind(MeterRegistry registry, Journal journal, Population population) {
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

    JournalMetrics metrics = journal.metrics();
    counter(registry, metrics, "batches", "Batches written", JournalMetrics::batches);
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
        "batch.seconds",
        "Time spent on writing batches",
        m -> m.batchNanos() * NANOS);
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
