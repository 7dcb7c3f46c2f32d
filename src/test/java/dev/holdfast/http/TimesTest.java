package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class TimesTest {

  @Property
  void saysWhatAnInstantSays(
      @ForAll @LongRange(min = -70_000_000_000_000L, max = 260_000_000_000_000L) long millis) {
    assertThat(Times.text(millis)).isEqualTo(Instant.ofEpochMilli(millis).toString());
  }

  @Test
  void saysSoAtTheEdgesToo() {
    for (String edge :
        new String[] {
          "1970-01-01T00:00:00Z",
          "1969-12-31T23:59:59.999Z",
          "2000-02-29T12:00:00Z",
          "9999-12-31T23:59:59.999Z",
          "+10000-01-01T00:00:00Z",
          "0000-01-01T00:00:00Z",
          "-0001-12-31T23:59:59.999Z",
          "2026-11-28T19:05:07.040Z"
        }) {
      assertThat(Times.text(Instant.parse(edge).toEpochMilli())).isEqualTo(edge);
    }
    assertThat(Times.text(Long.MAX_VALUE))
        .isEqualTo(Instant.ofEpochMilli(Long.MAX_VALUE).toString());
  }
}
