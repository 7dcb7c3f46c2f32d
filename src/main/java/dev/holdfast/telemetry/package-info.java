/**
 * What the parts measure, as plain values: {@link dev.holdfast.telemetry.Histogram} counts, {@link
 * dev.holdfast.telemetry.Figures} is what a node tells of itself, and the events below {@code
 * holdfast} in a flight recording. Nothing here knows what it is that is measured.
 */
@NullMarked
package dev.holdfast.telemetry;

import org.jspecify.annotations.NullMarked;
