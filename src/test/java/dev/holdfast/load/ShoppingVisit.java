package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.pause;
import static io.gatling.javaapi.core.CoreDsl.rampUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.repeat;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import java.time.Duration;

/** Visits with the time that people take: come, fill a cart, look, log in, check out, log out. */
public final class ShoppingVisit extends ShopSimulation {

  /** Makes it of 20 visits a second for a minute by default. */
  public ShoppingVisit() {
    var options = Options.or(20, 60, 500);
    var visit =
        scenario("a visit")
            .exec(Shop.open())
            .exec(repeat(4).on(exec(Shop.setLine(), think(), exec(Shop.look()), think())))
            .exec(Shop.logIn(), think(), exec(Shop.look()), think())
            .exec(Shop.checkOut())
            .exec(Shop.logOut());
    setUp(
            visit.injectOpen(
                rampUsersPerSec(1).to(options.users()).during(Duration.ofSeconds(5)),
                constantUsersPerSec(options.users()).during(options.duration())))
        .protocols(Shop.protocol(target.url()))
        .assertions(allGood(options));
  }

  private static io.gatling.javaapi.core.ChainBuilder think() {
    return pause(Duration.ofMillis(500), Duration.ofMillis(2_500));
  }
}
