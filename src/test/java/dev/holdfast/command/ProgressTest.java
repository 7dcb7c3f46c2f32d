package dev.holdfast.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.journal.Owner;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProgressTest {

  private static final Owner QUARTER = new Owner(0x4000_0000_0000_0000L, 0);
  private static final Owner THREE_QUARTERS = new Owner(0xC000_0000_0000_0000L, 0);

  @Test
  void showsHowFarUpTheOwnersAreAndLeavesTheLineEmpty() {
    assertThat(shown(true, 0))
        .containsExactly(
            "exporting [=======                       ]  25 %, 1 users",
            "exporting [======================        ]  75 %, 2 users", "");
  }

  @Test
  void showsNothingOfWhatIsQuicklyDone() {
    assertThat(shown(true, TimeUnit.HOURS.toNanos(1))).isEmpty();
  }

  @Test
  void showsNothingWhereNobodyLooks() {
    assertThat(shown(false, 0)).isEmpty();
  }

  /** What stands on the line, one picture after another. */
  private static List<String> shown(boolean shows, long between) {
    var bytes = new ByteArrayOutputStream();
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (var progress = new Progress("exporting", out, shows, between)) {
      progress.accept(QUARTER);
      progress.accept(THREE_QUARTERS);
    }
    String all = bytes.toString(StandardCharsets.UTF_8);
    return all.isEmpty() ? List.of() : List.of(all.split("\r\u001b\\[K", -1)).subList(1, 4);
  }
}
