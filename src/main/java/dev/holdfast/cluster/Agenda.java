package dev.holdfast.cluster;

import dev.holdfast.entity.Answer;
import dev.holdfast.entity.TrustedClock;
import dev.holdfast.journal.DueOwner;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalFailure;
import dev.holdfast.journal.Owner;
import dev.holdfast.journal.OwnerRange;
import dev.holdfast.journal.StoreUnreadable;
import dev.holdfast.user.Command;
import dev.holdfast.user.OwnerKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes the users whose deadline has come, whether they are in memory or not; what is due then, the
 * user decides. A bounded number at a time, and read ahead when nobody waits for other users, so
 * that a surge of expiries stays below live traffic. Users who cannot be read are passed over for a
 * while.
 */
final class Agenda implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Agenda.class);
  private static final int PAGE = 500;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** For so long a user who cannot be read is not woken again. */
  private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(10);

  private static final int MOST_PAUSED = 10_000;

  private final Journal journal;
  private final Users users;
  private final Supplier<List<OwnerRange>> ranges;
  private final TrustedClock clock;
  private final ClusterSettings settings;
  private final Semaphore waking;

  /** Who is passed over, and since when, in this order. Guarded by itself. */
  private final LinkedHashMap<Owner, Long> paused = new LinkedHashMap<>();

  private final ScheduledExecutorService sweeper =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("holdfast-agenda").factory());

  private @Nullable ScheduledFuture<?> sweeping;

  /**
   * @param ranges the users whom this node holds. A user whom two nodes wake decides once; one whom
   *     nobody wakes now is woken at the next sweep
   */
  Agenda(
      Journal journal,
      Users users,
      Supplier<List<OwnerRange>> ranges,
      TrustedClock clock,
      ClusterSettings settings) {
    this.journal = journal;
    this.users = users;
    this.ranges = ranges;
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
      List<OwnerRange> held = ranges.get();
      while (now.trusted() && !held.isEmpty() && journal.health().isAvailable()) {
        List<DueOwner> due = journal.due(held, now.millis(), PAGE, last);
        List<Owner> wanted =
            due.stream().map(DueOwner::owner).filter(owner -> !isPaused(owner)).toList();
        for (int i = 0; i < wanted.size(); i += settings.sweepParallel()) {
          wake(wanted.subList(i, Math.min(i + settings.sweepParallel(), wanted.size())));
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
    } catch (ExecutionException e) {
      LOG.debug("the users who are due cannot be read now", e);
    } catch (RuntimeException e) {
      LOG.error("a sweep of the agenda failed; the next one goes on", e);
    }
  }

  private void wake(List<Owner> owners) throws InterruptedException, ExecutionException {
    try {
      journal.prefetch(owners).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException busy) {
      // Others are waited for all the time. Deadlines must not wait for ever, so in spite of that.
      LOG.debug("users who are due were not read ahead within {}", PATIENCE);
    }
    for (Owner owner : owners) {
      wake(owner);
    }
  }

  private void wake(Owner owner) throws InterruptedException {
    waking.acquire();
    Thread.startVirtualThread(() -> {
      try {
        Answer answer =
            users.ask(
                new OwnerKey(owner.high(), owner.low()), new Command.Wake(), PATIENCE.toMillis());
        if (answer instanceof Answer.Unreadable) {
          pause(owner);
        }
      } finally {
        waking.release();
      }
    });
  }

  private void pause(Owner owner) {
    synchronized (paused) {
      paused.remove(owner); // so that it goes to the young end
      paused.put(owner, System.nanoTime());
      if (paused.size() > MOST_PAUSED) {
        paused.pollFirstEntry();
      }
    }
  }

  private boolean isPaused(Owner owner) {
    synchronized (paused) {
      Long since = paused.get(owner);
      if (since != null && System.nanoTime() - since > PAUSE_NANOS) {
        paused.remove(owner);
        return false;
      }
      return since != null;
    }
  }

  @Override
  public void close() {
    if (sweeping != null) {
      sweeping.cancel(true);
    }
    sweeper.shutdownNow();
  }
}
