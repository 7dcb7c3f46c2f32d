package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.global;

import io.gatling.javaapi.core.Assertion;
import io.gatling.javaapi.core.Simulation;

/** A simulation with its target: what it started ends with it. */
abstract class ShopSimulation extends Simulation {

  final Target target = Target.start();

  /** No answer may be wrong, and 99 % of them must come in time. */
  static Assertion[] allGood(Options options) {
    return new Assertion[] {
      global().failedRequests().count().is(0L),
      global().responseTime().percentile(99).lte(options.p99())
    };
  }

  @Override
  public void after() {
    target.close();
  }
}
