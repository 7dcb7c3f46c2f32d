package dev.holdfast.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * None of the libraries that are shipped has a vulnerability that {@code advisories.json} knows.
 * What that file does not know is not found here; see docs/security.md.
 */
@Timeout(60)
class AdvisoriesIT {

  private static final Pattern JAR =
      Pattern.compile("(?<name>.+?)-(?<version>[0-9][^-]*)(?:-native)?\\.jar");

  private static JsonNode advisories;

  /** Version by name, as in {@code sqlite-jdbc}. */
  private static final TreeMap<String, String> SHIPPED = new TreeMap<>();

  @BeforeAll
  static void read() throws IOException {
    try (InputStream in = AdvisoriesIT.class.getResourceAsStream("/advisories.json")) {
      advisories = new ObjectMapper().readTree(in);
    }
    Path libraries = Path.of(System.getProperty("holdfast.jar")).resolveSibling("lib");
    try (var files = Files.list(libraries)) {
      for (Path file : files.toList()) {
        Matcher jar = JAR.matcher(file.getFileName().toString());
        assertThat(jar.matches()).as("%s", file).isTrue();
        SHIPPED.put(jar.group("name"), jar.group("version"));
      }
    }
    assertThat(SHIPPED).hasSizeGreaterThan(50).containsKeys("jackson-core", "sqlite-jdbc");
  }

  @Test
  void shipsNothingThatIsKnownToBeVulnerable() {
    List<String> found = new ArrayList<>();
    SHIPPED.forEach((name, version) -> found.addAll(against(name, version)));
    assertThat(found).isEmpty();
  }

  /** So that a new library does not go unwatched. */
  @Test
  void knowsWhereToLookForEachLibrary() {
    List<String> lookedAt = new ArrayList<>();
    advisories.path("looked-at").fieldNames().forEachRemaining(lookedAt::add);
    assertThat(SHIPPED.keySet())
        .allMatch(
            name -> lookedAt.stream().anyMatch(prefix -> name.startsWith(prefix)),
            "begins as one in looked-at");
  }

  @ParameterizedTest
  @CsvSource({
    "jackson-core, 2.19.2, GHSA-72hv-8253-57qq",
    "jackson-core, 2.21.0, GHSA-72hv-8253-57qq",
    "jackson-core, 2.18.6, GHSA-r7wm-3cxj-wff9",
    "jackson-core, 2.18.8, ",
    "jackson-core, 2.20.1, GHSA-r7wm-3cxj-wff9",
    "logback-core, 1.5.18, CVE-2025-11226",
    "logback-core, 1.3.15, CVE-2025-11226",
    "postgresql, 42.7.10, CVE-2026-42198",
    "postgresql, 42.7.11, ",
    "sqlite-jdbc, 3.41.2.1, CVE-2023-32697",
    "sqlite-jdbc, 3.6.14, ",
    "sqlite-jdbc, 3.54.1.0, "
  })
  void findsWhatIsAffected(String name, String version, @Nullable String advisory) {
    List<String> found = against(name, version);
    if (advisory == null) {
      assertThat(found).isEmpty();
    } else {
      assertThat(found).anyMatch(line -> line.contains(advisory));
    }
  }

  private static List<String> against(String name, String version) {
    return StreamSupport.stream(advisories.path("advisories").spliterator(), false)
        .filter(each -> each.path("name").asText().equals(name))
        .filter(each -> isAffected(each, version))
        .map(each -> name + " " + version + ": " + each.path("id").asText())
        .toList();
  }

  private static boolean isAffected(JsonNode advisory, String version) {
    if (compare(version, advisory.path("since").asText()) < 0) {
      return false;
    }
    String line = line(version);
    String newest = "0";
    for (JsonNode fix : advisory.path("fixed")) {
      String fixed = fix.asText();
      if (line(fixed).equals(line)) {
        return compare(version, fixed) < 0;
      }
      newest = compare(fixed, newest) > 0 ? fixed : newest;
    }
    // Of a line without a fix: everything that is older than the newest one.
    return compare(version, newest) < 0;
  }

  private static String line(String version) {
    String[] parts = version.split("\\.", -1);
    return parts[0] + "." + (parts.length > 1 ? parts[1] : "0");
  }

  private static int compare(String one, String other) {
    String[] left = one.split("[.-]", -1);
    String[] right = other.split("[.-]", -1);
    for (int i = 0; i < Math.max(left.length, right.length); i++) {
      int l = i < left.length ? number(left[i]) : 0;
      int r = i < right.length ? number(right[i]) : 0;
      if (l != r) {
        return Integer.compare(l, r);
      }
    }
    return 0;
  }

  private static int number(String part) {
    String digits = part.replaceAll("[^0-9].*", "");
    return digits.isEmpty() ? 0 : Integer.parseInt(digits);
  }
}
