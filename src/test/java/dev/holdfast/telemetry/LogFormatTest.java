package dev.holdfast.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** In a process of its own, since the log is its process's. */
@Timeout(60)
class LogFormatTest {

  /** Logs a line with everything that a line can have. */
  static final class Speaker {
    private static final Logger LOG = LoggerFactory.getLogger("dev.holdfast.speaker");

    private Speaker() {}

    public static void main(String[] args) {
      LogFormat.valueOf(args[0]).use();
      MDC.put("request", "r-1");
      LOG.atInfo()
          .addKeyValue("who", "anybody")
          .setCause(new IllegalStateException("why"))
          .log("said \"{}\"", "so");
    }
  }

  @Test
  void writesAnObjectALineWithTheRequestAndTheCause() throws Exception {
    List<String> lines = speak("JSON");
    assertThat(lines).hasSize(1);
    JsonNode line = new ObjectMapper().readTree(lines.getFirst());
    assertThat(line.path("level").asText()).isEqualTo("INFO");
    assertThat(line.path("loggerName").asText()).isEqualTo("dev.holdfast.speaker");
    assertThat(line.path("formattedMessage").asText()).isEqualTo("said \"so\"");
    assertThat(line.path("mdc").path("request").asText()).isEqualTo("r-1");
    assertThat(line.path("kvpList").path(0).path("who").asText()).isEqualTo("anybody");
    assertThat(line.path("throwable").path("message").asText()).isEqualTo("why");
    assertThat(line.path("timestamp").isNumber()).isTrue();
  }

  @Test
  void writesTextUnlessToldOtherwise() throws Exception {
    assertThat(speak("TEXT").getFirst()).endsWith("INFO  dev.holdfast.speaker - said \"so\"");
  }

  private static List<String> speak(String format) throws Exception {
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                // The tests have a log of their own.
                "-Dlogback.configurationFile=logback.xml",
                Speaker.class.getName(),
                format)
            .redirectErrorStream(true)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return out.lines().toList();
  }
}
