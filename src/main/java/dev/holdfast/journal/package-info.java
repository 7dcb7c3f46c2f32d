/**
 * The event journal: where every change of an owner is durable before it is acknowledged.
 *
 * <p>The journal knows owners, sequence numbers, names, bytes and deadlines. It knows nothing of
 * what an event means: the entity's codec makes the bytes, and the deadline that an event carries
 * is all that the agenda needs.
 *
 * <p>Start reading at {@link dev.holdfast.journal.Journal}, the running journal of one node. It
 * groups the writes of many owners into batches ({@link dev.holdfast.journal.GroupCommit}), answers
 * recoveries ({@link dev.holdfast.journal.Recoveries}) and keeps {@link
 * dev.holdfast.journal.JournalHealth}. It knows nothing of actors. What a database has to do is
 * {@link dev.holdfast.journal.JournalStore}, with {@link dev.holdfast.journal.SqliteStore} as the
 * embedded one.
 *
 * <p>Three rules hold throughout:
 *
 * <ul>
 *   <li><b>Fence.</b> A batch is written only while the row of the node that writes it is not
 *       fenced, checked in the batch's own transaction.
 *   <li><b>Second line.</b> An owner's write is taken only if it begins right after the owner's
 *       highest number; it is taken whole or not at all, and the loser fails alone.
 *   <li><b>The newest event stays.</b> Deletion never removes an owner's newest event, so the
 *       highest number, the deadline and the second line outlive every deletion. Only a purge
 *       removes it, with all else of an owner of whom nothing is left.
 * </ul>
 */
@NullMarked
package dev.holdfast.journal;

import org.jspecify.annotations.NullMarked;
