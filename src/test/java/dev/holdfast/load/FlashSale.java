package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.core.CoreDsl.stressPeakUsers;

/** One SKU, many users: all come within seconds, put the same thing in their cart and check out. */
public final class FlashSale extends ShopSimulation {

  /** Makes it of 5,000 users within ten seconds by default. */
  public FlashSale() {
    var options = Options.or(5_000, 10, 2_000);
    var buy =
        scenario("a buyer")
            .exec(Shop.open(), Shop.setHotLine(), exec(Shop.look()), exec(Shop.checkOut()));
    setUp(buy.injectOpen(stressPeakUsers(options.users()).during(options.duration())))
        .protocols(Shop.protocol(target.url()))
        .assertions(allGood(options));
  }
}
