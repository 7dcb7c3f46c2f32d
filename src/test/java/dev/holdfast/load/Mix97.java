package dev.holdfast.load;

import io.gatling.javaapi.core.ScenarioBuilder;

/** Reads and changes, 97 to 3, by users who are there all the time and do not think. */
public final class Mix97 extends ShopSimulation {

  /** Makes it of 64 users at a time for a minute by default. */
  public Mix97() {
    var options = Options.or(64, 60, 500);
    ScenarioBuilder mix = Mixes.of(97, options.duration());
    setUp(mix.injectClosed(Mixes.users(options)))
        .protocols(Shop.protocol(target.url()))
        .assertions(allGood(options));
  }
}
