/**
 * Puts the program together: every {@code new} of a long-lived part, in order, and the typed
 * configuration that they get.
 *
 * <p>Start at {@link dev.holdfast.app.App}; {@link dev.holdfast.app.Settings} is the configuration.
 */
@NullMarked
package dev.holdfast.app;

import org.jspecify.annotations.NullMarked;
