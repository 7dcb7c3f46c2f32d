package dev.holdfast.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/** Reads settings below {@code holdfast}, each within what is allowed. */
final class SettingsReader {

  private final Config config;

  SettingsReader(Config config) {
    this.config = config;
  }

  int integer(String key, int least, int greatest) {
    return checked(
        key,
        config::getInt,
        value -> value >= least && value <= greatest,
        "a whole number from " + least + " to " + greatest);
  }

  int bytes(String key, int least, int greatest) {
    return (int)
        (long)
            checked(
                key,
                config::getBytes,
                value -> value >= least && value <= greatest,
                "a size from " + least + " to " + greatest + " bytes, such as 64 KiB");
  }

  Duration duration(String key, Duration least, Duration greatest) {
    return checked(
        key,
        config::getDuration,
        value -> value.compareTo(least) >= 0 && value.compareTo(greatest) <= 0,
        "a duration from " + text(least) + " to " + text(greatest) + ", such as 30 minutes");
  }

  boolean flag(String key) {
    return checked(key, config::getBoolean, value -> true, "true or false");
  }

  String text(String key, String allowed, Predicate<String> valid) {
    return checked(key, config::getString, valid, allowed);
  }

  /**
   * A list, or the same as one string with commas or lines, as the environment and files have it.
   */
  List<String> texts(String key) {
    return switch (config.getValue(key).valueType()) {
      case STRING -> KeyLists.split(config.getString(key));
      case OBJECT, LIST, NUMBER, BOOLEAN, NULL ->
          checked(key, config::getStringList, value -> true, "a list of strings");
    };
  }

  InvalidSetting invalid(String key, String allowed) {
    return new InvalidSetting(Settings.ROOT + "." + key, shown(key), allowed);
  }

  private <T> T checked(
      String key, Function<String, T> reading, Predicate<T> valid, String allowed) {
    T value;
    try {
      value = reading.apply(key);
    } catch (ConfigException.BadValue | ConfigException.WrongType e) {
      throw invalid(key, allowed);
    }
    if (!valid.test(value)) {
      throw invalid(key, allowed);
    }
    return value;
  }

  private String shown(String key) {
    String value = config.getValue(key).unwrapped().toString();
    // A key's value is a secret, or close to one: not shown even when it is wrong. Nor is what has
    // several lines: the content of a file, where its name was meant.
    return key.endsWith("-keys") || key.equals("postgres") || value.lines().count() > 1
        ? "not usable"
        : value;
  }

  private static String text(Duration duration) {
    if (duration.toSeconds() == 0) {
      return duration.toMillis() + " ms";
    }
    return duration.toDaysPart() > 0 && duration.toSeconds() % 86_400 == 0
        ? duration.toDays() + " days"
        : duration.toSeconds() + " s";
  }
}
