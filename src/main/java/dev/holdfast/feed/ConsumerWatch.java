package dev.holdfast.feed;

import dev.holdfast.journal.FeedReaders;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.StoreUnreadable;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the named consumers of the feed: tells how far behind each is, warns when one has
 * used half of the time for which events are kept for it, and lets it lapse when that is over.
 */
public final class ConsumerWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ConsumerWatch.class);
  private static final Duration INTERVAL = Duration.ofSeconds(5);

  private final FeedReaders readers;
  private final Duration keep;
  private final Supplier<OptionalLong> clock;
  private final Consumer<List<Lag>> told;
  private final Set<String> warned = new HashSet<>();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-feed-consumers").factory());

  /**
   * How far behind a consumer is.
   *
   * @param millis since the first event that it has not read; 0 if it has read all
   */
  public record Lag(String consumer, long millis, boolean lapsed) {}

  private ConsumerWatch(
      FeedReaders readers, Duration keep, Supplier<OptionalLong> clock, Consumer<List<Lag>> told) {
    this.readers = readers;
    this.keep = keep;
    this.clock = clock;
    this.told = told;
  }

  /**
   * Starts to look.
   *
   * @param keep how long events are kept for a consumer that does not read them
   * @param clock milliseconds since 1970, or nothing while it cannot be trusted: then none lapses
   * @param told is told all consumers, each few seconds
   */
  public static ConsumerWatch start(
      FeedReaders readers, Duration keep, Supplier<OptionalLong> clock, Consumer<List<Lag>> told) {
    var watch = new ConsumerWatch(readers, keep, clock, told);
    var _ =
        watch.thread.scheduleWithFixedDelay(
            watch::look, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    return watch;
  }

  private void look() {
    try {
      OptionalLong now = clock.get();
      if (now.isEmpty()) {
        return;
      }
      List<FeedReaders.Consumer> consumers = readers.consumers();
      told.accept(consumers.stream().map(each -> lag(each, now.getAsLong())).toList());
      long since = now.getAsLong() - keep.toMillis();
      if (consumers.stream().anyMatch(each -> !each.lapsed() && silentSince(each) < since)
          && readers.lapse(since) > 0) {
        LOG.error(
            "a consumer of the feed has read nothing for {}: events are no longer kept for it",
            keep);
      }
      consumers.forEach(each -> warn(each, now.getAsLong()));
    } catch (StoreUnreadable | JournalFailure e) {
      LOG.debug("the consumers of the feed are not known now", e);
    } catch (RuntimeException e) {
      LOG.error("looking after the consumers of the feed failed; the next look comes", e);
    }
  }

  private void warn(FeedReaders.Consumer consumer, long now) {
    long silent = now - Math.min(now, silentSince(consumer));
    if (silent <= keep.toMillis() / 2 || consumer.lapsed()) {
      warned.remove(consumer.name());
    } else if (warned.add(consumer.name())) {
      LOG.warn(
          "the consumer {} of the feed has read nothing for {}; after {} events are no longer kept"
              + " for it",
          consumer.name(),
          Duration.ofMillis(silent),
          keep);
    }
  }

  /** Since when it has had something to read, and has read nothing of it. */
  private static long silentSince(FeedReaders.Consumer consumer) {
    return Math.max(waitsSince(consumer), consumer.movedAt());
  }

  private static long waitsSince(FeedReaders.Consumer consumer) {
    return consumer.waitingSince().orElse(Long.MAX_VALUE);
  }

  private static Lag lag(FeedReaders.Consumer consumer, long now) {
    long since = waitsSince(consumer);
    return new Lag(
        consumer.name(), since == Long.MAX_VALUE ? 0 : Math.max(0, now - since), consumer.lapsed());
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
