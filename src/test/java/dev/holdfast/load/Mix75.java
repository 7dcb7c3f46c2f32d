package dev.holdfast.load;

import io.gatling.javaapi.core.ScenarioBuilder;

/** Reads and changes, 75 to 25, by users who are there all the time and do not think. */
public final class Mix75 extends ShopSimulation {

  /** Makes it of 64 users at a time for a minute by default. */
  public Mix75() {
    var options = Options.or(64, 60, 500);
    ScenarioBuilder mix = Mixes.of(75, options.duration());
    setUp(mix.injectClosed(Mixes.users(options)))
        .protocols(Shop.protocol(target.url()))
        .assertions(allGood(options));
  }
}
