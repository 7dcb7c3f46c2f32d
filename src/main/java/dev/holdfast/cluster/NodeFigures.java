package dev.holdfast.cluster;

import dev.holdfast.telemetry.Figures;
import org.jspecify.annotations.Nullable;

/**
 * What a member tells of its work.
 *
 * @param node its name
 * @param figures null if it did not tell in time
 */
public record NodeFigures(String node, @Nullable Figures figures) {}
