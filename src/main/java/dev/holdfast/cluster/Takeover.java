package dev.holdfast.cluster;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A node went without having handed its users over, and the others took them.
 *
 * @param node its name
 * @param tier what has shown that it is gone
 * @param at when that was, as the node that tells this saw it
 * @param shards that it held
 * @param took from {@code at} until the last of its shards had a new home; null while it lasts
 */
public record Takeover(String node, Tier tier, Instant at, int shards, @Nullable Duration took) {}
