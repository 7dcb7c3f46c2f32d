package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.ShoppingLoad;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL at random moments while 64 writers and some visitors are at it; then the same data folder
 * again. What was acknowledged is there, what was refused is not, and what is unknown is there
 * wholly or not at all.
 */
class KillNineIT {

  private static final int WRITERS = 64;
  private static final int VISITORS = 8;

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  private final History history = new History();
  private final List<Shopper> shoppers = new ArrayList<>();

  @Test
  @Timeout(180)
  void keepsItsWordThroughThreeKills() {
    keepsItsWordThrough(3);
  }

  @Test
  @Tag("nightly")
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void keepsItsWordThroughTwentyKills() {
    keepsItsWordThrough(20);
  }

  private void keepsItsWordThrough(int kills) {
    long seed = Seed.ofThisRun();
    var random = new Random(seed);
    Path data = dir.resolve("data");
    HoldfastProcess node = program.serve(data);
    var api = new ApiClient(node.url());
    for (int kill = 1; kill <= kills; kill++) {
      Shopper early = Shopper.visitor(api, history, "early-" + kill);
      assertThat(ShoppingLoad.visit(early, "early-user-" + kill, random)).isTrue();
      shoppers.add(early);

      long moment = history.acknowledged() + 300 + random.nextInt(3_000);
      var load =
          new ShoppingLoad(api, history, "kill-" + kill, random.nextLong())
              .start(WRITERS, VISITORS);
      await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(2))
          .until(() -> history.acknowledged() >= moment);
      node.kill9();
      load.join();

      node = program.serve(data);
      api.moveTo(node.url());
      Crowd.each(load.shoppers(), KillNineIT::look);
      Crowd.each(load.shoppers(), Shopper::repeatAll);
      shoppers.addAll(load.shoppers());
      Crowd.each(shoppers, KillNineIT::look);
      Crowd.each(shoppers, Shopper::tryDeadTokens);

      JournalFile journal = JournalFile.of(data);
      history.onRecord(journal.orders());
      System.out.printf("kill %d: %d events, %s%n", kill, journal.size(), history);
      assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
      assertThat(journal.breaks()).isEmpty();
    }
  }

  private static void look(Shopper shopper) {
    shopper.look();
    shopper.lookAtCart();
  }
}
