package dev.holdfast.load;

import io.gatling.javaapi.core.ScenarioBuilder;

/** Nothing but changes, by users who are there all the time and do not think. */
public final class Changes extends ShopSimulation {

  /** Makes it of 64 users at a time for a minute by default. */
  public Changes() {
    var options = Options.or(64, 60, 500);
    ScenarioBuilder changes = Mixes.of(0, options.duration());
    setUp(changes.injectClosed(Mixes.users(options)))
        .protocols(Shop.protocol(target.url()))
        .assertions(allGood(options));
  }
}
