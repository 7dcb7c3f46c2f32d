package dev.holdfast.faults;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The packaged program, to be run as processes of its own. As an extension of JUnit it ends them
 * all, whatever became of the test; of a test that failed it shows what they had logged.
 *
 * <p>The system properties {@code holdfast.jar} and {@code holdfast.jvm.flags} name the jar and the
 * JVM flags that the launcher gives it.
 */
final class Program
    implements BeforeAllCallback,
        BeforeEachCallback,
        AfterEachCallback,
        AfterAllCallback,
        AfterTestExecutionCallback {

  private final boolean forTheClass;
  private final List<HoldfastProcess> started = new ArrayList<>();

  private Program(boolean forTheClass) {
    this.forTheClass = forTheClass;
  }

  /** {@return one whose processes end with each test} */
  static Program forEachTest() {
    return new Program(false);
  }

  /** {@return one whose processes the tests of a class share; for a static field} */
  static Program forTheClass() {
    return new Program(true);
  }

  /** Starts a node on a free port and waits until it is ready. */
  HoldfastProcess serve(Path data) {
    return start(serving(data)).awaitReady();
  }

  /** {@return how to start a node on a free port} */
  static Launch serving(Path data) {
    return Launch.of("serve", "--port", "0", "--data", data.toString());
  }

  /** Runs the program to its end. */
  HoldfastProcess.Ended run(Launch launch) {
    return start(launch).awaitEnd();
  }

  synchronized HoldfastProcess start(Launch launch) {
    HoldfastProcess process = HoldfastProcess.start(launch);
    started.add(process);
    return process;
  }

  /**
   * How to start the program.
   *
   * @param arguments of its command line
   * @param environment added to that of the test, from which the program's own variables are taken
   * @param classes a folder of classes to be found before those of the program; null for none
   * @param maxFileBytes how large the operating system lets any file of it grow, or 0 for no limit;
   *     it can be lifted later
   */
  record Launch(
      List<String> arguments,
      Map<String, String> environment,
      @Nullable Path classes,
      long maxFileBytes) {

    static Launch of(String... arguments) {
      return new Launch(List.of(arguments), Map.of(), null, 0);
    }

    Launch and(String... more) {
      var all = new ArrayList<>(arguments);
      all.addAll(List.of(more));
      return new Launch(all, environment, classes, maxFileBytes);
    }

    Launch with(Map<String, String> variables) {
      return new Launch(arguments, Map.copyOf(variables), classes, maxFileBytes);
    }

    Launch before(Path other) {
      return new Launch(arguments, environment, other, maxFileBytes);
    }

    Launch filesUpTo(long bytes) {
      return new Launch(arguments, environment, classes, bytes);
    }
  }

  /** What all processes start with is made outside the time limits of tests. */
  @Override
  public void beforeAll(ExtensionContext context) {
    StartUpCache.options();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    StartUpCache.options();
  }

  @Override
  public synchronized void afterTestExecution(ExtensionContext context) {
    if (context.getExecutionException().isPresent()) {
      for (HoldfastProcess process : started) {
        System.out.println("--- " + process + " had logged:\n" + process.err());
      }
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!forTheClass) {
      endAll();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    endAll();
  }

  private synchronized void endAll() {
    started.forEach(HoldfastProcess::close);
    started.clear();
  }
}
