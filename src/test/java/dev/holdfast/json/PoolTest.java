package dev.holdfast.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class PoolTest {

  private final Pool<AtomicBoolean> pool = new Pool<>();

  @Test
  void hasNothingAtFirst() {
    assertThat(pool.take()).isNull();
  }

  @Test
  void givesWhatWasGivenBackAndOnlyOnce() {
    var thing = new AtomicBoolean();
    pool.give(thing);
    assertThat(pool.take()).isSameAs(thing);
    assertThat(pool.take()).isNull();
  }

  @Test
  void keepsSeveralOfOneThread() {
    pool.give(new AtomicBoolean());
    pool.give(new AtomicBoolean());
    assertThat(List.of(taken(), taken())).doesNotHaveDuplicates();
  }

  /** As many as anybody gives: it must not fill the memory. */
  @Test
  void keepsAFewOfThem() {
    for (int i = 0; i < 10_000; i++) {
      pool.give(new AtomicBoolean());
    }
    Set<AtomicBoolean> kept = Collections.newSetFromMap(new IdentityHashMap<>());
    for (AtomicBoolean next = pool.take(); next != null; next = pool.take()) {
      kept.add(next);
    }
    assertThat(kept).hasSizeBetween(1, 64);
  }

  @Test
  void givesNothingToTwoThreadsAtATime() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var users = new ArrayList<Callable<Integer>>();
      for (int i = 0; i < 200; i++) {
        users.add(this::useOften);
      }
      int reused = 0;
      for (var user : threads.invokeAll(users)) {
        reused += user.get();
      }
      assertThat(reused).isPositive();
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // nothing relies on it; it lets others come between
  private int useOften() {
    int reused = 0;
    for (int i = 0; i < 1_000; i++) {
      AtomicBoolean kept = pool.take();
      reused += kept == null ? 0 : 1;
      AtomicBoolean thing = kept == null ? new AtomicBoolean() : kept;
      assertThat(thing.compareAndSet(false, true)).as("nobody else has it").isTrue();
      Thread.yield();
      thing.set(false);
      pool.give(thing);
    }
    return reused;
  }

  private AtomicBoolean taken() {
    AtomicBoolean kept = pool.take();
    assertThat(kept).isNotNull();
    return kept;
  }
}
