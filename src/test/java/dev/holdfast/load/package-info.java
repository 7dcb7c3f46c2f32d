/**
 * Load by Gatling: {@code mvn -Pload gatling:test}. Compiled in the profile {@code load} only.
 *
 * <p>Start at {@link dev.holdfast.load.ShoppingVisit}; {@link dev.holdfast.load.Shop} has the calls
 * with their checks, {@link dev.holdfast.load.Target} what they are sent to, {@link
 * dev.holdfast.load.Options} the settings.
 */
@NullMarked
package dev.holdfast.load;

import org.jspecify.annotations.NullMarked;
