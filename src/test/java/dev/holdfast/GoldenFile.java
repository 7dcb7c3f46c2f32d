package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Bytes that a version has written, which every later one must write and understand. */
public final class GoldenFile {

  private GoldenFile() {}

  /** {@return the lines of a file} */
  public static List<String> lines(String name) throws IOException {
    return text(name).lines().toList();
  }

  /** {@return what stands behind the first word of each line, by that word} */
  public static Map<String, String> named(String name) throws IOException {
    var named = new LinkedHashMap<String, String>();
    for (String line : lines(name)) {
      String[] parts = line.split(" ", 2);
      named.put(parts[0], parts[1]);
    }
    return named;
  }

  /** {@return all of a file} */
  public static String text(String name) throws IOException {
    try (var file = GoldenFile.class.getResourceAsStream("/golden/" + name)) {
      assertThat(file).as(name).isNotNull();
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
