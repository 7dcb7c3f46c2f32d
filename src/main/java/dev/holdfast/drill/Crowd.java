package dev.holdfast.drill;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** Many who act at the same time, each on a thread of its own. */
public final class Crowd {

  private static final ExecutorService THREADS = Executors.newVirtualThreadPerTaskExecutor();

  private final List<Future<?>> acting;

  private Crowd(List<Future<?>> acting) {
    this.acting = acting;
  }

  /** Lets everyone begin. */
  public static Crowd start(Collection<? extends Runnable> everyone) {
    var acting = new ArrayList<Future<?>>();
    for (Runnable one : everyone) {
      acting.add(THREADS.submit(one));
    }
    return new Crowd(acting);
  }

  /** Waits until everyone is done; the first failure is this one's. */
  public void join() {
    for (Future<?> one : acting) {
      get(one);
    }
  }

  /** Lets {@code count} act, numbered from 0, and waits for all. */
  public static void of(int count, IntConsumer action) {
    var everyone = new ArrayList<Runnable>();
    for (int i = 0; i < count; i++) {
      int number = i;
      everyone.add(() -> action.accept(number));
    }
    start(everyone).join();
  }

  /** Does the same for each, all at the same time, and waits for all. */
  public static <T> void each(Collection<T> all, Consumer<T> action) {
    start(all.stream().map(one -> (Runnable) () -> action.accept(one)).toList()).join();
  }

  /** {@return what each answered, in their order} All are asked at the same time. */
  public static <T> List<T> ask(Collection<? extends Callable<T>> everyone) {
    var asked = new ArrayList<Future<T>>();
    for (Callable<T> one : everyone) {
      asked.add(THREADS.submit(one));
    }
    return asked.stream().map(Crowd::get).toList();
  }

  private static <T> T get(Future<T> future) {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new AssertionError("one of the crowd failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for the crowd", e);
    }
  }
}
