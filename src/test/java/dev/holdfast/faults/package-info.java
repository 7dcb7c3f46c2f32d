/**
 * Faults done to the packaged program, each run as a process of its own, and the proof that it
 * keeps its word all the same.
 *
 * <p>Start at {@link dev.holdfast.faults.KillNineIT}. {@link dev.holdfast.faults.Program} starts,
 * kills and ends processes; {@link dev.holdfast.drill.Shopper} is one client with one session, who
 * writes into a {@link dev.holdfast.drill.History} what was asked and what came of it; {@link
 * dev.holdfast.drill.HistoryChecker} judges a history afterwards, whatever was done to the servers
 * meanwhile. A {@link dev.holdfast.faults.JournalFile} looks at what a process left behind.
 *
 * <p>Each test that leaves something to chance prints its seed; {@code -Dholdfast.seed} gives it
 * again, though not the course of time.
 */
@NullMarked
package dev.holdfast.faults;

import org.jspecify.annotations.NullMarked;
