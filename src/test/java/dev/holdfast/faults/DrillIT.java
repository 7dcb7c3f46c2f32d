package dev.holdfast.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.faults.HoldfastProcess.Ended;
import dev.holdfast.faults.Program.Launch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code drill}, as people run it. */
@Isolated("what callers wait for is not to be that other tests run")
class DrillIT {

  private static final ObjectMapper JSON = new ObjectMapper();

  @RegisterExtension private final Program program = Program.forEachTest();
  @TempDir private Path dir;

  @Test
  @Timeout(120)
  void tellsWhatTheUsersOfAKilledNodeSaw() throws IOException {
    Ended ended =
        drill("crash", "--warm-up", "2", "--watch", "1", "--users", "30", "--rate", "100");

    assertThat(ended.status()).as(ended.out() + ended.err()).isZero();
    JsonNode run = report().path("runs").path(0);
    assertThat(run.path("affectedUsers").asInt()).isPositive();
    assertThat(run.path("outagesMillis")).hasSize(run.path("affectedUsers").asInt());
    assertThat(run.path("violations")).isEmpty();
    assertThat(run.path("slices")).isNotEmpty();
    assertThat(Files.readString(dir.resolve("report.html")))
        .contains("<svg", "Every promise held.")
        .doesNotContain("http://", "https://", "<script");
  }

  @Test
  void refusesAFaultThatItDoesNotKnow() {
    Ended ended = program.run(Launch.of("drill", "earthquake"));

    assertThat(ended.status()).isEqualTo(2);
    assertThat(ended.err()).contains("there is no fault earthquake");
  }

  @ParameterizedTest
  @Tag("nightly")
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  @CsvSource({
    "crash, 2000",
    "crash-oldest, 3000",
    "crash-two, 5000",
    "crash-moving, 3000",
    "hang, 10000",
    "hang-crash, 15000",
    "partition, 10000",
    "partition-two, 15000",
    "one-way, 10000",
    "reject, 0",
    "leave, 0",
    "rolling, 0",
    "scale-out, 0",
    "scale-in, 0",
    "journal-down, 0"
  })
  void holdsEveryPromiseAndIsBackInTime(String fault, double mostMillis) throws IOException {
    Ended ended = drill(fault, "--runs", "3");

    assertThat(ended.status()).as(ended.out() + ended.err()).isZero();
    assertThat(report().path("outage").path("max").asDouble()).isLessThanOrEqualTo(mostMillis);
  }

  private Ended drill(String fault, String... options) {
    return program
        .start(Launch.of("drill", fault, "--report", dir.toString()).and(options))
        .awaitEnd(Duration.ofMinutes(9));
  }

  private JsonNode report() throws IOException {
    return JSON.readTree(Files.readString(dir.resolve("report.json"))).path(0);
  }
}
