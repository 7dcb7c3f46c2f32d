package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.faults.ApiClient.Call;
import dev.holdfast.faults.History.Acknowledged;
import dev.holdfast.faults.JournalFile.LogIn;
import dev.holdfast.faults.Shopper.How;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL between the steps of log-ins, of which each is in three: the visitor's actor journals
 * that it has started, the user's that it is admitted, the visitor's that it is finished. Where a
 * kill strikes is chance; so many log-ins are under way at once, and it is done until the journals
 * that were left behind show that each gap was hit.
 */
class LogInKillIT {

  private static final int VISITORS = 96;
  private static final int USERS = 12;
  private static final int MOST_ROUNDS = 10;

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  private final History history = new History();

  @Test
  @Timeout(180)
  void completesEachLogInOnceWhereverItWasKilled() {
    var random = new Random(Seed.ofThisRun());
    Path data = dir.resolve("data");
    HoldfastProcess node = program.serve(data);
    var api = new ApiClient(node.url());
    long started = 0;
    long admitted = 0;
    for (int round = 1; started == 0 || admitted == 0; round++) {
      assertThat(round).as("rounds until each gap was hit").isLessThanOrEqualTo(MOST_ROUNDS);
      String name = "round-" + round;
      List<Shopper> visitors = visitorsWithCarts(api, name);

      long moment = history.acknowledged() + random.nextInt(VISITORS / 6);
      Crowd logIns =
          Crowd.start(
              visitors.stream().map(visitor -> (Runnable) () -> logIn(visitor, name)).toList());
      await()
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(1))
          .until(() -> history.acknowledged() >= moment);
      node.kill9();
      logIns.join();

      Map<String, LogIn> left = JournalFile.leftIn(data, dir).logIns();
      long onlyStarted = count(left.values(), LogIn::isOnlyStarted);
      long onlyAdmitted = count(left.values(), LogIn::isOnlyAdmitted);
      System.out.printf(
          "%s: of %d log-ins %d were answered, %d in the journal, %d of them only started, %d only"
              + " admitted%n",
          name,
          VISITORS,
          visitors.stream().filter(visitor -> !visitor.isInTheDark()).count(),
          left.size() - (round - 1) * VISITORS,
          onlyStarted,
          onlyAdmitted);
      started += onlyStarted;
      admitted += onlyAdmitted;

      node = program.serve(data);
      api.moveTo(node.url());
      // Nobody asks for anything: the agenda brings them to their end.
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(() ->
              assertThat(JournalFile.of(data).logIns().values())
                  .hasSizeGreaterThanOrEqualTo(left.size())
                  .allMatch(LogIn::isComplete));

      Crowd.each(visitors, Shopper::repeatAll);
      assertThat(JournalFile.of(data).logIns().values())
          .as("each visitor has logged in once, however often it was asked for")
          .hasSize(VISITORS * round)
          .allMatch(LogIn::isComplete);
      Crowd.each(visitors, Shopper::look);
      Crowd.each(visitors, Shopper::tryDeadTokens);
      // The new token was used by now.
      Crowd.each(visitors, visitor -> assertThat(visitor.repeatTooLate().status()).isEqualTo(401));
      for (int user = 0; user < USERS; user++) {
        assertThat(sessions(api, visitors.get(user))).isEqualTo(VISITORS / USERS);
      }
      assertThat(HistoryChecker.check(history).stream().limit(5)).isEmpty();
    }
    assertThat(JournalFile.of(data).breaks()).isEmpty();
  }

  private List<Shopper> visitorsWithCarts(ApiClient api, String name) {
    var visitors = new ArrayList<Shopper>();
    for (int i = 0; i < VISITORS; i++) {
      visitors.add(Shopper.visitor(api, history, name + "-" + i));
    }
    Crowd.each(
        visitors,
        visitor -> {
          String own = visitor.name();
          assertThat(visitor.open()).isInstanceOf(Acknowledged.class);
          visitor.putAttribute("color", own, How.keyed(own + "a"));
          visitor.add(own, 1 + number(visitor) % 9, How.keyed(own + "b"));
          visitor.add("tea", 1 + number(visitor) % 7, How.keyed(own + "c"));
        });
    return visitors;
  }

  private static void logIn(Shopper visitor, String round) {
    visitor.logIn(
        round + "-user-" + number(visitor) % USERS, How.keyed(visitor.name() + "-log-in"));
  }

  private static int number(Shopper visitor) {
    return Integer.parseInt(visitor.name().substring(visitor.name().lastIndexOf('-') + 1));
  }

  private static int sessions(ApiClient api, Shopper shopper) {
    return api.ask(Call.get("/v1/user/sessions").token(shopper.token()))
        .body()
        .path("sessions")
        .size();
  }

  private static long count(Collection<LogIn> logIns, Predicate<LogIn> which) {
    return logIns.stream().filter(which).count();
  }
}
