package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.incrementUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.repeat;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.core.CoreDsl.stopLoadGeneratorIf;

import io.gatling.javaapi.core.Session;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * More and more visits a second, until one step breaks: an answer was wrong, or more than one visit
 * in a hundred took longer than it may. The report shows the steps; the last that held is the
 * capacity.
 */
public final class CapacitySearch extends ShopSimulation {

  private static final int STEPS = 40;
  private static final int REQUESTS_A_VISIT = 10;

  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger late = new AtomicInteger();

  /** Makes it of steps of 100 visits of ten requests by default, ten seconds each. */
  public CapacitySearch() {
    var options = Options.or(100, 10, 500);
    long limit = (long) options.p99() * REQUESTS_A_VISIT;
    var visit =
        scenario("a visit")
            .exec(session -> session.set("began", System.nanoTime()))
            .exec(Shop.open(), Shop.setLine())
            .exec(repeat(REQUESTS_A_VISIT - 2).on(exec(Shop.look())))
            .exec(session -> note(session, limit))
            .exec(stopLoadGeneratorIf(_ -> "the capacity is reached", _ -> broken()));
    setUp(
            visit.injectOpen(
                incrementUsersPerSec(options.users())
                    .times(STEPS)
                    .eachLevelLasting(options.duration())
                    .startingFrom(options.users())))
        .protocols(Shop.protocol(target.url()));
  }

  private Session note(Session session, long limitMillis) {
    long took = System.nanoTime() - session.getLong("began");
    // Every thousand visits it begins anew, so that early ones do not hide late ones.
    if (ended.incrementAndGet() % 1_000 == 0) {
      late.set(0);
    }
    if (session.isFailed() || took > Duration.ofMillis(limitMillis).toNanos()) {
      late.incrementAndGet();
    }
    return session;
  }

  private boolean broken() {
    return late.get() > 10;
  }
}
