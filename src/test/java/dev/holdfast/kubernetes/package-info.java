/**
 * Tests of what a node asks of Kubernetes, and of the manifests and the image that bring it there.
 */
@NullMarked
package dev.holdfast.kubernetes;

import org.jspecify.annotations.NullMarked;
