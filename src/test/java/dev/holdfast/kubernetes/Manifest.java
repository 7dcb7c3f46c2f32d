package dev.holdfast.kubernetes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * One object of Kubernetes, or a part of one, as its YAML says.
 *
 * @param at where it is, for messages
 * @param value a map, a list, a scalar, or null where there is nothing
 */
record Manifest(String at, @Nullable Object value) {

  /** {@return the objects of one file, its anchors resolved} */
  static List<Manifest> in(Path file) {
    try {
      return of(file.toString(), Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Manifest> of(String name, String yaml) {
    var reader = new Yaml(new SafeConstructor(new LoaderOptions()));
    return StreamSupport.stream(reader.loadAll(yaml).spliterator(), false)
        .map(each -> new Manifest(name, each))
        .map(each -> new Manifest(name + " " + each.kind() + "/" + each.name(), each.value))
        .toList();
  }

  /** {@return all objects of the YAML files in a folder} */
  static List<Manifest> all(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".yaml"))
          .sorted()
          .flatMap(file -> in(file).stream())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Manifest only(List<Manifest> among, String kind, String name) {
    List<Manifest> found =
        among.stream()
            .filter(each -> each.kind().equals(kind) && each.name().equals(name))
            .toList();
    if (found.size() != 1) {
      throw new AssertionError(
          "%d of %s/%s among %s"
              .formatted(found.size(), kind, name, among.stream().map(Manifest::at).toList()));
    }
    return found.getFirst();
  }

  String kind() {
    return get("kind").isThere() ? get("kind").text() : "";
  }

  String name() {
    return get("metadata", "name").isThere() ? get("metadata", "name").text() : "";
  }

  /** {@return what is there, step by step; a step that is a number goes into a list} */
  Manifest get(String... path) {
    Object here = value;
    for (String step : path) {
      here =
          switch (here) {
            case Map<?, ?> map -> map.get(step);
            case List<?> list when step.matches("[0-9]+") -> list.get(Integer.parseInt(step));
            case null, default -> null;
          };
    }
    return new Manifest(at + " " + String.join(".", path), here);
  }

  boolean isThere() {
    return value != null;
  }

  String text() {
    if (value == null) {
      throw new AssertionError("nothing at " + at);
    }
    return value.toString();
  }

  int number() {
    return Integer.parseInt(text());
  }

  /** {@return the items; none where there is nothing} */
  List<Manifest> items() {
    var items = new ArrayList<Manifest>();
    if (value instanceof List<?> list) {
      list.forEach(item -> items.add(new Manifest(at + "[" + items.size() + "]", item)));
    }
    return items;
  }

  List<String> texts() {
    return items().stream().map(Manifest::text).toList();
  }

  /** {@return the item whose {@code key} is {@code wanted}} */
  Manifest item(String key, String wanted) {
    return items().stream()
        .filter(item -> item.get(key).isThere() && item.get(key).text().equals(wanted))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + key + " " + wanted + " at " + at));
  }

  /** {@return this and everything below} */
  Stream<Manifest> everything() {
    return Stream.concat(
        Stream.of(this),
        switch (value) {
          case Map<?, ?> map ->
              map.keySet().stream().flatMap(key -> get(key.toString()).everything());
          case List<?> _ -> items().stream().flatMap(Manifest::everything);
          case null, default -> Stream.empty();
        });
  }
}
