package dev.holdfast.load;

import static io.gatling.javaapi.core.CoreDsl.constantConcurrentUsers;
import static io.gatling.javaapi.core.CoreDsl.during;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.percent;
import static io.gatling.javaapi.core.CoreDsl.randomSwitch;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import io.gatling.javaapi.core.ClosedInjectionStep;
import io.gatling.javaapi.core.ScenarioBuilder;
import java.time.Duration;

/** Reads and changes of users who stay. */
final class Mixes {

  private Mixes() {}

  /**
   * @param reads in a hundred requests
   */
  static ScenarioBuilder of(int reads, Duration duration) {
    return scenario(reads + " % reads")
        .exec(Shop.open(), Shop.setLine())
        .exec(
            during(duration)
                .on(
                    randomSwitch()
                        .on(
                            percent(reads).then(exec(Shop.look())),
                            percent(100 - reads).then(Shop.setLine()))));
  }

  /** All of them come at once and stay until the end. */
  static ClosedInjectionStep users(Options options) {
    return constantConcurrentUsers(options.users()).during(Duration.ofSeconds(1));
  }
}
