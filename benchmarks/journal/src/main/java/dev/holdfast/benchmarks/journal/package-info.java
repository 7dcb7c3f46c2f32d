/**
 * Measures Holdfast's journal beside others: pekko-persistence-jdbc, and bare clients as the
 * ceiling of what the stores take.
 *
 * <p>Start reading at {@link dev.holdfast.benchmarks.journal.Main}, which starts the server and one
 * process for each contestant, gives the orders and writes the report. Each process runs {@link
 * dev.holdfast.benchmarks.journal.ContestantProgram}, which takes orders from its input, one line
 * each, and answers them on its output; so every contestant is warm, idle while another has its
 * turn, and alone in its JVM. What differs between them is behind {@link
 * dev.holdfast.benchmarks.journal.Contestant}; actors, load and payloads are the same.
 */
@NullMarked
package dev.holdfast.benchmarks.journal;

import org.jspecify.annotations.NullMarked;
