package dev.holdfast.cluster;

import dev.holdfast.entity.TrustedClock;
import dev.holdfast.journal.DueOwner;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes the users whose deadline has come, whether they are in memory or not; what is due then, the
 * user decides. A bounded number at a time, so that a surge of expiries stays below live traffic.
 */
final class Agenda implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Agenda.class);
  private static final int PAGE = 500;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Journal journal;
  private final Users users;
  private final TrustedClock clock;
  private final ClusterSettings settings;
  private final Semaphore waking;
  private final ScheduledExecutorService sweeper =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-agenda").factory());

  private @Nullable ScheduledFuture<?> sweeping;

  Agenda(Journal journal, Users users, TrustedClock clock, ClusterSettings settings) {
    this.journal = journal;
    this.users = users;
    this.clock = clock;
    this.settings = settings;
    this.waking = new Semaphore(settings.sweepParallel());
  }

  void start() {
    long millis = settings.sweepInterval().toMillis();
    sweeping = sweeper.scheduleWithFixedDelay(this::sweep, millis, millis, TimeUnit.MILLISECONDS);
  }

  private void sweep() {
    try {
      TrustedClock.Reading now = clock.read();
      @Nullable DueOwner last = null;
      while (now.trusted() && journal.health().isAvailable()) {
        List<DueOwner> due = journal.due(List.of(OwnerRange.ALL), now.millis(), PAGE, last);
        for (DueOwner owner : due) {
          wake(owner);
        }
        if (due.size() < PAGE) {
          break;
        }
        last = due.getLast();
      }
      // The next sweep must not find those who are still on their way.
      waking.acquire(settings.sweepParallel());
      waking.release(settings.sweepParallel());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    } catch (JournalFailure | StoreUnreadable e) {
      LOG.debug("the agenda cannot be read now", e);
    } catch (RuntimeException e) {
      LOG.error("a sweep of the agenda failed; the next one goes on", e);
    }
  }

  private void wake(DueOwner due) throws InterruptedException {
    waking.acquire();
    Thread.startVirtualThread(() -> {
      try {
        users.ask(
            new OwnerKey(due.owner().high(), due.owner().low()),
            new Command.Wake(),
            PATIENCE.toMillis());
      } finally {
        waking.release();
      }
    });
  }

  @Override
  public void close() {
    if (sweeping != null) {
      sweeping.cancel(true);
    }
    sweeper.shutdownNow();
  }
}
