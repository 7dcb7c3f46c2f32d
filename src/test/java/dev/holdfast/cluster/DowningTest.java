package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import org.apache.pekko.cluster.sbr.SplitBrainResolverSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class DowningTest {

  /** One that had no time for a while must not take that for a network that nobody can trust. */
  @Test
  void hasNobodyExcludeAllMembers() {
    var settings = new SplitBrainResolverSettings(ConfigFactory.load());

    assertThat(settings.DownAllWhenUnstable().toMillis()).isZero();
    assertThat(settings.DowningStrategy()).isEqualTo("keep-majority");
    assertThat(settings.DowningStableAfter().toSeconds()).isEqualTo(3);
  }
}
