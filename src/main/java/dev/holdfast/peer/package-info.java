/**
 * Connections from node to node on which users are asked directly: {@link
 * dev.holdfast.peer.PeerConnection} is the asking end, {@link dev.holdfast.peer.PeerResponder} the
 * answering one. They are a shorter way than the shard regions to users who are in use, and no
 * other way to be sure of anything: who is not reached here is asked over the region.
 */
@NullMarked
package dev.holdfast.peer;

import org.jspecify.annotations.NullMarked;
