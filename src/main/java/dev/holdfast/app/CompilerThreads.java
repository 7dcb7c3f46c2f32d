package dev.holdfast.app;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of this JVM that compile. When a node takes users over by code that has hardly run
 * before, they have most to do just when the processors are needed most: on two of them they took a
 * third of both in that second, and each step of the takeover waited for its turn behind them.
 *
 * <p>So they get the smaller share of what all threads of this process want together: a fifth of
 * what a thread of the program gets, and all that is left over. Where processors are idle nothing
 * changes. Not in the first ten seconds, in which a node that starts under full load has nothing
 * better to do than to compile: it would stay slow for several times as long. Nor can they be given
 * their share back later, which takes rights that a process seldom has.
 *
 * <p>{@code -XX:CompilerThreadPriority} does it from the start, and only beside {@code
 * -XX:ThreadPriorityPolicy=1}, which prints a warning to standard output for whoever is not root.
 */
public final class CompilerThreads {

  private static final Logger LOG = LoggerFactory.getLogger(CompilerThreads.class);

  /** Each step of niceness takes a fifth of the share: seven leave about a fifth of it. */
  private static final int NICE = 7;

  private static final Path THREADS = Path.of("/proc/self/task");

  /** Linux keeps 15 characters of a thread's name. */
  private static final String NAME = " CompilerThre";

  private static final int PRIO_PROCESS = 0;

  private static final Duration WARM = Duration.ofSeconds(10);

  private CompilerThreads() {}

  /** Has them {@linkplain #standBack stand back} in ten seconds, as long as the process runs. */
  public static void standBackOnceWarm() {
    CompletableFuture.delayedExecutor(WARM.toSeconds(), TimeUnit.SECONDS)
        .execute(CompilerThreads::standBack);
  }

  /**
   * Has them stand back. Those that the JVM starts later inherit it, since it starts them from one
   * of these. Does nothing where there is no Linux, or it says no.
   */
  @SuppressWarnings("restricted") // setpriority takes three ints and touches no memory of ours
  private static void standBack() {
    Optional<MemorySegment> function = Linker.nativeLinker().defaultLookup().find("setpriority");
    if (function.isEmpty() || !Files.isDirectory(THREADS)) {
      return;
    }
    MethodHandle setPriority =
        Linker.nativeLinker()
            .downcallHandle(
                function.get(), FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
      for (Path thread : threads) {
        if (isCompiler(thread)) {
          int id = Integer.parseInt(thread.getFileName().toString());
          int _ = (int) setPriority.invokeExact(PRIO_PROCESS, id, NICE);
        }
      }
    } catch (Throwable e) { // which is what a method handle declares
      LOG.debug("the compiler's threads keep their priority", e);
    }
  }

  private static boolean isCompiler(Path thread) {
    try {
      return Files.readString(thread.resolve("comm")).strip().endsWith(NAME);
    } catch (IOException ended) {
      return false;
    }
  }
}
