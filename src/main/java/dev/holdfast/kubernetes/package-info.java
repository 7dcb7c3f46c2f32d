/**
 * What a node asks of Kubernetes: to take another pod than the oldest node's first when there are
 * to be fewer. Start at {@link dev.holdfast.kubernetes.DeletionCost}.
 *
 * <p>Nothing depends on it. Nodes find each other by the journal, so trouble with the API server,
 * its absence too, only leaves the choice of the pod to chance.
 */
@NullMarked
package dev.holdfast.kubernetes;

import org.jspecify.annotations.NullMarked;
