/**
 * A small shop for {@code up}, so that people can watch a cart survive: products, a cart on two
 * devices, log-in, undo, and a button that kills the node which holds the cart. It calls the API as
 * any application would and knows nothing else of Holdfast; what may be killed is told by {@link
 * dev.holdfast.shop.Nodes}. Start at {@link dev.holdfast.shop.Shop}.
 */
@NullMarked
package dev.holdfast.shop;

import org.jspecify.annotations.NullMarked;
