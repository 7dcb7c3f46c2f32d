package dev.holdfast.http;

import dev.holdfast.feed.EventLog;
import dev.holdfast.user.OwnerKey;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The events of a running node, with a fault in the way to them where a test wants one. */
final class FaultyLog implements EventLog {

  private final EventLog log;
  private volatile @Nullable RuntimeException fault;

  FaultyLog(EventLog log) {
    this.log = log;
  }

  /** Does something while nothing can be read, for this reason. */
  <T> T failing(RuntimeException why, Supplier<T> what) {
    fault = why;
    try {
      return what.get();
    } finally {
      fault = null;
    }
  }

  private EventLog log() {
    RuntimeException why = fault;
    if (why != null) {
      throw why;
    }
    return log;
  }

  @Override
  public History history(OwnerKey owner, long after, int limit) {
    return log().history(owner, after, limit);
  }

  @Override
  public Past at(OwnerKey owner, long moment) {
    return log().at(owner, moment);
  }

  @Override
  public Feed feed(Reading reading) {
    return log().feed(reading);
  }

  @Override
  public List<Consumer> consumers() {
    return log().consumers();
  }

  @Override
  public boolean forget(String consumer) {
    return log().forget(consumer);
  }

  @Override
  public void stopWaiting() {
    log.stopWaiting();
  }
}
