package dev.holdfast.feed;

import java.time.Duration;

/**
 * How the feed is kept.
 *
 * @param keep for how long events are kept for a named consumer that does not read them
 */
public record FeedSettings(Duration keep) {}
