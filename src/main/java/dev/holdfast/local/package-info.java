/**
 * Holdfast on this machine: nodes as processes of their own, and load on them.
 *
 * <p>Start at {@link dev.holdfast.local.NodeProcess}; {@link dev.holdfast.local.NodeBenchmark} is
 * what {@code bench} measures.
 */
@NullMarked
package dev.holdfast.local;

import org.jspecify.annotations.NullMarked;
