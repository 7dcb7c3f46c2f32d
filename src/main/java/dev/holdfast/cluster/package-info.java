/**
 * The cluster: forming it, spreading the users over it, and reaching a user wherever they are.
 *
 * <p>Start at {@link dev.holdfast.cluster.Users}, through which everybody asks a user's actor.
 */
@NullMarked
package dev.holdfast.cluster;

import org.jspecify.annotations.NullMarked;
