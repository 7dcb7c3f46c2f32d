/**
 * Holdfast: sessions and carts that outlive the processes that serve them. {@link
 * dev.holdfast.Main} is where the program starts.
 */
@NullMarked
package dev.holdfast;

import org.jspecify.annotations.NullMarked;
