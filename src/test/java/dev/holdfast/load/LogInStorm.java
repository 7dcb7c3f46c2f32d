package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.scenario;

/** Everybody logs in at once: visitors with a cart, as many a second as asked for. */
public final class LogInStorm extends ShopSimulation {

  /** Makes it of 200 log-ins a second for half a minute by default. */
  public LogInStorm() {
    var options = Options.or(200, 30, 1_000);
    var logIn = scenario("a log-in").exec(Shop.open(), Shop.setLine(), Shop.logIn());
    setUp(logIn.injectOpen(constantUsersPerSec(options.users()).during(options.duration())))
        .protocols(Shop.protocol(target.url()))
        .assertions(allGood(options));
  }
}
