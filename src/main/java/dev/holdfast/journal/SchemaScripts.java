package dev.holdfast.journal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The scripts in the program that make a store's schema. */
final class SchemaScripts {

  private SchemaScripts() {}

  /**
   * The script that leads to version 1, to version 2, and so on.
   *
   * @param store the folder of the scripts below {@code /schema}
   */
  static List<String> upTo(int version, String store) {
    return IntStream.rangeClosed(1, version)
        .mapToObj(number -> script("/schema/" + store + "/" + number + ".sql"))
        .toList();
  }

  private static String script(String name) {
    try (@Nullable InputStream script = SchemaScripts.class.getResourceAsStream(name)) {
      if (script == null) {
        throw new IllegalStateException("the program lacks its own " + name);
      }
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
