package dev.holdfast.cluster;

import com.typesafe.config.Config;
import dev.holdfast.entity.LentThread;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;

/**
 * Gives each turn of an actor a virtual thread, that of a request which waits for it or one of its
 * own; named in {@code application.conf}, and made by Pekko. Pekko's own one does the like, but
 * asks for access to the inside of the JVM and complains in the log where it has none.
 */
public final class VirtualThreadTurns extends ExecutorServiceConfigurator {

  /** Called by Pekko. */
  public VirtualThreadTurns(Config config, DispatcherPrerequisites prerequisites) {
    super(config, prerequisites);
  }

  @Override
  public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory unused) {
    return Turns::new;
  }

  /** Pekko shuts it down once no actor is left, so nothing is on its way then. */
  private static final class Turns extends AbstractExecutorService {

    private volatile boolean shut;

    @Override
    public void execute(Runnable turn) {
      if (shut) {
        throw new RejectedExecutionException("shut down");
      }
      LentThread.start(turn);
    }

    @Override
    public void shutdown() {
      shut = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
      shut = true;
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return shut;
    }

    @Override
    public boolean isTerminated() {
      return shut;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return shut;
    }
  }
}
