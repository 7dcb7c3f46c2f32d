package dev.holdfast.command;

import dev.holdfast.app.App;
import dev.holdfast.app.CompilerThreads;
import dev.holdfast.app.Settings;
import java.util.concurrent.CountDownLatch;

/** A node in the foreground: until the process is told to end. */
final class RunningNode {

  private RunningNode() {}

  /** Starts the node and sees to it that the process stops it in good order when told to end. */
  static App start(Settings settings) throws Exception {
    App app =
        App.start(
            settings,
            () -> {
              // Another node holds the users now. No shutdown: nothing here may speak for them.
              System.err.println("holdfast: this node was fenced; its users are held by another");
              Runtime.getRuntime().halt(1);
            });
    CompilerThreads.standBackOnceWarm();
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("holdfast-stop")
                .unstarted(() -> {
                  app.close();
                  // Told to end and did so: that is status 0, whichever signal said it.
                  Runtime.getRuntime().halt(0);
                }));
    return app;
  }

  /** Waits until the process is told to end. */
  static void await() throws InterruptedException {
    new CountDownLatch(1).await();
  }
}
