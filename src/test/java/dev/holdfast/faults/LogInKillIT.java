package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.drill.ApiClient;
import dev.holdfast.drill.ApiClient.Call;
import dev.holdfast.drill.Crowd;
import dev.holdfast.drill.History;
import dev.holdfast.drill.History.Acknowledged;
import dev.holdfast.drill.History.Outcome;
import dev.holdfast.drill.HistoryChecker;
import dev.holdfast.drill.Shopper;
import dev.holdfast.drill.Shopper.How;
import dev.holdfast.faults.JournalFile.LogIn;
import dev.holdfast.faults.JournalFile.Steps;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL between the steps of log-ins, of which each is in three: the visitor's actor journals
 * that it has started, the user's that it is admitted, the visitor's that it is finished. The kill
 * comes when the journal shows a log-in within a gap. Where it strikes is chance all the same, so
 * many are under way at once, and it is done until the journals that were left behind show that
 * each gap was hit.
 */
class LogInKillIT {

  private static final int VISITORS = 96;
  private static final int USERS = 12;
  private static final int AT_ONCE = 32;
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

      // So many at a time, one after the other: whenever the kill comes, others are under way.
      Set<Shopper> asked = ConcurrentHashMap.newKeySet();
      int least = 1 + random.nextInt(VISITORS / 2);
      int before = (round - 1) * VISITORS;
      boolean aimAtStarted = started == 0;
      Crowd logIns = Crowd.start(logInsOf(visitors, name, asked));
      // Many commit together, so a moment that is chosen blindly mostly falls beside both gaps.
      await()
          .atMost(Duration.ofSeconds(30))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> {
            Steps now = JournalFile.steps(data);
            boolean within =
                aimAtStarted ? now.started() > now.admitted() : now.admitted() > now.finished();
            return (now.started() >= before + least && within)
                || now.finished() >= before + VISITORS;
          });
      node.kill9();
      logIns.join();

      Map<String, LogIn> left = JournalFile.leftIn(data, dir).logIns();
      long onlyStarted = count(left.values(), LogIn::isOnlyStarted);
      long onlyAdmitted = count(left.values(), LogIn::isOnlyAdmitted);
      System.out.printf(
          "%s: of %d log-ins %d were answered, %d are in the journal, %d of them only started, %d"
              + " only admitted%n",
          name,
          asked.size(),
          asked.stream().filter(visitor -> !visitor.isInTheDark()).count(),
          left.size() - before,
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

      Crowd.each(asked, Shopper::repeatAll);
      Crowd.each(
          visitors.stream().filter(visitor -> !asked.contains(visitor)).toList(),
          visitor -> logIn(visitor, name));
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

  private static List<Runnable> logInsOf(List<Shopper> visitors, String round, Set<Shopper> asked) {
    var queue = new ConcurrentLinkedQueue<>(visitors);
    Runnable oneAfterTheOther =
        () -> {
          boolean goOn = true;
          for (Shopper next = queue.poll(); goOn && next != null; next = queue.poll()) {
            asked.add(next);
            goOn = logIn(next, round) instanceof Acknowledged;
          }
        };
    return Collections.nCopies(AT_ONCE, oneAfterTheOther);
  }

  private static Outcome logIn(Shopper visitor, String round) {
    return visitor.logIn(
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
