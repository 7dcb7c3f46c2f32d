/**
 * What the parts measure, as plain values: {@link dev.holdfast.telemetry.Histogram} counts, {@link
 * dev.holdfast.telemetry.Figures} is what a node tells of itself, {@link
 * dev.holdfast.telemetry.LogFormat} is how the log looks, {@link dev.holdfast.telemetry.Traces} the
 * parts of a trace that no agent sees, and there are the events below {@code holdfast} of flight
 * recordings. Nothing here knows what it is that is measured.
 */
@NullMarked
package dev.holdfast.telemetry;

import org.jspecify.annotations.NullMarked;
