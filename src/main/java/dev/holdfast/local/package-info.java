/**
 * Holdfast on this machine: nodes as processes of their own, one address before them, and load on
 * them.
 *
 * <p>Start at {@link dev.holdfast.local.LocalCluster}, which is what {@code up} runs: a {@code
 * Supervisor} for each node, and the {@link dev.holdfast.local.Front}, whose {@code
 * FrontConnection} passes requests on. {@link dev.holdfast.local.NodeBenchmark} is what {@code
 * bench} measures, with {@link dev.holdfast.local.ShopLoad} on a {@link
 * dev.holdfast.local.NodeProcess}; {@link dev.holdfast.local.AdminClient} is how the other commands
 * talk to a running server.
 */
@NullMarked
package dev.holdfast.local;

import org.jspecify.annotations.NullMarked;
