/**
 * The cart: its lines, exact money and the rules by which two carts become one.
 *
 * <p>Start at {@link dev.holdfast.cart.Cart}; {@link dev.holdfast.cart.CartMerge} is what happens
 * at log-in. Plain immutable Java: no framework, no clock, no input or output.
 */
@NullMarked
package dev.holdfast.cart;

import org.jspecify.annotations.NullMarked;
