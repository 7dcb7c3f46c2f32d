/**
 * Faults done to a cluster of real processes under load, and the proof of what came of it.
 *
 * <p>Start at {@link dev.holdfast.drill.Drill}, which is what {@code drill} runs. A {@link
 * dev.holdfast.drill.Shopper} is one client with one session, who writes into a {@link
 * dev.holdfast.drill.History} what was asked and what came of it; {@link
 * dev.holdfast.drill.HistoryChecker} judges a history afterwards, whatever was done to the servers
 * meanwhile. The tests of faults use the same.
 */
@NullMarked
package dev.holdfast.drill;

import org.jspecify.annotations.NullMarked;
