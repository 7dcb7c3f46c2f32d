package dev.holdfast.benchmarks.journal;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line between the coordinator and a contestant: a verb and values, such as {@code write
 * seconds=10 owners=256}. No value holds white space.
 */
record Line(String verb, Map<String, String> values) {

  Line {
    values = Map.copyOf(values);
  }

  static Line of(String verb, Object... namesAndValues) {
    var values = new LinkedHashMap<String, String>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      values.put((String) namesAndValues[i], String.valueOf(namesAndValues[i + 1]));
    }
    return new Line(verb, values);
  }

  static Line parse(String text) {
    String[] words = text.strip().split(" +");
    var values = new LinkedHashMap<String, String>();
    for (int i = 1; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("not a line of this protocol: " + text);
      }
      values.put(words[i].substring(0, equals), words[i].substring(equals + 1));
    }
    return new Line(words[0], values);
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("there is no " + name + " in: " + this);
    }
    return value;
  }

  int number(String name) {
    return Integer.parseInt(text(name));
  }

  double figure(String name) {
    return Double.parseDouble(text(name));
  }

  @Override
  public String toString() {
    var text = new StringBuilder(verb);
    values.forEach((name, value) -> text.append(' ').append(name).append('=').append(value));
    return text.toString();
  }
}
