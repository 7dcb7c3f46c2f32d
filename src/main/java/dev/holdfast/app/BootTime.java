package dev.holdfast.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** The time since the machine was started, with the time in which it was suspended. */
final class BootTime {

  private static final Path UPTIME = Path.of("/proc/uptime");

  private BootTime() {}

  /** {@return the time that this machine has been running, in milliseconds since some moment} */
  static long running() {
    return System.nanoTime() / 1_000_000;
  }

  /**
   * {@return a clock in milliseconds} Linux tells it in {@code /proc/uptime}, to 10 ms. Elsewhere
   * it is Java's own clock, which stands still in a suspension; after one the wall clock is not
   * trusted for a while.
   */
  static LongSupplier clock() {
    return Files.isReadable(UPTIME) ? BootTime::uptime : BootTime::running;
  }

  private static long uptime() {
    try {
      String text = Files.readString(UPTIME, StandardCharsets.US_ASCII);
      return (long) (Double.parseDouble(text.substring(0, text.indexOf(' '))) * 1000);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
