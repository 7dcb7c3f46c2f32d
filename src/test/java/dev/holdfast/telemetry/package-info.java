/** Start at {@link dev.holdfast.telemetry.HistogramTest}. */
@NullMarked
package dev.holdfast.telemetry;

import org.jspecify.annotations.NullMarked;
