/** Tests of the front and of the parts of {@code up}, on real sockets and processes. */
@NullMarked
package dev.holdfast.local;

import org.jspecify.annotations.NullMarked;
